//! Classification and redaction.

mod encoder;
mod foreign;
mod keys;
mod registry;
mod shown;

pub use encoder::{Array, Encoder, MAX_DEPTH, MAX_DETAIL_BYTES, MAX_FIELD_BYTES, Object, REDACTED, UNENCODABLE};
pub(crate) use encoder::{Notes, Redaction, note};
pub(crate) use keys::push_hex;
pub use keys::{InvalidKey, KeyRing, MIN_KEY_BYTES};
pub use registry::{Mode, SensitiveField, SensitiveType, sensitive_types};
pub use shown::{Dropped, Hashed, Plain};

/// A value about which somebody has decided what a record may show of it.
///
/// Integers, booleans, UUIDs, times and containers of classified values are classified; text, bytes, floats and
/// addresses are not, since nobody can tell what is in them. `#[derive(Sensitive)]` classifies a type: each field
/// is marked, or its own type is classified, or the derive does not compile.
///
/// An implementation by hand is a decision too: whatever it writes is in the record.
#[diagnostic::on_unimplemented(
    message = "nobody has decided what an audit record may show of `{Self}`",
    label = "not classified",
    note = "if it is your type: `#[derive(Sensitive)]`",
    note = "if it is a field: mark it `#[sensitive]` (dropped), `#[sensitive(hash)]` (keyed hash) or `#[sensitive(plain)]`",
    note = "if it is captured by `#[audited]`: write `drop(value)`, `hash(value)` or `plain(value)` there"
)]
pub trait Sensitive {
    /// Writes this value, redacted, as exactly one JSON value.
    fn write(&self, encoder: &mut Encoder<'_>);
}
