//! What the derives of all linked crates have registered.

use std::fmt;

/// What is done to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// The value is written through its own `Serialize`, as declared.
    Plain,
    /// The value is replaced by `"<redacted>"`.
    Drop,
    /// The value is replaced by its keyed hash.
    Hash,
}

impl Mode {
    /// The name, as in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Drop => "drop",
            Self::Hash => "hash",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A type that derives `Sensitive`, as the linker collected it.
#[derive(Debug)]
#[non_exhaustive]
pub struct SensitiveType {
    /// The package that declares it.
    pub package: &'static str,
    /// The module that declares it.
    pub module: &'static str,
    /// Its name, without generic parameters: a generic type registers once.
    pub name: &'static str,
    /// Its fields in the order of the source; of an enum, those of all variants.
    pub fields: &'static [SensitiveField],
}

/// A field of a [`SensitiveType`].
#[derive(Debug)]
#[non_exhaustive]
pub struct SensitiveField {
    /// The variant, where the type is an enum.
    pub variant: Option<&'static str>,
    /// The name in Rust; the position in a tuple.
    pub name: &'static str,
    /// The key in the record.
    pub key: &'static str,
    /// What is done to it; `None` where its own type decides.
    pub mode: Option<Mode>,
}

impl SensitiveType {
    #[doc(hidden)]
    pub const fn new(
        package: &'static str,
        module: &'static str,
        name: &'static str,
        fields: &'static [SensitiveField],
    ) -> Self {
        Self { package, module, name, fields }
    }
}

impl SensitiveField {
    #[doc(hidden)]
    pub const fn new(variant: Option<&'static str>, name: &'static str, key: &'static str, mode: Option<Mode>) -> Self {
        Self { variant, name, key, mode }
    }
}

inventory::collect!(SensitiveType);

/// Every linked type that derives `Sensitive`, sorted by module and name.
pub fn sensitive_types() -> Vec<&'static SensitiveType> {
    let mut types: Vec<_> = inventory::iter::<SensitiveType>().collect();
    types.sort_by_key(|entry| (entry.module, entry.name));
    types
}
