//! What the linker collected besides sites and types: vocabularies, errors, exemptions.

use crate::sensitive::SensitiveType;

/// A vocabulary, as its derive describes it.
#[doc(hidden)]
#[derive(Debug)]
pub struct EventType {
    /// Its package, module, name, and the modes of its fields.
    pub ty: &'static SensitiveType,
    pub file: &'static str,
    pub line: u32,
    /// Whether it is left out of the lock.
    pub unlocked: bool,
    pub words: &'static [Word],
    pub nested: &'static [NestedType],
}

/// A vocabulary in a variant of another.
#[doc(hidden)]
#[derive(Debug)]
pub struct NestedType {
    pub variant: &'static str,
    /// What stands before each of its names; empty where they are as they are.
    pub prefix: &'static str,
    /// The vocabulary; none that was not derived.
    pub of: fn() -> Option<&'static EventType>,
}

/// One action of a vocabulary. What is not said is empty.
#[doc(hidden)]
#[derive(Debug)]
pub struct Word {
    pub variant: &'static str,
    pub action: &'static str,
    /// The first line of the doc comment.
    pub doc: &'static str,
    /// What it was called before.
    pub was: &'static [&'static str],
    pub since: &'static str,
    pub deprecated: bool,
    /// Whether others may declare the same action.
    pub shared: bool,
    pub only_from: &'static str,
    pub severity: &'static str,
    /// The mark and its code: `denied unknown_token`.
    pub verdict: &'static str,
}

/// An error that says what it is: the codes of its denials and failures.
#[doc(hidden)]
#[derive(Debug)]
pub struct ErrorType {
    pub package: &'static str,
    pub module: &'static str,
    pub name: &'static str,
    pub reasons: &'static [&'static str],
    pub codes: &'static [&'static str],
}

/// A function that is not audited, and why.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exempt {
    pub package: &'static str,
    pub module: &'static str,
    pub function: &'static str,
    pub file: &'static str,
    pub line: u32,
    pub reason: &'static str,
    pub doc: &'static str,
}

#[doc(hidden)]
#[derive(Debug)]
pub struct RegisteredEvent(pub &'static EventType);
#[doc(hidden)]
#[derive(Debug)]
pub struct RegisteredError(pub &'static ErrorType);
#[doc(hidden)]
#[derive(Debug)]
pub struct RegisteredExemption(pub &'static Exempt);

inventory::collect!(RegisteredEvent);
inventory::collect!(RegisteredError);
inventory::collect!(RegisteredExemption);
