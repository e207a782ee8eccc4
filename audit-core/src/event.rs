//! Typed vocabularies.

mod distinct;
mod prefix;

use std::fmt;
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

pub use distinct::distinct;
pub use prefix::{name_beside, prefixed, prefixed_len, prefixed_names};

use crate::action::{Action, MAX_ACTION_LEN};
use crate::catalogue::registered::EventType;
use crate::decision::Verdict;
use crate::sensitive::Object;
use crate::severity::Severity;

/// A typed vocabulary: an enum, each variant an action, its fields the payload. Derived:
///
/// ```text
/// #[derive(AuditEvent)]
/// #[event(prefix = "user")]
/// enum UserEvent {
///     Created { id: u64, #[sensitive] name: String },
///     Deleted,
/// }
/// assert_eq!(UserEventKind::Created.as_str(), "user.created");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no vocabulary of events",
    label = "not an event",
    note = "derive it on an enum: `#[derive(AuditEvent)]`"
)]
pub trait AuditEvent {
    /// The payload-free kind beside the enum.
    type Kind: EventKind;

    /// Which one it is.
    fn kind(&self) -> Self::Kind;

    /// Writes the payload, redacted, as the fields of the detail.
    fn write_fields(&self, fields: &mut Object<'_, '_>);

    /// Whether it was allowed and how it ended; by default nothing was decided, and it is a success. What the builder of
    /// the record says comes first.
    fn verdict(&self) -> Option<Verdict> {
        None
    }

    /// How grave it is, where that is known. What the builder of the record says comes first.
    fn severity(&self) -> Option<Severity> {
        None
    }

    /// Where alone it may be recorded from, if not everywhere.
    fn surface(&self) -> Option<&'static str> {
        None
    }
}

/// A vocabulary that is not bound to a [`Surface`](crate::Surface) as a whole. The derive implements it unless the enum says
/// `only_from`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is bound to a surface",
    label = "recorded without the token of its surface",
    note = "`record_from(&surface, &event)`, with the token that `Surface::mint` gave in `main`; a vocabulary that nests it says `only_from` too"
)]
pub trait Anywhere {}

impl<E: Anywhere + ?Sized> Anywhere for Box<E> {}

impl<E: AuditEvent + ?Sized> AuditEvent for Box<E> {
    type Kind = E::Kind;

    fn kind(&self) -> E::Kind {
        (**self).kind()
    }

    fn write_fields(&self, fields: &mut Object<'_, '_>) {
        (**self).write_fields(fields);
    }

    fn verdict(&self) -> Option<Verdict> {
        (**self).verdict()
    }

    fn severity(&self) -> Option<Severity> {
        (**self).severity()
    }

    fn surface(&self) -> Option<&'static str> {
        (**self).surface()
    }
}

/// The payload-free kind of an [`AuditEvent`].
pub trait EventKind: Copy + Debug + Eq + Hash + Send + Sync + 'static {
    /// Every kind, in the order of the source.
    const ALL: &'static [Self];

    /// Its action.
    fn action(self) -> Action;

    /// What the derive says of the vocabulary.
    #[doc(hidden)]
    fn vocabulary() -> Option<&'static EventType> {
        None
    }
}

/// A name that is no action of the vocabulary which it was looked up in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no action of this vocabulary", name.escape_debug())]
pub struct UnknownAction {
    name: String,
}

impl UnknownAction {
    /// Keeps the name, cut at [`MAX_ACTION_LEN`] bytes.
    pub fn new(name: &str) -> Self {
        Self { name: crate::text::start(name, MAX_ACTION_LEN).to_owned() }
    }
}

/// Reads a kind from its action: what the derived `Deserialize` does.
#[doc(hidden)]
pub fn deserialize_kind<'de, K, D>(deserializer: D) -> Result<K, D::Error>
where
    K: FromStr<Err = UnknownAction>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Name(PhantomData))
}

struct Name<K>(PhantomData<K>);

impl<K: FromStr<Err = UnknownAction>> Visitor<'_> for Name<K> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an action")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<K, E> {
        name.parse().map_err(E::custom)
    }
}
