//! The names that the framework deals in: each a type of its own, each its text in JSON.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(String);

        impl $name {
            pub(crate) fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

names! {
    /// A user, by the opaque id that authentication gives.
    UserId
    /// A session. In a record it is its keyed hash.
    SessionId
    /// A role of a user.
    RoleName
    /// What a method asks for.
    Scope
}

/// A dotted path of lower-case words, at least two: `invoice.read`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct MethodPath(String);

const PATH_RULE: &str = "the path of a method is dotted lower-case words, at least two, such as `invoice.read`";

impl FromStr for MethodPath {
    type Err = &'static str;

    fn from_str(path: &str) -> Result<Self, &'static str> {
        let is_word = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        let is_path = path.len() <= 128 && path.contains('.') && path.split('.').all(is_word);
        if is_path { Ok(Self(path.to_owned())) } else { Err(PATH_RULE) }
    }
}

impl TryFrom<String> for MethodPath {
    type Error = &'static str;

    fn try_from(path: String) -> Result<Self, &'static str> {
        path.parse()
    }
}

impl From<MethodPath> for String {
    fn from(path: MethodPath) -> Self {
        path.0
    }
}

impl fmt::Display for MethodPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
