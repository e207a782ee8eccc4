//! Identities: every one says, where it is made, how it may be shown.

use std::fmt;
use std::sync::Arc;

use smol_str::{SmolStr, ToSmolStr as _};
use uuid::Uuid;

use crate::sensitive::{Encoder, Redaction, Sensitive};

/// What a record shows of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Showing {
    Plain,
    Hashed,
    /// The text is what redaction has left.
    Redacted,
}

/// The text of an identity and how it may be shown. `Debug` keeps to it.
///
/// Two are equal when they denote the same, however each may be shown; what redaction has left is equal only to the
/// same remains.
#[derive(Clone)]
pub(crate) struct Identity {
    /// Short ones need no memory of their own.
    text: SmolStr,
    showing: Showing,
}

impl Identity {
    pub(crate) fn plain(text: impl Into<SmolStr>) -> Self {
        Self { text: text.into(), showing: Showing::Plain }
    }

    pub(crate) fn hashed(text: impl Into<SmolStr>) -> Self {
        Self { text: text.into(), showing: Showing::Hashed }
    }

    /// Takes a classified value, as redaction leaves it; none where the value is absent. One that is hashed is so when
    /// it is written: then it is known whose the record is.
    pub(crate) fn captured(redaction: Redaction<'_>, value: &dyn Sensitive) -> Option<Self> {
        if let Some(text) = value.plain_text() {
            return Some(Self::plain(text));
        }
        Some(match Encoder::identity_of(redaction, value)? {
            (_, _, Some(hashed)) => Self::hashed(hashed),
            (text, true, None) => Self { text, showing: Showing::Redacted },
            (text, false, None) => Self::plain(text),
        })
    }

    /// The text, where it may be written as it is.
    pub(crate) fn shown(&self) -> Option<&str> {
        (self.showing != Showing::Hashed).then_some(&self.text)
    }

    /// Whether a record that shows it must say that something is missing.
    pub(crate) fn is_redacted(&self) -> bool {
        self.showing != Showing::Plain
    }

    /// Whether it is what redaction has left of one.
    pub(crate) fn is_remains(&self) -> bool {
        self.showing == Showing::Redacted
    }

    /// The text, for the keyed hash alone.
    pub(crate) fn secret(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        let remains = |identity: &Self| identity.showing == Showing::Redacted;
        self.text == other.text && remains(self) == remains(other)
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown() {
            Some(text) => fmt::Debug::fmt(text, f),
            None => f.write_str("<hashed>"),
        }
    }
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Integers and UUIDs are classified already and convert with `From`; a text says how it may be shown.
        /// `Debug` never shows a hashed one.
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(pub(crate) Identity);

        impl $name {
            /// Takes an id that records may show as it is.
            pub fn plain(id: impl Into<Arc<str>>) -> Self {
                Self(Identity::plain(id.into()))
            }

            /// Takes an id that records show only as a keyed hash, so that equal ones can still be found.
            ///
            /// Without a key in the recorder the record says `"<redacted>"`.
            pub fn hash(id: impl Into<Arc<str>>) -> Self {
                Self(Identity::hashed(id.into()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(Identity::plain(id.to_smolstr()))
            }
        }

        identity!(@integers $name: u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
    };
    (@integers $name:ident: $($int:ty)*) => {
        $(impl From<$int> for $name {
            fn from(id: $int) -> Self {
                Self(Identity::plain(id.to_smolstr()))
            }
        })*
    };
}

/// What an id is made of: the id, or what converts into it. A text does not, since nothing says how it may be shown.
///
/// There is nothing to implement: a type of your own converts by `From<MyId> for ActorId`.
#[diagnostic::on_unimplemented(
    message = "nothing says how an audit record may show this `{Self}`",
    label = "not classified",
    note = "a text says it by `{Id}::hash(text)` (keyed hash) or `{Id}::plain(text)`",
    note = "a type of your own converts: `impl From<MyId> for {Id}`"
)]
pub trait IntoId<Id> {
    #[doc(hidden)]
    fn into_id(self) -> Id;
}

#[diagnostic::do_not_recommend]
impl<Id, T: Into<Id>> IntoId<Id> for T {
    fn into_id(self) -> Id {
        self.into()
    }
}

identity! {
    /// The id of an [`Actor`](crate::Actor).
    ActorId
}
identity! {
    /// The id of a [`Subject`](crate::Subject).
    SubjectId
}
identity! {
    /// The id of a [`Resource`](crate::Resource).
    ResourceId
}
identity! {
    /// The organisation that owns a record; readers are scoped to it.
    TenantId
}
identity! {
    /// A session. [`SessionId::new`] hashes it, since whoever holds a session id usually holds the session.
    SessionId
}

impl SessionId {
    /// Takes a session id, shown only as a keyed hash.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self::hash(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_is_what_denotes_the_same() {
        assert_eq!(ActorId::plain("ann"), ActorId::hash("ann"));
        assert_ne!(ActorId::hash("bob"), ActorId::hash("ann"));
        let redacted = Identity { text: "<redacted>".into(), showing: Showing::Redacted };
        assert_ne!(Identity::plain("<redacted>"), redacted);
    }

    #[test]
    fn debug_shows_only_what_was_declared_plain() {
        assert_eq!(format!("{:?}", ActorId::plain("u-1")), r#"ActorId("u-1")"#);
        assert_eq!(format!("{:?}", ActorId::hash("ann@example.org")), "ActorId(<hashed>)");
        assert_eq!(format!("{:?}", SessionId::new("s3cret")), "SessionId(<hashed>)");
        assert_eq!(format!("{:?}", ResourceId::from(7_u64)), r#"ResourceId("7")"#);
    }
}
