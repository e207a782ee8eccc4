//! The redacting encoder: the one way by which a payload enters a record.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::keys::push_hex;
use super::{KeyRing, Sensitive};
use crate::contain::contained;
use crate::json::{self, Unwritten};
use crate::text::start as start_of;

/// What stands where a value was dropped.
pub const REDACTED: &str = "<redacted>";
/// What stands where a value could not be encoded.
pub const UNENCODABLE: &str = "<unencodable>";
/// What stands where a value lies too deep.
const TOO_DEEP: &str = "<too deep>";
/// How deep a payload may nest.
pub const MAX_DEPTH: usize = 64;
/// The most bytes of JSON that one field of a detail takes.
pub const MAX_FIELD_BYTES: usize = 16 * 1024;
/// The most bytes of JSON that a whole detail takes, apart from the marks that stand for what was cut.
pub const MAX_DETAIL_BYTES: usize = 64 * 1024;

/// Writes one value as JSON and redacts while it writes.
///
/// A [`Sensitive`] implementation gets one and says what each part is: classified ([`Encoder::value`]), declared
/// plain ([`Encoder::plain`]), dropped ([`Encoder::redacted`]), hashed ([`Encoder::hashed`]).
///
/// Each method writes one whole value. A value calls exactly one of them: further ones are ignored, none at all
/// leaves `"<unencodable>"`, and the record is flagged for either.
#[derive(Debug)]
pub struct Encoder<'a> {
    out: String,
    redaction: Redaction<'a>,
    path: String,
    notes: Notes,
    depth: usize,
    /// Whether the value that is due has been written.
    filled: bool,
}

/// The most paths that a record lists, of redacted and of cut fields each.
const MAX_PATHS: usize = 64;

/// The most bytes of a key of the detail, and of a path.
const MAX_KEY_BYTES: usize = 256;

/// What redaction needs to know of the record. Opaque outside of this crate.
#[derive(Clone, Copy, Default)]
pub struct Redaction<'a> {
    pub(crate) keys: Option<&'a KeyRing>,
    pub(crate) tenant: Option<&'a str>,
}

impl fmt::Debug for Redaction<'_> {
    /// The tenant is an identity, and may be one that is not to be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// What happened to a payload while it was encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) redacted: Vec<String>,
    pub(crate) cut: Vec<String>,
    pub(crate) unencodable: bool,
}

impl<'a> Encoder<'a> {
    /// Continues `out` and `notes`.
    pub(crate) fn resume(redaction: Redaction<'a>, out: String, notes: Notes) -> Self {
        Self { out, redaction, path: String::new(), notes, depth: 0, filled: false }
    }

    /// Gives back what was written.
    pub(crate) fn suspend(self) -> (String, Notes) {
        (self.out, self.notes)
    }

    /// The text of one classified scalar (of a string its content, of anything else its JSON), and whether it was
    /// redacted. What is no scalar, or cannot be written, becomes [`REDACTED`]; what is absent has none.
    pub(crate) fn text_of(redaction: Redaction<'a>, value: &dyn Sensitive) -> Option<(String, bool)> {
        let mut encoder = Self::resume(redaction, String::new(), Notes::default());
        encoder.one_value(&mut |encoder| encoder.value(value));
        if encoder.out.starts_with(['{', '[']) || encoder.notes.unencodable {
            return Some((REDACTED.to_owned(), true));
        }
        let redacted = !encoder.notes.redacted.is_empty();
        (encoder.out != "null").then(|| (serde_json::from_str::<String>(&encoder.out).unwrap_or(encoder.out), redacted))
    }

    /// Writes a classified value.
    pub fn value<T: Sensitive + ?Sized>(&mut self, value: &T) {
        value.write(self);
    }

    /// Writes a value that was declared plain, through its own `Serialize`.
    ///
    /// One that fails or panics half-way leaves `"<unencodable>"` and nothing else.
    pub fn plain<T: Serialize + ?Sized>(&mut self, value: &T) {
        if !self.claim() {
            return;
        }
        let (start, room) = (self.out.len(), MAX_DEPTH - self.depth);
        match contained(|| json::push_serialized(&mut self.out, value, room)) {
            Some(Ok(())) => {}
            Some(Err(Unwritten::TooDeep)) => self.too_deep(),
            Some(Err(Unwritten::Invalid)) | None => {
                self.out.truncate(start);
                self.unencodable();
            }
        }
    }

    /// Writes `"<redacted>"` and notes the path.
    pub fn redacted(&mut self) {
        if self.claim() {
            self.push_redacted(REDACTED);
        }
    }

    /// Writes the keyed hash of a value: of a string its text, of anything else its JSON. Without a key the value
    /// is dropped.
    pub fn hashed<T: Serialize + ?Sized>(&mut self, value: &T) {
        if !self.claim() {
            return;
        }
        let Some(keys) = self.redaction.keys else { return self.push_redacted(REDACTED) };
        let mut text = String::new();
        match contained(|| json::push_serialized(&mut text, value, MAX_DEPTH)) {
            Some(Ok(())) => {
                let text = serde_json::from_str::<String>(&text).unwrap_or(text);
                let hash = keys.hash(self.redaction.tenant, &text);
                self.push_redacted(&hash);
            }
            Some(Err(_)) | None => self.push_redacted(REDACTED),
        }
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        if self.claim() {
            self.out.push_str("null");
        }
    }

    /// Writes a boolean.
    pub fn bool(&mut self, value: bool) {
        if self.claim() {
            self.out.push_str(if value { "true" } else { "false" });
        }
    }

    /// Writes an unsigned integer.
    pub fn unsigned(&mut self, value: u128) {
        if self.claim() {
            json::push_integer(&mut self.out, value);
        }
    }

    /// Writes a signed integer.
    pub fn signed(&mut self, value: i128) {
        if self.claim() {
            json::push_integer(&mut self.out, value);
        }
    }

    /// Writes a text that the type itself knows to be harmless: a variant's name, a UUID, a date.
    pub fn name(&mut self, name: &str) {
        if self.claim() {
            json::push_string(&mut self.out, name);
        }
    }

    /// Writes an object.
    pub fn object(&mut self, fields: impl FnOnce(&mut Object<'_, 'a>)) {
        self.nested('{', '}', &mut once(|encoder: &mut Self| fields(&mut Object { encoder })));
    }

    /// Writes an array.
    pub fn array(&mut self, items: impl FnOnce(&mut Array<'_, 'a>)) {
        let content = |encoder: &mut Self| {
            encoder.path.push_str("[]");
            items(&mut Array { encoder });
        };
        self.nested('[', ']', &mut once(content));
    }

    /// Writes the fields of a detail, without the braces around them.
    pub(crate) fn fields(&mut self, fields: &mut dyn FnMut(&mut Object<'_, 'a>)) {
        fields(&mut Object { encoder: self });
    }

    pub(crate) fn redaction(&self) -> Redaction<'a> {
        self.redaction
    }

    fn nested(&mut self, open: char, close: char, content: &mut dyn FnMut(&mut Self)) {
        if !self.claim() {
            return;
        }
        if self.depth == MAX_DEPTH {
            return self.too_deep();
        }
        let (start, path) = (self.out.len(), self.path.len());
        self.depth += 1;
        self.out.push(open);
        let mut half = Half { encoder: self, start, path, whole: false };
        content(half.encoder);
        half.encoder.out.push(close);
        half.whole = true;
    }

    /// Takes the place of the value that is due; false where it is taken already.
    fn claim(&mut self) -> bool {
        self.notes.unencodable |= self.filled;
        !std::mem::replace(&mut self.filled, true)
    }

    /// Lets foreign code write one value, and sees to it that one stands there: should it panic, nothing of it stays.
    fn one_value(&mut self, write: &mut dyn FnMut(&mut Self)) {
        let (start, path, depth) = (self.out.len(), self.path.len(), self.depth);
        self.filled = false;
        if contained(|| write(self)).is_none() {
            self.out.truncate(start);
            self.path.truncate(path);
            self.depth = depth;
            self.filled = false;
        }
        if !self.filled {
            self.unencodable();
        }
        self.filled = true;
    }

    fn too_deep(&mut self) {
        note(&mut self.notes.cut, &self.path);
        json::push_string(&mut self.out, TOO_DEEP);
    }

    fn unencodable(&mut self) {
        self.notes.unencodable = true;
        json::push_string(&mut self.out, UNENCODABLE);
    }

    fn push_redacted(&mut self, text: &str) {
        json::push_string(&mut self.out, text);
        note(&mut self.notes.redacted, &self.path);
    }

    fn field(&mut self, key: &str, write: &mut dyn FnMut(&mut Self)) {
        let top = self.depth == 0;
        if top && self.out.len() > MAX_DETAIL_BYTES + MAX_FIELD_BYTES {
            // Not even the marks of what was cut have room any more.
            return note(&mut self.notes.cut, "…");
        }
        let path = self.path.len();
        if path > 0 {
            self.path.push('.');
        }
        let short = start_of(key, MAX_KEY_BYTES);
        self.path.push_str(short);
        if top && short.len() < key.len() {
            note(&mut self.notes.cut, &self.path);
        }
        json::push_key(&mut self.out, if top { short } else { key });
        let start = self.out.len();
        self.one_value(write);
        if top {
            self.bound(start);
        }
        self.path.truncate(path);
    }

    /// Cuts a field of the detail that is too large: its size and the digest of its redacted bytes stay.
    fn bound(&mut self, start: usize) {
        let bytes = self.out.len() - start;
        if bytes <= MAX_FIELD_BYTES && self.out.len() <= MAX_DETAIL_BYTES {
            return;
        }
        let digest = Sha256::digest(&self.out.as_bytes()[start..]);
        self.out.truncate(start);
        self.out.push_str("{\"bytes\":");
        json::push_integer(&mut self.out, bytes);
        self.out.push_str(",\"sha256\":\"");
        push_hex(&mut self.out, &digest);
        self.out.push_str("\"}");
        note(&mut self.notes.cut, &self.path);
    }
}

/// An object or array whose end is not written yet. Should its content panic, nothing of it stays, whoever catches
/// that.
struct Half<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
    start: usize,
    path: usize,
    whole: bool,
}

impl Drop for Half<'_, '_> {
    fn drop(&mut self) {
        self.encoder.depth -= 1;
        self.encoder.path.truncate(self.path);
        self.encoder.filled = self.whole;
        if !self.whole {
            self.encoder.out.truncate(self.start);
        }
    }
}

/// What is called once, as what could be called again: behind a reference it is not compiled anew for each caller.
fn once<'a>(write: impl FnOnce(&mut Encoder<'a>)) -> impl FnMut(&mut Encoder<'a>) {
    let mut write = Some(write);
    move |encoder| {
        if let Some(write) = write.take() {
            write(encoder);
        }
    }
}

/// Adds a path once; past [`MAX_PATHS`] an ellipsis says that there are more.
pub(crate) fn note(paths: &mut Vec<String>, path: &str) {
    let path = start_of(path, MAX_KEY_BYTES);
    if paths.len() <= MAX_PATHS && !paths.iter().any(|known| known == path) {
        paths.push(if paths.len() < MAX_PATHS { path.to_owned() } else { "…".to_owned() });
    }
}

/// An object being written.
#[derive(Debug)]
pub struct Object<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
}

impl<'a> Object<'_, 'a> {
    /// Writes a classified field.
    pub fn value<T: Sensitive + ?Sized>(&mut self, key: &str, value: &T) {
        self.encoder.field(key, &mut |encoder| encoder.value(value));
    }

    /// Writes a field that was declared plain.
    pub fn plain<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.encoder.field(key, &mut |encoder| encoder.plain(value));
    }

    /// Writes `"<redacted>"` for a field.
    pub fn redacted(&mut self, key: &str) {
        self.encoder.field(key, &mut Encoder::redacted);
    }

    /// Writes a field as its keyed hash.
    pub fn hashed<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.encoder.field(key, &mut |encoder| encoder.hashed(value));
    }

    /// Writes a field by a closure, which writes exactly one value.
    pub fn field(&mut self, key: &str, write: impl FnOnce(&mut Encoder<'a>)) {
        self.encoder.field(key, &mut once(write));
    }
}

/// An array being written.
#[derive(Debug)]
pub struct Array<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
}

impl<'a> Array<'_, 'a> {
    /// Writes a classified item.
    pub fn value<T: Sensitive + ?Sized>(&mut self, value: &T) {
        self.next(&mut |encoder| encoder.value(value));
    }

    /// Writes an item by a closure, which writes exactly one value.
    pub fn item(&mut self, write: impl FnOnce(&mut Encoder<'a>)) {
        self.next(&mut once(write));
    }

    fn next(&mut self, write: &mut dyn FnMut(&mut Encoder<'a>)) {
        if !self.encoder.out.ends_with('[') {
            self.encoder.out.push(',');
        }
        self.encoder.one_value(write);
    }
}
