//! Where a reading goes on, sealed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use super::Position;
use crate::__private::debug_as_display;
use crate::id::RecordId;
use crate::query::SortKey;

/// What a cursor is authenticated for, besides what it holds.
const PURPOSE: &[u8] = b"audited/cursor/1";
/// How many bytes a nonce has.
const NONCE: usize = 24;
/// The most characters of a cursor; a position that a store gives is bounded, too.
const MAX_CURSOR_CHARS: usize = 16 << 10;

/// Where a reading goes on: behind a page, or behind what has arrived so far.
///
/// It is a text that may be handed to clients and comes back from them. It is encrypted and authenticated with a key
/// that the store keeps, and bound to the scope of the reader and to all that the query asks: with another tenant, another
/// query or another store it is worth nothing. It does not expire; but what is asked by hashes is another query once a key
/// was rotated. Somebody else may go on with it where their reader may read that at all, and is recorded, too.
///
/// ```
/// # use audit_core as audited;
/// use audited::Cursor;
///
/// assert!("not a cursor".parse::<Cursor>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<u8>);

/// The secret that cursors of a store are sealed with. All processes that read the store share it.
///
/// `Debug` does not show it.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

/// What a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of the scope and the query.
    pub(super) fingerprint: [u8; 16],
    /// The record that says that the reading was begun, where there is one.
    pub(super) read: Option<RecordId>,
    /// A digest of who has begun it.
    pub(super) who: [u8; 16],
    pub(super) at: At,
}

/// A place in what is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Behind a record, in the order of the query.
    Page(SortKey),
    /// Behind what had arrived.
    Stream(Position),
}

impl CursorKey {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// When the operating system has no random bytes to give.
    pub fn random() -> std::io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(std::io::Error::from)?;
        Ok(Self(key))
    }

    /// Takes one that a store has kept.
    pub const fn from_bytes(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// What a store keeps.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a place. The same place gives the same cursor: the nonce is a digest of what is sealed, by a key of its own.
    pub(super) fn seal(&self, mark: &Mark) -> Cursor {
        let plain = mark.to_bytes();
        let nonce = XNonce::from(self.nonce(&plain));
        let sealed = self.cipher().encrypt(&nonce, Payload { msg: &plain, aad: PURPOSE });
        let sealed = sealed.unwrap_or_else(|_| unreachable!("a place is shorter than what the cipher can take"));
        Cursor([&nonce[..], &sealed].concat())
    }

    pub(super) fn open(&self, cursor: &Cursor) -> Option<Mark> {
        let (nonce, sealed) = cursor.0.split_at_checked(NONCE)?;
        let nonce = XNonce::from(<[u8; NONCE]>::try_from(nonce).ok()?);
        let plain = self.cipher().decrypt(&nonce, Payload { msg: sealed, aad: PURPOSE }).ok()?;
        Mark::from_bytes(&plain)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derived(b"audited/cursor/1/cipher").into())
    }

    fn nonce(&self, plain: &[u8]) -> [u8; NONCE] {
        let mac = keyed(&self.derived(b"audited/cursor/1/nonce"), plain);
        std::array::from_fn(|at| mac[at])
    }

    fn derived(&self, purpose: &[u8]) -> [u8; 32] {
        keyed(&self.0, purpose)
    }
}

fn keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

impl Mark {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.fingerprint, self.who].concat();
        bytes.push(u8::from(self.read.is_some()));
        bytes.extend(self.read.map(|id| *id.as_uuid().as_bytes()).unwrap_or_default());
        match &self.at {
            At::Page(key) => {
                bytes.push(0);
                bytes.extend(key.micros.to_be_bytes());
                bytes.extend(key.id.as_uuid().as_bytes());
            }
            At::Stream(position) => {
                bytes.push(1);
                bytes.extend(position.as_bytes());
            }
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (fingerprint, rest) = bytes.split_first_chunk()?;
        let (who, rest) = rest.split_first_chunk()?;
        let (has_read, rest) = rest.split_first()?;
        let (read, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let at = match kind {
            0 => {
                let (micros, id) = rest.split_first_chunk()?;
                At::Page(SortKey { micros: i64::from_be_bytes(*micros), id: RecordId::from_bytes(id.try_into().ok()?) })
            }
            1 => At::Stream(Position::from_bytes(rest)),
            _ => return None,
        };
        let read = (*has_read == 1).then(|| RecordId::from_bytes(*read));
        Some(Self { fingerprint: *fingerprint, read, who: *who, at })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({self})")
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        if text.len() > MAX_CURSOR_CHARS {
            return Err(InvalidCursor);
        }
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(|_| InvalidCursor)
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey")
    }
}

/// Not a cursor that this reader has given for this query.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("not a cursor of this reading: it goes on with the tenant, the query and the store that it was given for")]
pub struct InvalidCursor;

debug_as_display!(InvalidCursor);

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Vec<Mark> {
        let page = At::Page(SortKey { micros: -1, id: RecordId::new() });
        let stream = |bytes: &[u8]| At::Stream(Position::from_bytes(bytes));
        let mut marks = Vec::new();
        for at in [page, stream(b""), stream(b"12:15:13,14")] {
            for read in [None, Some(RecordId::new())] {
                marks.push(Mark { fingerprint: [7; 16], read, who: [9; 16], at: at.clone() });
            }
        }
        marks
    }

    #[test]
    fn a_cursor_holds_its_place_for_the_key_alone() {
        let (key, other) = (CursorKey::random().unwrap(), CursorKey::random().unwrap());
        for mark in marks() {
            let cursor = key.seal(&mark);
            let text = cursor.to_string();
            assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
            assert_eq!(key.open(&cursor), Some(mark.clone()));
            assert_eq!(key.seal(&mark), cursor, "the same place, the same text");
            assert_eq!(other.open(&cursor), None);
        }
    }

    #[test]
    fn no_bit_of_a_cursor_can_be_changed_and_no_byte_be_missing() {
        let key = CursorKey::from_bytes([3; 32]);
        for mark in marks() {
            let cursor = key.seal(&mark);
            for at in 0..cursor.0.len() * 8 {
                let mut changed = cursor.clone();
                changed.0[at / 8] ^= 1 << (at % 8);
                assert_eq!(key.open(&changed), None, "{at}");
            }
            for len in 0..cursor.0.len() {
                assert_eq!(key.open(&Cursor(cursor.0[..len].to_vec())), None);
            }
        }
    }
}
