//! Who did it.

use crate::identity::{ActorId, IntoId};

/// What kind of actor it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActorKind {
    /// A person with an account.
    User,
    /// Another program, with credentials of its own.
    Service,
    /// The program itself: a scheduled job, a start-up.
    System,
    /// Somebody who was not authenticated, and that is known.
    Anonymous,
}

impl ActorKind {
    /// The name in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::User, Self::Service, Self::System, Self::Anonymous].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Who did it. A missing actor stays absent from a record; it is never turned into [`Actor::anonymous`].
///
/// ```
/// # use audit_core as audited;
/// use audited::{Actor, ActorId};
///
/// let ann = Actor::user(ActorId::hash("ann@example.org"));
/// let billing = Actor::service(ActorId::plain("billing"));
/// assert_ne!(ann, billing);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub(crate) kind: ActorKind,
    pub(crate) id: Option<ActorId>,
}

impl Actor {
    /// A person with an account.
    pub fn user(id: impl IntoId<ActorId>) -> Self {
        Self { kind: ActorKind::User, id: Some(id.into_id()) }
    }

    /// Another program.
    pub fn service(id: impl IntoId<ActorId>) -> Self {
        Self { kind: ActorKind::Service, id: Some(id.into_id()) }
    }

    /// The program itself.
    pub const fn system() -> Self {
        Self { kind: ActorKind::System, id: None }
    }

    /// Somebody who is known not to be authenticated.
    pub const fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, id: None }
    }

    /// What kind of actor it is.
    pub const fn kind(&self) -> ActorKind {
        self.kind
    }
}
