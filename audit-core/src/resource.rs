//! What was acted on, and whom it is about.

use std::borrow::Cow;

use crate::identity::{IntoId, ResourceId, SubjectId};

/// The thing acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) id: ResourceId,
}

impl Resource {
    /// Names a resource by its kind (`"account"`) and its id.
    pub fn new(kind: impl Into<Cow<'static, str>>, id: impl IntoId<ResourceId>) -> Self {
        Self { kind: kind.into(), id: id.into_id() }
    }
}

/// The person or account that a record is about, where that is not the actor: an administrator (actor) deletes
/// a user (subject), and both find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) id: SubjectId,
}

impl Subject {
    /// Names a subject by its kind and its id.
    pub fn new(kind: impl Into<Cow<'static, str>>, id: impl IntoId<SubjectId>) -> Self {
        Self { kind: kind.into(), id: id.into_id() }
    }

    /// A subject of the kind `user`.
    pub fn user(id: impl IntoId<SubjectId>) -> Self {
        Self::new("user", id)
    }
}
