//! Names that stand in SQL.

use std::fmt;

use super::error::PostgresError;

/// A name that can stand in quotes anywhere, whatever is around it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn parse(name: &str) -> Result<Self, PostgresError> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) || name.starts_with("pg_") {
            let what = "a name is 1 to 40 lower-case letters, digits and underscores, and does not begin with `pg_`";
            return Err(PostgresError::Options(what, None));
        }
        Ok(Self(name.to_owned()))
    }

    /// Without the quotes.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Another name that begins so.
    pub(super) fn with(&self, ending: &str) -> Self {
        Self(format!("{}{ending}", self.0))
    }
}

impl Default for Name {
    fn default() -> Self {
        Self("audited".into())
    }
}

/// In quotes.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}
