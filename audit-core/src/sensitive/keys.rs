//! Keys of the keyed hash.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

/// The fewest bytes of a key.
pub const MIN_KEY_BYTES: usize = 32;

/// How many bytes of the MAC a record keeps: 128 bits are enough to find equal values.
const KEPT_BYTES: usize = 16;

/// The key for fields and identities that are kept as a hash, and former keys.
///
/// A hash is `hash:<key id>:<32 hex digits>` of HMAC-SHA-256 over the tenant and the value, each framed by its
/// length. Whoever lacks the key can neither reverse nor confirm a guess; whoever has it can find equal values.
///
/// ```
/// use audit_core::KeyRing;
///
/// let keys = KeyRing::new("2026", [7; 32])?.previous("2025", [3; 32])?;
/// # Ok::<(), audit_core::InvalidKey>(())
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

    /// A ring that lives and dies with the process, to compare values that are not shown.
    pub(crate) fn ephemeral() -> &'static Self {
        static RING: LazyLock<KeyRing> = LazyLock::new(|| {
            // The standard library's hash keys are random.
            let random = || RandomState::new().hash_one(0).to_ne_bytes();
            let key = [random(), random(), random(), random()].concat();
            KeyRing::new("ephemeral", key).unwrap_or_else(|_| unreachable!("32 bytes and a plain id"))
        });
        &RING
    }

    /// The hash of `value` with the current key, as it stands in the records of `tenant`.
    pub fn hash(&self, tenant: Option<&str>, value: &str) -> String {
        self.current.hash(tenant, value)
    }

    /// The hashes of `value` with every key, the current one first: what to search for.
    pub fn hashes<'a>(&'a self, tenant: Option<&'a str>, value: &'a str) -> impl Iterator<Item = String> + 'a {
        self.all().map(move |key| key.hash(tenant, value))
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

    fn hash(&self, tenant: Option<&str>, value: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(b"audited/hash/1");
        // One byte tells no tenant from an empty one; lengths keep the parts apart.
        mac.update(&[u8::from(tenant.is_some())]);
        for part in [tenant.unwrap_or_default(), value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let mut text = format!("hash:{}:", self.id);
        push_hex(&mut text, &mac.finalize().into_bytes()[..KEPT_BYTES]);
        text
    }
}

/// A key or its id cannot be taken.
#[derive(Debug, Error)]
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
    fn tenant_and_value_are_framed() {
        let keys = KeyRing::new("k", [1; 32]).unwrap();
        let hashes = [(None, "ab"), (Some(""), "ab"), (Some("a"), "b"), (Some("ab"), "")]
            .map(|(tenant, value)| keys.hash(tenant, value));
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{hash}");
        }
    }

    #[test]
    fn a_former_key_still_finds() {
        let old = KeyRing::new("old", [1; 32]).unwrap();
        let new = KeyRing::new("new", [2; 32]).unwrap().previous("old", [1; 32]).unwrap();
        assert!(new.hashes(None, "x").any(|hash| hash == old.hash(None, "x")));
        assert_ne!(new.hash(None, "x"), old.hash(None, "x"));
    }

    #[test]
    fn a_hash_is_hmac_sha256_as_documented() {
        // echo -n: "audited/hash/1" 00 0000000000000000 0000000000000001 "x", key 32 times 0x07.
        let keys = KeyRing::new("k", [7; 32]).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(b"audited/hash/1\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01x");
        let mut expected = String::from("hash:k:");
        push_hex(&mut expected, &mac.finalize().into_bytes()[..16]);
        assert_eq!(keys.hash(None, "x"), expected);
    }

    #[test]
    fn weak_keys_bad_ids_and_doubles_are_refused() {
        assert!(matches!(KeyRing::new("k", [0; 31]), Err(InvalidKey::TooShort { bytes: 31 })));
        assert!(matches!(KeyRing::new("a:b", [0; 32]), Err(InvalidKey::Id)));
        assert!(matches!(KeyRing::new("k", [0; 32]).unwrap().previous("k", [1; 32]), Err(InvalidKey::Taken)));
    }
}
