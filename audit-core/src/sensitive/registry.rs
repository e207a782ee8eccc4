//! What the derives of all linked crates have registered.

use super::Mode;

/// A type that derives `Sensitive` or `AuditEvent`, as the linker collected it.
#[derive(Debug)]
#[non_exhaustive]
pub struct SensitiveType {
    /// The package that declares it.
    pub package: &'static str,
    /// The module that declares it.
    pub module: &'static str,
    /// Its name, without generic parameters: a generic type registers once.
    pub name: &'static str,
    /// The name that it has for serde.
    pub serialized: &'static str,
    /// The fields that can be in a record, in the order of the source; of an enum, those of all variants.
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
    /// What kind of data it is, by which a policy can name it.
    pub class: Option<&'static str>,
    /// What its keyed hash can be compared with: the fields of the same scope.
    pub scope: Option<&'static str>,
    /// `,"key":`, where the key needs no escaping; otherwise nothing.
    pub(super) json: &'static str,
    /// Whether its key is ready and its value is written as its type says.
    pub(super) at_once: bool,
}

impl SensitiveType {
    #[doc(hidden)]
    pub const fn new(
        package: &'static str,
        module: &'static str,
        name: &'static str,
        serialized: &'static str,
        fields: &'static [SensitiveField],
    ) -> Self {
        Self { package, module, name, serialized, fields }
    }
}

impl SensitiveField {
    #[doc(hidden)]
    pub const fn new(
        variant: Option<&'static str>,
        name: &'static str,
        key: &'static str,
        json: &'static str,
        mode: Option<Mode>,
    ) -> Self {
        let at_once = !json.is_empty() && matches!(mode, None | Some(Mode::Plain | Mode::Custom(_)));
        Self { variant, name, key, mode, class: None, scope: None, json, at_once }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn class(mut self, class: &'static str) -> Self {
        self.class = Some(class);
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn scope(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }
}

/// A [`SensitiveType`] as `inventory` wants it.
#[derive(Debug)]
pub struct RegisteredType(pub &'static SensitiveType);

inventory::collect!(RegisteredType);

/// Every linked type that derives `Sensitive` or `AuditEvent`, sorted by module and name.
pub fn sensitive_types() -> Vec<&'static SensitiveType> {
    let mut types: Vec<_> = inventory::iter::<RegisteredType>().map(|entry| entry.0).collect();
    types.sort_by_key(|entry| (entry.module, entry.name));
    types
}
