//! What was done: a stable, dotted name.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::__private::debug_as_display;
use crate::text::start;

/// The longest action, in bytes.
pub const MAX_ACTION_LEN: usize = 128;

/// A stable name for what was done, `noun.verb` by convention: `account.transfer`.
///
/// The rule is `^[A-Za-z][A-Za-z0-9_./-]*$`, at most [`MAX_ACTION_LEN`] bytes. Names outlive code: they are
/// what auditors search for years later, so they are never renamed in place.
///
/// ```
/// # use audit_core as audited;
/// use audited::Action;
///
/// const TRANSFER: Action = Action::new("account.transfer");
/// assert_eq!(TRANSFER.as_str(), "account.transfer");
/// assert!(Action::parse("2fa enabled").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Action {
    name: Cow<'static, str>,
    verbatim: bool,
}

impl Action {
    /// Makes an action from a literal; in a `const` the rule is checked by the compiler.
    ///
    /// # Panics
    ///
    /// When the name breaks the rule.
    pub const fn new(name: &'static str) -> Self {
        assert!(is_valid(name), "an action must match ^[A-Za-z][A-Za-z0-9_./-]*$ and have at most 128 bytes");
        Self { name: Cow::Borrowed(name), verbatim: false }
    }

    /// Takes a name that generated code has checked.
    pub(crate) const fn checked(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), verbatim: false }
    }

    /// Checks a name known only at run time.
    ///
    /// # Errors
    ///
    /// [`InvalidAction`] when the name breaks the rule.
    pub fn parse(name: impl Into<String>) -> Result<Self, InvalidAction> {
        let name = name.into();
        if is_valid(&name) {
            Ok(Self { name: Cow::Owned(name), verbatim: false })
        } else {
            Err(InvalidAction { name: shorten(name) })
        }
    }

    /// Takes a name as it is, for vocabularies that others own.
    ///
    /// A name that breaks the rule is written nevertheless, cut at [`MAX_ACTION_LEN`] bytes, and the record
    /// carries the flag `verbatim_action`.
    pub fn verbatim(name: impl Into<String>) -> Self {
        let name = name.into();
        let verbatim = !is_valid(&name);
        Self { name: Cow::Owned(shorten(name)), verbatim }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    pub(crate) fn breaks_the_rule(&self) -> bool {
        self.verbatim
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A name that is no action.
#[derive(Error)]
#[error("`{}` is not an action: it must match ^[A-Za-z][A-Za-z0-9_./-]*$ and have at most {MAX_ACTION_LEN} bytes", name.escape_debug())]
pub struct InvalidAction {
    name: String,
}

debug_as_display!(InvalidAction);

pub(crate) const fn is_valid(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_ACTION_LEN || !bytes[0].is_ascii_alphabetic() {
        return false;
    }
    let mut at = 1;
    while at < bytes.len() {
        if !(bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'_' | b'.' | b'/' | b'-')) {
            return false;
        }
        at += 1;
    }
    true
}

fn shorten(mut name: String) -> String {
    name.truncate(start(&name, MAX_ACTION_LEN).len());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_holds_at_its_edges() {
        for good in ["a", "A.b_c/d-9", &"x".repeat(MAX_ACTION_LEN)] {
            assert!(Action::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".a", "9a", "a b", "a\n", "é", &"x".repeat(MAX_ACTION_LEN + 1)] {
            assert!(Action::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn verbatim_flags_only_what_breaks_the_rule() {
        assert!(!Action::verbatim("pylon.cloud.provision").breaks_the_rule());
        assert!(Action::verbatim("two words").breaks_the_rule());
        let long = Action::verbatim("é".repeat(MAX_ACTION_LEN));
        assert_eq!(long.as_str().len(), MAX_ACTION_LEN);
    }
}
