//! The redacting encoder: the one way by which a payload enters a record.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use smol_str::SmolStr;

use super::apply::Bare;
use super::frame::Unbraced;
use super::notes::Notes;
use super::object::{Array, Members, Object};
use super::output::Output;
use super::path::Path;
use super::{Limits, Mode, Redaction, Sensitive, SensitiveType};
use crate::contain::contained;
use crate::json;
use crate::scratch;
use crate::text::start as start_of;

/// What stands where a value was dropped.
pub const REDACTED: &str = "<redacted>";
/// The same, as JSON.
pub(super) const DROPPED: &str = "\"<redacted>\"";
/// What stands where a value could not be encoded.
pub const UNENCODABLE: &str = "<unencodable>";

/// What is digested in place of a value that lies deeper than [`LEVELS_BEYOND`].
pub(super) const TOO_DEEP: &str = "<too deep>";
/// How many levels beyond the bound are digested.
pub(super) const LEVELS_BEYOND: usize = 64;
/// How much text is escaped at once.
const PIECE_BYTES: usize = 8 * 1024;

/// Writes one value as JSON and redacts while it writes.
///
/// A [`Sensitive`] implementation gets one and says what each part is: classified ([`Encoder::value`]), declared
/// plain ([`Encoder::plain`]), dropped ([`Encoder::redacted`]), or shown in part ([`Encoder::redacted_by`],
/// [`Encoder::remainder`]).
///
/// Each method writes one whole value. A value calls exactly one of them: further ones are ignored, none at all
/// leaves `"<unencodable>"`, and the record is flagged for either.
pub struct Encoder<'a> {
    pub(super) out: Output,
    pub(super) redaction: Redaction<'a>,
    pub(super) limits: &'a Limits,
    pub(super) path: Path,
    pub(super) notes: Notes,
    /// How many containers are open.
    pub(super) depth: usize,
    /// How many were open around this encoder when it began.
    pub(super) depth_above: usize,
    /// How many entries the innermost open container has so far.
    pub(super) entries: usize,
    /// What is to be written next.
    pub(super) due: Due,
    pub(super) unbraced: Unbraced,
    /// Whether each value is written with care, since something went wrong.
    pub(super) careful: bool,
    /// Whether something did.
    pub(super) failed: bool,
    /// What of each scalar is shown, inside of a value of which a part is.
    pub(super) part: Option<Mode>,
    /// Where the field of the detail begins that is being written.
    pub(super) field_start: usize,
    /// On which level the value lies that is being cut.
    pub(super) cut_level: usize,
    pub(super) bare: Option<Bare>,
    /// What the value that is an identity was hashed from, where that is asked for.
    pub(super) held: Held,
}

/// What an identity was hashed from: its hash is made when it is known whose the record is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Held {
    NotAsked,
    Nothing,
    Text(String),
}

/// What is to be written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Value,
    /// The fields of a value, among those of the container around it.
    Fields,
    /// It has been written.
    Nothing,
}

impl fmt::Debug for Encoder<'_> {
    /// What a hash is made of is not redacted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("depth", &self.depth).finish_non_exhaustive()
    }
}

impl<'a> Encoder<'a> {
    /// Continues `out` and `notes`.
    pub(crate) fn resume(redaction: Redaction<'a>, out: String, notes: Notes) -> Self {
        Self {
            entries: usize::from(!out.is_empty()),
            out: Output::new(out),
            redaction,
            limits: &redaction.rules.limits,
            path: Path::new(),
            notes,
            depth: 0,
            depth_above: 0,
            due: Due::Value,
            unbraced: Unbraced::No,
            careful: false,
            failed: false,
            part: None,
            field_start: 0,
            cut_level: 0,
            bare: None,
            held: Held::NotAsked,
        }
    }

    /// Gives back what was written.
    #[inline]
    pub(crate) fn suspend(self) -> (String, Notes) {
        (self.out.text, self.notes)
    }

    /// One value, redacted, as JSON, and what happened to it.
    pub(crate) fn encoded(redaction: Redaction<'a>, value: &dyn Sensitive) -> (String, Notes) {
        let mut encoder = Self::resume(redaction, String::new(), Notes::default());
        encoder.rooted(&mut |encoder| value.write(encoder));
        encoder.suspend()
    }

    /// The fields of a value, as those of a detail; of a value that has none, the value as a field.
    pub(crate) fn fields_of(redaction: Redaction<'a>, write: &mut dyn FnMut(&mut Self)) -> (String, Notes) {
        let mut encoder = Self::resume(redaction, String::with_capacity(256), Notes::default());
        let limits = encoder.limits;
        encoder.out.set_bound(limits.field_bytes.min(limits.detail_bytes));
        encoder.unbraced = Unbraced::Due;
        let written = contained(|| write(&mut encoder)).is_some() && encoder.is_whole();
        if written && encoder.unbraced == Unbraced::Done {
            return encoder.suspend();
        }
        Self::fields_one_by_one(redaction, write)
    }

    /// The same where each field is bounded by itself.
    #[cold]
    fn fields_one_by_one(redaction: Redaction<'a>, write: &mut dyn FnMut(&mut Self)) -> (String, Notes) {
        let mut encoder = Self::resume(redaction, String::new(), Notes::default());
        encoder.flat_value(write);
        if encoder.notes.unencodable && encoder.out.text.is_empty() {
            encoder = Self::resume(redaction, String::new(), Notes::default());
            encoder.field("value", None, None, true, write);
        }
        encoder.suspend()
    }

    /// The text of one classified scalar (of a string its content, of anything else its JSON), and whether it was
    /// redacted. What is no scalar, or cannot be written, becomes [`REDACTED`]; what is absent has none.
    pub(crate) fn text_of(redaction: Redaction<'a>, value: &dyn Sensitive) -> Option<(String, bool)> {
        Self::text_in(&Self::encoded(redaction, value)).map(|(text, redacted)| (text.into_owned(), redacted))
    }

    fn text_in((json, notes): &(String, Notes)) -> Option<(Cow<'_, str>, bool)> {
        if json.starts_with(['{', '[']) || notes.unencodable {
            return Some((REDACTED.into(), true));
        }
        (json != "null").then(|| (json::content(json), !notes.redacted().is_empty()))
    }

    /// The text of an identity, as [`Encoder::text_of`] gives it, and what it was hashed from, where that is all that
    /// was done to it.
    pub(crate) fn identity_of(
        redaction: Redaction<'a>,
        value: &dyn Sensitive,
    ) -> Option<(SmolStr, bool, Option<String>)> {
        scratch::with(|scratch| {
            let mut encoder = Self::resume(redaction, std::mem::take(scratch), Notes::default());
            encoder.held = Held::Nothing;
            encoder.rooted(&mut |encoder| value.write(encoder));
            let held = std::mem::replace(&mut encoder.held, Held::NotAsked);
            let written = encoder.suspend();
            let identity = Self::text_in(&written).map(|(text, redacted)| {
                let held = match held {
                    Held::Text(held) if redacted => Some(held),
                    _ => None,
                };
                (SmolStr::new(text), redacted, held)
            });
            *scratch = written.0;
            identity
        })
    }

    /// Writes a classified value.
    pub fn value<T: Sensitive + ?Sized>(&mut self, value: &T) {
        value.write(self);
    }

    /// Writes a value that was declared plain, through its own `Serialize`.
    ///
    /// In maps with free keys, and so in a `serde_json::Value`, an entry is redacted whose key is that of any
    /// registered field that is not plain, or tells of a secret (`password`, `token` and the like). So are such fields
    /// of a derived type inside of it, as far as serde tells of the type.
    ///
    /// A value that fails or panics half-way leaves `"<unencodable>"` and nothing else.
    pub fn plain<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.serialized(|serializer| value.serialize(serializer).is_ok());
    }

    /// Writes `"<redacted>"` and notes the path.
    pub fn redacted(&mut self) {
        if self.claim() {
            self.push_dropped();
        }
    }

    /// Writes a text that is all that may be shown of the value, and notes the path: for a
    /// [`Redactor`](crate::Redactor).
    pub fn remainder(&mut self, text: &str) {
        if self.claim() {
            self.push_text(text);
            self.note_redacted();
        }
    }

    /// Writes the keyed hash of a value: of a string its text, of anything else its JSON. Without a key the value is
    /// dropped.
    pub fn hashed<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.redacted_by(Mode::Hash, value);
    }

    /// Writes what a mode leaves of a value.
    pub fn redacted_by<T: Serialize + ?Sized>(&mut self, mode: Mode, value: &T) {
        self.by(mode, None, &mut |encoder| encoder.plain(value));
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        if self.due == Due::Fields {
            // Nothing has no fields.
            self.due = Due::Nothing;
        } else if self.claim() {
            self.out.text.push_str("null");
            if let (Some(bare), 0) = (&mut self.bare, self.depth) {
                bare.absent = true;
            }
        }
    }

    /// Writes a boolean.
    pub fn bool(&mut self, value: bool) {
        if self.claim() {
            match self.part {
                None if value => self.out.text.push_str("true"),
                None => self.out.text.push_str("false"),
                // Its first letter is all of it.
                Some(part) => self.push_part(part, ""),
            }
            if let (Some(bare), 0) = (&mut self.bare, self.depth) {
                bare.boolean = true;
            }
        }
    }

    /// Writes an unsigned integer.
    pub fn unsigned(&mut self, value: u128) {
        self.integer(value);
    }

    /// Writes a signed integer.
    pub fn signed(&mut self, value: i128) {
        self.integer(value);
    }

    #[inline]
    pub(super) fn integer(&mut self, value: impl itoa::Integer) {
        if self.claim() {
            self.push_scalar(itoa::Buffer::new().format(value));
        }
    }

    /// Writes a text that the type itself knows to be harmless: a variant's name, a UUID, a date.
    pub fn name(&mut self, name: &str) {
        if self.due == Due::Fields {
            // A unit variant among the fields of another type: as serde writes it.
            self.push_free_key(name);
            self.out.text.push_str("null");
            self.due = Due::Nothing;
        } else if self.claim() {
            self.push_text(name);
        }
    }

    /// Writes a text that was declared plain.
    pub(super) fn text(&mut self, text: &str) {
        if self.claim() {
            self.push_text(text);
        }
    }

    /// Writes an object.
    pub fn object(&mut self, fields: impl FnOnce(&mut Object<'_, 'a>)) {
        if let Some(frame) = self.open_frame('{', '}') {
            fields(&mut Object { encoder: self });
            self.close_frame(&frame);
        }
    }

    /// Writes an array.
    pub fn array(&mut self, items: impl FnOnce(&mut Array<'_, 'a>)) {
        if let Some(frame) = self.open_frame('[', ']') {
            items(&mut Array { encoder: self });
            self.close_frame(&frame);
        }
    }

    #[doc(hidden)]
    pub fn members(&mut self, ty: &'static SensitiveType, at: usize, count: usize, values: &[&dyn Sensitive]) {
        if let Some(frame) = self.open_frame('{', '}') {
            Members::new(self, ty, at, None, true).values(count, values);
            self.close_frame(&frame);
        }
    }

    #[doc(hidden)]
    pub fn open(&mut self, ty: &'static SensitiveType, at: usize) -> Option<Members<'_, 'a>> {
        let frame = self.open_frame('{', '}')?;
        Some(Members::new(self, ty, at, Some(frame), true))
    }

    #[doc(hidden)]
    pub fn open_array(&mut self, ty: &'static SensitiveType, at: usize) -> Option<Members<'_, 'a>> {
        let frame = self.open_frame('[', ']')?;
        Some(Members::new(self, ty, at, Some(frame), false))
    }

    #[doc(hidden)]
    pub fn only<T: Sensitive + ?Sized>(&mut self, ty: &'static SensitiveType, at: usize, value: &T) {
        match self.redaction.modes_of(ty).of(ty, at) {
            Some(mode) => self.by(mode, ty.field_at(at).scope(), &mut |encoder| value.write(encoder)),
            None => value.write(self),
        }
    }

    /// Writes the fields of a detail, without the braces around them.
    pub(crate) fn fields(&mut self, fields: &mut dyn FnMut(&mut Object<'_, 'a>)) {
        fields(&mut Object { encoder: self });
    }

    /// Takes the place of the value that is due; false where it is taken already, or is none for a value of its own.
    #[inline]
    pub(super) fn claim(&mut self) -> bool {
        let is_due = self.due == Due::Value;
        self.due = Due::Nothing;
        if !is_due {
            self.notes.unencodable = true;
        }
        is_due
    }

    pub(super) fn unencodable(&mut self) {
        self.due = Due::Nothing;
        self.notes.unencodable = true;
        json::push_string(&mut self.out.text, UNENCODABLE);
    }

    pub(super) fn push_redacted(&mut self, text: &str) {
        self.out.text.extend(["\"", text, "\""]);
        self.note_redacted();
    }

    /// What stands for a value that is dropped.
    fn push_dropped(&mut self) {
        self.out.text.push_str(DROPPED);
        self.note_redacted();
    }

    pub(super) fn note_redacted(&mut self) {
        if self.bare.is_none() {
            let (path, depth, text) = (&self.path, self.depth, &self.out.text);
            self.notes.redacted_mut().note_by(|json| path.write(depth, text, json));
        }
    }

    /// The scalar that is due, where it is no string.
    #[inline]
    pub(super) fn push_scalar(&mut self, json: &str) {
        match self.part {
            None => self.out.text.push_str(json),
            Some(part) => self.push_part(part, json),
        }
    }

    /// The string that is due.
    pub(super) fn push_text(&mut self, text: &str) {
        if let Some(part) = self.part {
            return self.push_part(part, text);
        }
        if self.bare.is_some() && self.depth == 0 {
            return self.out.text.push_str(text);
        }
        self.push_string(text);
    }

    /// Any text, as a string of JSON, of which never more is held than will stay.
    pub(super) fn push_string(&mut self, text: &str) {
        if text.len() > PIECE_BYTES {
            return self.push_long_string(text);
        }
        json::push_string(&mut self.out.text, text);
    }

    #[cold]
    fn push_long_string(&mut self, text: &str) {
        self.out.text.push('"');
        let mut rest = text;
        while !rest.is_empty() {
            let piece = start_of(rest, PIECE_BYTES);
            json::push_fragment(&mut self.out.text, piece);
            if self.out.is_over() {
                self.shorten();
            }
            rest = &rest[piece.len()..];
        }
        self.out.text.push('"');
    }
}
