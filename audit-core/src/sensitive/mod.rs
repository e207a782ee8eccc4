//! Classification and redaction.

mod apply;
mod care;
mod compound;
mod debug;
mod encoder;
mod foreign;
mod frame;
mod keys;
mod limits;
mod mode;
mod names;
mod notes;
mod object;
mod output;
mod path;
mod plain;
mod policy;
mod raw;
mod redaction;
mod registry;
mod shown;

pub use debug::debug;
pub use encoder::{Encoder, REDACTED, UNENCODABLE};
pub(crate) use keys::push_hex;
pub use keys::{InvalidKey, KeyRing, MIN_KEY_BYTES};
pub use limits::{DEFAULT_DEPTH, DEFAULT_DETAIL_BYTES, DEFAULT_ENTRIES, DEFAULT_FIELD_BYTES, Limits};
pub use mode::{InvalidMode, Mode};
pub(crate) use notes::{Notes, Paths, leads_to};
pub use object::{Array, Members, Object};
pub use plain::{PlainError, PlainSerializer};
pub use policy::{InvalidPolicy, PolicyRule, RedactionPolicy};
pub(crate) use redaction::{Redaction, Rules};
pub use registry::{More, RegisteredType, Said, SensitiveField, SensitiveType, sensitive_types};
pub use shown::{Custom, Declared, Dropped, ErrorIsNot, ErrorIsSensitive, OfError, Plain, Shown, ViaSerialize, With};

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
    note = "if it is a field or a parameter: mark it `#[sensitive]` (dropped), `#[sensitive(hash)]`, `#[sensitive(mask(last = 4))]`, …, or `#[sensitive(plain)]`",
    note = "if it is captured by `#[audited]`: write `drop(value)`, `hash(value)`, `mask(value, last = 4)`, … or `plain(value)` there"
)]
pub trait Sensitive {
    /// Writes this value, redacted, as exactly one JSON value.
    fn write(&self, encoder: &mut Encoder<'_>);

    /// The text that it writes, where that is all there is to it: an identity need not be encoded for that.
    #[doc(hidden)]
    fn plain_text(&self) -> Option<&str> {
        None
    }
}

/// A mode of your own: what a record may show of a `T`, where a field says `#[sensitive(with = …)]`.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Encoder, Redactor};
///
/// /// Of an e-mail address the domain.
/// struct Domain;
///
/// impl Redactor<String> for Domain {
///     fn redact(address: &String, encoder: &mut Encoder<'_>) {
///         match address.split_once('@') {
///             Some((_, domain)) => encoder.remainder(domain),
///             None => encoder.redacted(),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what an audit record may show of `{T}`",
    label = "no `Redactor<{T}>`",
    note = "implement `Redactor<{T}>` for `{Self}`"
)]
pub trait Redactor<T: ?Sized> {
    /// Whether it describes a foreign type field by field, each with a mark of its own.
    #[doc(hidden)]
    const REMOTE: bool = false;

    /// Writes what may be shown, as exactly one JSON value. The path is listed among what was redacted.
    fn redact(value: &T, encoder: &mut Encoder<'_>);
}

/// Gives what a getter returns as a reference to the field's type.
pub const fn constrain<T: ?Sized>(value: &T) -> &T {
    value
}
