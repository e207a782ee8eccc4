//! Keys of the keyed hash.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use crate::__private::debug_as_display;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

/// The fewest bytes of a key.
pub const MIN_KEY_BYTES: usize = 32;

/// How many bytes of the MAC a record keeps: 128 bits are enough to find equal values.
const KEPT_BYTES: usize = 16;

/// The key for fields and identities that are kept as a hash, and former keys.
///
/// A hash is `hash:<key id>:<32 hex digits>`: the first half of HMAC-SHA-256 over the tenant, the scope and the value,
/// each framed by its length. Whoever lacks the key can neither reverse nor confirm a guess; whoever has it can find
/// equal values of the same tenant and scope.
///
/// # Rotation
///
/// Make the new key the current one and the old one a previous one. New records are hashed with the new key; what to
/// search for is [`KeyRing::hashes`], which has one hash for each key, so that old records are found as long as their
/// key is in the ring. Taking a key out makes what was hashed with it unfindable, for good.
///
/// ```
/// # use audit_core as audited;
/// use audited::KeyRing;
///
/// let keys = KeyRing::new("2026", [7; 32])?.previous("2025", [3; 32])?;
/// # Ok::<(), audited::InvalidKey>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    current: Key,
    previous: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: String,
    mac: Hmac<Sha256>,
}

impl KeyRing {
    /// Takes the key that new hashes are made with. Its id stands in every hash and is no secret.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] when the key has fewer than [`MIN_KEY_BYTES`] bytes, or the id is not one to 32 letters,
    /// digits, `-` or `_`.
    pub fn new(id: impl Into<String>, key: impl AsRef<[u8]>) -> Result<Self, InvalidKey> {
        Ok(Self { current: Key::new(id.into(), key.as_ref())?, previous: Vec::new() })
    }

    /// Adds a former key, so that hashes made with it are still found.
    ///
    /// # Errors
    ///
    /// As [`KeyRing::new`], and when the id is taken.
    pub fn previous(mut self, id: impl Into<String>, key: impl AsRef<[u8]>) -> Result<Self, InvalidKey> {
        let key = Key::new(id.into(), key.as_ref())?;
        if self.all().any(|known| known.id == key.id) {
            return Err(InvalidKey::Taken);
        }
        self.previous.push(key);
        Ok(self)
    }

    /// A ring of a random key.
    pub(crate) fn ephemeral() -> Self {
        // The standard library's hash keys are random.
        let random = || RandomState::new().hash_one(0).to_ne_bytes();
        let key = [random(), random(), random(), random()].concat();
        Self::new("ephemeral", key).unwrap_or_else(|_| unreachable!("32 bytes and a plain id"))
    }

    /// The id of the key that new hashes are made with.
    pub fn id(&self) -> &str {
        &self.current.id
    }

    /// The hash of `value` with the current key, as it stands in the records of `tenant` in fields of that scope.
    pub fn hash(&self, tenant: Option<&str>, scope: Option<&str>, value: &str) -> String {
        self.current.hash(tenant, scope, value)
    }

    /// The hashes of `value` with every key, the current one first: what to search for.
    pub fn hashes<'a>(
        &'a self,
        tenant: Option<&'a str>,
        scope: Option<&'a str>,
        value: &'a str,
    ) -> impl Iterator<Item = String> + 'a {
        self.all().map(move |key| key.hash(tenant, scope, value))
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn new(id: String, key: &[u8]) -> Result<Self, InvalidKey> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 32 || !id.bytes().all(plain) {
            return Err(InvalidKey::Id);
        }
        if key.len() < MIN_KEY_BYTES {
            return Err(InvalidKey::TooShort { bytes: key.len() });
        }
        let mac = Hmac::new_from_slice(key).map_err(|_| InvalidKey::TooShort { bytes: key.len() })?;
        Ok(Self { id, mac })
    }

    fn hash(&self, tenant: Option<&str>, scope: Option<&str>, value: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(b"audited/hash/1");
        // One byte tells nothing from an empty text; lengths keep the parts apart.
        for part in [tenant, scope, Some(value)] {
            let text = part.unwrap_or_default();
            mac.update(&[u8::from(part.is_some())]);
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        let mut text = format!("hash:{}:", self.id);
        push_hex(&mut text, &mac.finalize().into_bytes()[..KEPT_BYTES]);
        text
    }
}

/// A key or its id cannot be taken.
#[derive(Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// Too few bytes.
    #[error("a key has at least {MIN_KEY_BYTES} bytes, this one has {bytes}: make one with a random generator")]
    TooShort {
        /// How many it has.
        bytes: usize,
    },
    /// Not an id.
    #[error("a key's id is one to 32 letters, digits, `-` or `_`")]
    Id,
    /// Two keys with one id.
    #[error("a key with this id is already in the ring")]
    Taken,
}

debug_as_display!(InvalidKey);

pub(crate) fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_scope_and_value_are_framed() {
        let keys = KeyRing::new("k", [1; 32]).unwrap();
        let parts = [None, Some(""), Some("a"), Some("ab")];
        let mut hashes = std::collections::BTreeSet::new();
        for (tenant, scope) in parts.iter().flat_map(|tenant| parts.map(|scope| (tenant, scope))) {
            for value in ["", "a", "ab"] {
                assert!(hashes.insert(keys.hash(*tenant, scope, value)), "{tenant:?} {scope:?} {value}");
            }
        }
    }

    #[test]
    fn a_former_key_still_finds() {
        let old = KeyRing::new("old", [1; 32]).unwrap();
        let new = KeyRing::new("new", [2; 32]).unwrap().previous("old", [1; 32]).unwrap();
        assert!(new.hashes(None, None, "x").any(|hash| hash == old.hash(None, None, "x")));
        assert_ne!(new.hash(None, None, "x"), old.hash(None, None, "x"));
    }

    #[test]
    fn a_hash_is_hmac_sha256_as_documented() {
        let keys = KeyRing::new("k", [7; 32]).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(b"audited/hash/1");
        mac.update(b"\x01\0\0\0\0\0\0\0\x04acme");
        mac.update(b"\x00\0\0\0\0\0\0\0\0");
        mac.update(b"\x01\0\0\0\0\0\0\0\x01x");
        let mut expected = String::from("hash:k:");
        push_hex(&mut expected, &mac.finalize().into_bytes()[..16]);
        assert_eq!(keys.hash(Some("acme"), None, "x"), expected);
    }

    #[test]
    fn weak_keys_bad_ids_and_doubles_are_refused() {
        assert!(matches!(KeyRing::new("k", [0; 31]), Err(InvalidKey::TooShort { bytes: 31 })));
        assert!(matches!(KeyRing::new("a:b", [0; 32]), Err(InvalidKey::Id)));
        assert!(matches!(KeyRing::new("k", [0; 32]).unwrap().previous("k", [1; 32]), Err(InvalidKey::Taken)));
    }
}
