//! What the derives of all linked crates have registered.

use std::ops::Range;

use super::Mode;
use super::encoder::DROPPED;

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
    entries: &'static [Entry],
}

/// A field of a [`SensitiveType`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SensitiveField {
    /// The variant, where the type is an enum.
    pub variant: Option<&'static str>,
    /// The name in Rust; the position in a tuple.
    pub name: &'static str,
    /// The key in the record.
    pub key: &'static str,
    /// Its type, as it is written.
    pub ty: &'static str,
    /// What is done to it; `None` where its own type decides.
    pub mode: Option<Mode>,
    /// What kind of data it is, by which a policy can name it.
    pub class: Option<&'static str>,
    /// What its keyed hash can be compared with: the fields of the same scope.
    pub scope: Option<&'static str>,
}

impl SensitiveType {
    #[doc(hidden)]
    pub const fn new(
        package: &'static str,
        module: &'static str,
        name: &'static str,
        serialized: &'static str,
        entries: &'static [Entry],
    ) -> Self {
        Self { package, module, name, serialized, entries }
    }

    /// The fields that can be in a record, in the order of the source; of an enum, those of all variants.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = SensitiveField> + Clone + use<> {
        self.entries.iter().map(|entry| Known(entry).field())
    }

    #[inline]
    pub(super) fn known(&self, at: Range<usize>) -> impl Iterator<Item = Known> + use<> {
        self.entries[at].iter().map(Known)
    }

    pub(super) fn field_at(&self, at: usize) -> Known {
        Known(&self.entries[at])
    }
}

/// What a derive writes down of a field: its variant, if it is of one, a blank, and its type; what stands in the record where
/// that is known, `,"key":` or, of a field that is dropped, `,"key":"<redacted>"`; and what else is said of it.
///
/// There is one for each field of a user's program. Bare data is what costs the compiler least: no calls, which it would
/// have to evaluate, and no names of fields, which it would have to look up.
type Entry = (&'static str, &'static str, Said);

/// What is said of a field.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Said {
    /// Nothing: its own type decides.
    Typed,
    /// What is done to it.
    As(Mode),
    /// More than that.
    More(&'static More),
}

impl Said {
    pub const PLAIN: Self = Self::As(Mode::Plain);
    pub const DROPPED: Self = Self::As(Mode::Drop);

    #[inline]
    pub(crate) const fn mode(self) -> Option<Mode> {
        match self {
            Self::Typed => None,
            Self::As(mode) => Some(mode),
            Self::More(more) => more.mode,
        }
    }

    pub(crate) const fn scope(self) -> Option<&'static str> {
        match self {
            Self::More(more) => more.scope,
            Self::Typed | Self::As(_) => None,
        }
    }
}

/// What is said of a field that is not like most.
#[doc(hidden)]
#[derive(Debug)]
pub struct More {
    /// The name in Rust.
    pub name: &'static str,
    /// The key in the record.
    pub key: &'static str,
    pub mode: Option<Mode>,
    pub class: Option<&'static str>,
    pub scope: Option<&'static str>,
}

/// A field as the derive has written it down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known(&'static Entry);

impl Known {
    /// `,"key":`, where the key needs no escaping, or `,"key":"<redacted>"` of a field that is dropped and like most;
    /// otherwise nothing.
    #[inline]
    pub(super) const fn ready(self) -> &'static str {
        self.0.1
    }

    /// The same without the value.
    pub(super) fn ready_key(self) -> &'static str {
        self.0.1.strip_suffix(DROPPED).unwrap_or(self.0.1)
    }

    /// What is said of it.
    #[inline]
    pub(super) const fn said(self) -> &'static Said {
        &self.0.2
    }

    #[inline]
    pub(super) const fn mode(self) -> Option<Mode> {
        self.0.2.mode()
    }

    #[inline]
    pub(super) const fn has_ready_key(self) -> bool {
        !self.0.1.is_empty()
    }

    pub(super) fn key(self) -> &'static str {
        match self.0.2 {
            Said::More(more) => more.key,
            Said::Typed | Said::As(_) => {
                let key = self.ready_key().strip_prefix(",\"").and_then(|key| key.strip_suffix("\":"));
                key.unwrap_or_default()
            }
        }
    }

    pub(super) const fn scope(self) -> Option<&'static str> {
        self.0.2.scope()
    }

    pub(super) fn field(self) -> SensitiveField {
        let (place, _, said) = *self.0;
        let (variant, ty) = place.split_once(' ').unwrap_or_default();
        let (name, class) = match said {
            Said::More(more) => (more.name, more.class),
            Said::Typed | Said::As(_) => (self.key(), None),
        };
        SensitiveField {
            variant: Some(variant).filter(|variant| !variant.is_empty()),
            name,
            key: self.key(),
            ty,
            mode: self.mode(),
            class,
            scope: self.scope(),
        }
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
