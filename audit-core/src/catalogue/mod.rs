//! What a binary records: every action linked into it, where it is declared, and what its records show.

mod collect;
pub(crate) mod collision;
mod export;
mod prefixed;
pub(crate) mod registered;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use collect::actions;
pub use collect::catalogue;

/// What a binary records. See [`catalogue`].
///
/// Sorted, and the same for the same code, whatever the linker did; so that two of them can be compared as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Catalogue {
    /// Every action: by name, then by where it is declared.
    pub actions: Vec<CatalogueAction>,
    /// The types that derive `Sensitive`, whose marks hold wherever they are captured.
    pub types: Vec<CatalogueType>,
    /// The errors that derive `Deny`: which denials and failures there can be.
    pub errors: Vec<CatalogueError>,
    /// The functions that are declared not to be audited.
    pub exemptions: Vec<CatalogueExemption>,
}

/// An action, declared at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a word that was said or not")]
pub struct CatalogueAction {
    /// Its name.
    pub action: String,
    /// What declares it.
    pub origin: Origin,
    /// Where that is.
    #[serde(flatten)]
    pub place: Place,
    /// The first line of its documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// The version in which it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whether it is no longer to be used.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// What it was called before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
    /// What its payload can hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<CatalogueField>,
    /// Of a function, what happens when its record is not acknowledged: `fail_open` or `fail_closed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whether an intent is written before the body runs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub intent: bool,
    /// Of a function, whether a success is recorded in a transaction of its caller's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub transaction: bool,
    /// What says how it was decided and how it ended: of a function a guard, the type that it returns, a closure; of an
    /// event its mark and code, such as `denied unknown_token`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_by: Vec<String>,
    /// Where it may be recorded from, if not everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<String>,
    /// How grave it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Whether several places may declare it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// Whether it is left out of the lock.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unlocked: bool,
    /// Of an event, whether its vocabulary is only nested with a prefix in others: their actions are in the catalogue,
    /// too, and another may have the name of this one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prefixed: bool,
}

/// What declares an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// A variant of an enum that derives `AuditEvent`.
    Event,
    /// A function with `#[audited]`.
    Function,
}

impl Origin {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Function => "function",
        }
    }
}

/// Where in the source something is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The package.
    pub package: String,
    /// The module, with its crate.
    pub module: String,
    /// The function, or the enum and its variant: `UserEvent::Created`.
    pub item: String,
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
}

impl fmt::Display for Place {
    /// For people: `bank::api::transfer (src/api.rs:41, package bank)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, module, item, file, line } = self;
        write!(f, "{module}::{item} ({file}:{line}, package {package})")
    }
}

/// A field of a payload or of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueField {
    /// Its key in the record; of an enum's field in [`CatalogueType`], the variant before it: `Card.number`.
    pub key: String,
    /// Its type as it is written, where that is known.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// What is done to it, such as `plain`, `drop` or `mask(first = 2)`; nothing where its own type decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// What kind of data it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What its hash can be compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// A type that derives `Sensitive`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueType {
    /// Its package.
    pub package: String,
    /// Its module.
    pub module: String,
    /// Its name, without generic parameters.
    pub name: String,
    /// Its fields.
    pub fields: Vec<CatalogueField>,
}

/// An error that derives `Deny`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueError {
    /// Its package.
    pub package: String,
    /// Its module.
    pub module: String,
    /// Its name, without generic parameters.
    pub name: String,
    /// Why it denies.
    pub reasons: Vec<String>,
    /// How else a call can fail with it.
    pub codes: Vec<String>,
}

/// A function with `#[not_audited]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueExemption {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// Why it is not audited.
    pub reason: String,
    /// The first line of its documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
