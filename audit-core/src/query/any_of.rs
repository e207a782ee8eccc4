//! Texts of which any may stand at a place.

use std::fmt;

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::id::RecordId;
use crate::record::cut_identity;
use crate::sensitive::KeyRing;

/// Texts of which any may stand at a place: one, several, or the hashes of one by every key of a ring. None at all is
/// found nowhere.
///
/// `Debug` tells how many there are: what somebody searches for may be as sensitive as what is found.
///
/// ```
/// # use audit_core as audited;
/// use audited::{AnyOf, KeyRing, Query};
///
/// let keys = KeyRing::new("2026", [7; 32])?.previous("2025", [3; 32])?;
/// let plain = Query::new().user("u-17");
/// let several = Query::new().user(AnyOf::from_iter(["u-17", "u-18"]));
/// let hashed = Query::new().user(AnyOf::hashed(&keys, Some("acme"), None, "ann@example.org"));
/// # Ok::<(), audited::InvalidKey>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AnyOf(Vec<String>);

impl AnyOf {
    /// What records keep of a text that is hashed: of that tenant, and of the scope that the field declares; identities
    /// have no scope. Every key of the ring is tried, so that records from before a rotation are found, too.
    pub fn hashed(keys: &KeyRing, tenant: Option<&str>, scope: Option<&str>, text: &str) -> Self {
        Self(keys.hashes(tenant, scope, text).collect())
    }

    /// The texts.
    pub fn texts(&self) -> &[String] {
        &self.0
    }

    /// Whether this is one of them.
    pub fn contains(&self, text: &str) -> bool {
        self.0.iter().any(|any| any == text)
    }

    /// Identities as a record shows them: of a long one the start and a digest.
    pub(crate) fn shown(self) -> Self {
        Self(self.0.into_iter().map(|text| cut_identity(&text).unwrap_or(text)).collect())
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }
}

impl From<&str> for AnyOf {
    fn from(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }
}

impl From<String> for AnyOf {
    fn from(text: String) -> Self {
        Self(vec![text])
    }
}

impl From<&String> for AnyOf {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

macro_rules! from_displayed {
    ($($ty:ty)*) => {$(
        impl From<$ty> for AnyOf {
            fn from(value: $ty) -> Self {
                value.to_string().into()
            }
        }
    )*};
}

from_displayed! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize Uuid RecordId }

impl<T: Into<String>> FromIterator<T> for AnyOf {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        Self(texts.into_iter().map(Into::into).collect())
    }
}

impl fmt::Debug for AnyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyOf({})", self.0.len())
    }
}

/// For the fingerprint of a query; a list keeps the texts apart.
impl Serialize for AnyOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
