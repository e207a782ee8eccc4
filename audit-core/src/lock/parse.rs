//! From the text to the lock.

use std::ops::Range;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::model::{Lock, LockedPackage};
use crate::__private::debug_as_display;

/// The version of the format that this version of the framework reads and writes.
pub(super) const VERSION: i64 = 1;

/// A text is no lock.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidLock {
    /// Two branches changed the same lines.
    #[error(
        "line {line}: a conflict of a merge: resolve it by taking both sides, then run `AUDIT_LOCK=update cargo test`"
    )]
    Conflict {
        /// Where it begins, from 1.
        line: usize,
    },
    /// It is not what a lock looks like.
    #[error("line {line}: {message}: mend it; of what is there twice, keep one")]
    Syntax {
        /// Where, from 1.
        line: usize,
        /// What.
        message: String,
    },
    /// It comes from another version of the framework.
    #[error(
        "line {line}: version {found}, and this version of `audited` knows version 1: use the version that wrote it"
    )]
    Version {
        /// Where, from 1.
        line: usize,
        /// What it says.
        found: i64,
    },
    /// A reason is asked for, and there is none.
    #[error("`{key}` of the package `{package}` has no reason: write why")]
    NoReason {
        /// The package.
        package: String,
        /// The action that is retired, or the change that is accepted, with the table before it.
        key: String,
    },
}

debug_as_display!(InvalidLock);

impl FromStr for Lock {
    type Err = InvalidLock;

    /// Reads a lock, in whatever order it is.
    fn from_str(text: &str) -> Result<Self, InvalidLock> {
        if let Some(line) = text.lines().position(is_conflict) {
            return Err(InvalidLock::Conflict { line: line + 1 });
        }
        let invalid = |error: &toml::de::Error| InvalidLock::Syntax {
            line: line_of(text, error.span()),
            message: error.message().replace('\n', ", "),
        };
        // The version says how the rest is to be understood, so it comes first.
        let head: Head = toml::from_str(text).map_err(|error| invalid(&error))?;
        let found = *head.version.get_ref();
        if found != VERSION {
            return Err(InvalidLock::Version { line: line_of(text, Some(head.version.span())), found });
        }
        let whole: Whole = toml::from_str(text).map_err(|error| invalid(&error))?;
        let mut lock = Self { packages: whole.package };
        reasons(&lock)?;
        lock.sort();
        Ok(lock)
    }
}

#[derive(Deserialize)]
struct Head {
    version: toml::Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    #[serde(default)]
    package: std::collections::BTreeMap<String, LockedPackage>,
}

fn reasons(lock: &Lock) -> Result<(), InvalidLock> {
    for (package, section) in &lock.packages {
        let retired = section.retired.iter().map(|(name, retired)| ("retired", name, &retired.reason));
        let accept = section.accept.iter().map(|(key, accept)| ("accept", key, &accept.reason));
        if let Some((table, key, _)) = retired.chain(accept).find(|(.., reason)| !says_something(reason)) {
            return Err(InvalidLock::NoReason { package: package.clone(), key: format!("{table}.{key}") });
        }
    }
    Ok(())
}

/// What a message leaves open to be written is no reason.
fn says_something(reason: &str) -> bool {
    reason.chars().any(char::is_alphanumeric)
}

/// None of these begins a line of TOML, but in a text of several lines, of which a lock has none.
fn is_conflict(line: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker))
}

fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> InvalidLock {
        text.parse::<Lock>().unwrap_err()
    }

    #[test]
    fn a_conflict_is_named_with_its_line_and_the_mend() {
        let text = "version = 1\n\n<<<<<<< ours\n[package.a]\n=======\n[package.b]\n>>>>>>> theirs\n";
        assert_eq!(refused(text), InvalidLock::Conflict { line: 3 });
        assert!(refused(text).to_string().contains("taking both sides"), "{}", refused(text));
    }

    #[test]
    fn broken_text_is_named_with_its_line() {
        for (text, at) in [
            ("version = 1\n[package", 2),
            ("version = 1\n[package.a.action.x]\nfrom = 3\n", 3),
            (
                "version = 1\n[package.a.action.x]\nfrom = [\"event a::E::X\"]\nfields = [{ key = \"a\", mod = \"drop\" }]\n",
                4,
            ),
            ("version = 1\n[package.a.retired.x]\nreason = \"a\"\n[package.a.retired.x]\nreason = \"b\"\n", 4),
            ("version = 1\n[packages.a]\n", 2),
        ] {
            match refused(text) {
                InvalidLock::Syntax { line, message } => assert_eq!(line, at, "{message}: {text}"),
                other => panic!("{other}"),
            }
        }
        assert!(matches!(refused(""), InvalidLock::Syntax { line: 1, .. }));
    }

    #[test]
    fn another_version_is_refused_whatever_else_it_has() {
        let text = "# a comment\nversion = 2\nnovelty = true\n";
        assert_eq!(refused(text), InvalidLock::Version { line: 2, found: 2 });
    }

    #[test]
    fn a_blank_reason_is_none() {
        let text = "version = 1\n[package.a.retired.\"x.y\"]\nreason = \" \"\n";
        assert_eq!(refused(text), InvalidLock::NoReason { package: "a".into(), key: "retired.x.y".into() });
        assert!(matches!(refused(&text.replace("\" \"", "\"…\"")), InvalidLock::NoReason { .. }));
        assert!(matches!(refused(&text.replace("retired", "accept")), InvalidLock::NoReason { .. }));
    }

    #[test]
    fn the_order_and_the_ends_of_lines_do_not_matter() {
        let one = "version = 1\n[package.a.error.x]\ncodes = [\"b\", \"a\"]\n[package.b]\n";
        let other = "version = 1\r\n[package.b]\r\n[package.a.error.x]\r\ncodes = [\"a\", \"b\"]\r\n";
        assert_eq!(one.parse::<Lock>(), other.parse::<Lock>());
    }
}
