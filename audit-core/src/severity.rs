//! How grave something is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// How grave it is, from the least to the most. A record says it only where the program does.
///
/// ```
/// # use audit_core as audited;
/// use audited::Severity;
///
/// assert!(Severity::Warning > Severity::Notice);
/// assert_eq!("critical".parse(), Ok(Severity::Critical));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// What happens every day.
    Info,
    /// What is usual, and yet worth a look.
    Notice,
    /// What may be the start of something bad.
    Warning,
    /// What went wrong.
    Error,
    /// What somebody must see to now.
    Critical,
}

impl Severity {
    const ALL: [Self; 5] = [Self::Info, Self::Notice, Self::Warning, Self::Error, Self::Critical];

    /// The name in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = InvalidSeverity;

    fn from_str(name: &str) -> Result<Self, InvalidSeverity> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name).ok_or(InvalidSeverity)
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

/// Not the name of a [`Severity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error("a severity is `info`, `notice`, `warning`, `error` or `critical`")]
pub struct InvalidSeverity;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_its_name_and_has_an_order() {
        assert!(Severity::ALL.is_sorted());
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
            let json = serde_json::to_string(&severity).unwrap();
            assert_eq!(serde_json::from_str::<Severity>(&json).unwrap(), severity);
        }
        assert_eq!("Error".parse::<Severity>(), Err(InvalidSeverity));
        assert!(serde_json::from_str::<Severity>("\"fatal\"").is_err());
    }
}
