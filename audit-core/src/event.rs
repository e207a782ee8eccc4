//! Typed vocabularies.

use std::fmt::Debug;
use std::hash::Hash;

use crate::action::Action;
use crate::sensitive::Object;

/// A typed vocabulary: an enum, each variant an action, its fields the payload. Derived:
///
/// ```ignore
/// #[derive(AuditEvent)]
/// #[event(prefix = "user")]
/// enum UserEvent {
///     Created { id: u64, #[sensitive] name: String },
///     Deleted,
/// }
/// assert_eq!(UserEventKind::Created.as_str(), "user.created");
/// ```
pub trait AuditEvent {
    /// The payload-free kind beside the enum.
    type Kind: EventKind;

    /// Which one it is.
    fn kind(&self) -> Self::Kind;

    /// Writes the payload, redacted, as the fields of the detail.
    fn write_fields(&self, fields: &mut Object<'_, '_>);
}

/// The payload-free kind of an [`AuditEvent`].
pub trait EventKind: Copy + Debug + Eq + Hash + Send + Sync + 'static {
    /// Every kind, in the order of the source.
    const ALL: &'static [Self];

    /// Its action.
    fn action(self) -> Action;
}
