//! Objects and arrays being written.

use serde::Serialize;

use super::encoder::Encoder;
use super::frame::Frame;
use super::policy::Modes;
use super::{Mode, Sensitive, SensitiveType};

/// An object being written.
#[derive(Debug)]
pub struct Object<'e, 'a> {
    pub(super) encoder: &'e mut Encoder<'a>,
}

impl<'a> Object<'_, 'a> {
    /// Writes a classified field.
    pub fn value<T: Sensitive + ?Sized>(&mut self, key: &str, value: &T) {
        self.encoder.field(key, None, None, true, &mut |encoder| encoder.value(value));
    }

    /// Writes a field that was declared plain.
    pub fn plain<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.encoder.field(key, None, None, true, &mut |encoder| encoder.plain(value));
    }

    /// Writes `"<redacted>"` for a field.
    pub fn redacted(&mut self, key: &str) {
        self.encoder.field(key, None, None, true, &mut Encoder::redacted);
    }

    /// Writes a field as its keyed hash.
    pub fn hashed<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.encoder.field(key, Some(Mode::Hash), None, true, &mut |encoder| encoder.plain(value));
    }

    /// Writes a field by a closure, which writes exactly one value.
    pub fn field(&mut self, key: &str, write: impl FnOnce(&mut Encoder<'a>)) {
        let mut write = Some(write);
        self.encoder.field(key, None, None, false, &mut |encoder| {
            if let Some(write) = write.take() {
                write(encoder);
            }
        });
    }

    /// Writes the fields of a classified value among these.
    pub fn flatten<T: Sensitive + ?Sized>(&mut self, value: &T) {
        self.encoder.flat_value(&mut |encoder| encoder.value(value));
    }

    /// Writes the content of a variant. Its name tells of the value, so that where only a part of that is shown no more
    /// of the name is.
    #[doc(hidden)]
    pub fn variant(&mut self, name: &str, write: impl FnOnce(&mut Encoder<'a>)) {
        match self.encoder.part_of_name(name) {
            Some(part) => self.field(&part, write),
            None => self.field(name, write),
        }
    }

    #[doc(hidden)]
    pub fn members(&mut self, ty: &'static SensitiveType) -> Members<'_, 'a> {
        Members::new(self.encoder, ty, None, true)
    }
}

/// An array being written.
#[derive(Debug)]
pub struct Array<'e, 'a> {
    pub(super) encoder: &'e mut Encoder<'a>,
}

impl<'a> Array<'_, 'a> {
    /// Writes a classified item.
    pub fn value<T: Sensitive + ?Sized>(&mut self, value: &T) {
        self.encoder.next_entry();
        self.encoder.one_value(&mut |encoder| encoder.value(value));
    }

    /// Writes an item by a closure, which writes exactly one value.
    pub fn item(&mut self, write: impl FnOnce(&mut Encoder<'a>)) {
        let mut write = Some(write);
        self.encoder.next_entry();
        self.encoder.one_value(&mut |encoder| {
            if let Some(write) = write.take() {
                write(encoder);
            }
        });
    }
}

/// The fields of a derived type being written: each by its place in the registered description, which says its key and
/// its mode, unless the operator's policy is stricter. Generated code alone uses it.
///
/// The description is handed over for each field: there it is a constant, and so is what is copied out of it.
#[derive(Debug)]
pub struct Members<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
    modes: Modes<'a>,
    /// What is to be closed.
    frame: Option<Frame>,
    named: bool,
    /// Whether a field can be written without looking at it twice.
    at_once: bool,
}

impl<'e, 'a> Members<'e, 'a> {
    #[inline]
    pub(super) fn new(
        encoder: &'e mut Encoder<'a>,
        ty: &'static SensitiveType,
        frame: Option<Frame>,
        named: bool,
    ) -> Self {
        let modes = encoder.redaction.modes_of(ty);
        let at_once = named && encoder.depth > 0 && !encoder.careful && matches!(modes, Modes::AsTyped);
        Self { encoder, modes, frame, named, at_once }
    }

    /// Writes the tag of an enum.
    pub fn tag(&mut self, key: &str, name: &str) {
        self.encoder.field(key, None, None, true, &mut |encoder| encoder.name(name));
    }

    /// Writes a field, as its mode leaves it.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "only where the field is known its key is copied without a look at it")]
    pub fn value<T: Sensitive + ?Sized>(&mut self, ty: &'static SensitiveType, at: usize, value: &T) {
        let field = &ty.fields[at];
        if self.at_once && field.at_once && self.encoder.has_entries() {
            self.encoder.push_known_key(field);
            let depth = self.encoder.begin_value();
            value.write(self.encoder);
            self.encoder.end_value(depth);
        } else {
            self.member(ty, at, &mut |encoder| value.write(encoder));
        }
    }

    /// Writes a field that is dropped.
    #[inline]
    pub fn redacted(&mut self, ty: &'static SensitiveType, at: usize) {
        let field = &ty.fields[at];
        if self.at_once && !field.json.is_empty() && self.encoder.has_entries() {
            self.encoder.push_known_key(field);
            self.encoder.push_dropped_field(field);
        } else {
            self.member(ty, at, &mut Encoder::redacted);
        }
    }

    /// Writes the fields of a value among these.
    pub fn flatten<T: Sensitive + ?Sized>(&mut self, ty: &'static SensitiveType, at: usize, value: &T) {
        let mut write = |encoder: &mut Encoder<'a>| value.write(encoder);
        match self.modes.of(ty, at) {
            None | Some(Mode::Plain | Mode::Custom(_)) => self.encoder.flat_value(&mut write),
            Some(_) => self.member(ty, at, &mut write),
        }
    }

    /// Closes what was opened.
    #[inline]
    pub fn end(self) {
        if let Some(frame) = self.frame {
            self.encoder.close_frame(&frame);
        }
    }

    fn member(&mut self, ty: &'static SensitiveType, at: usize, write: &mut dyn FnMut(&mut Encoder<'a>)) {
        let (field, mode) = (&ty.fields[at], self.modes.of(ty, at));
        if self.encoder.depth == 0 {
            return self.encoder.field(field.key, mode, field.scope, true, write);
        }
        match (self.named, field.json) {
            (false, _) => self.encoder.next_entry(),
            (true, "") => self.encoder.push_key(field.key),
            (true, _) => self.encoder.push_ready_key(field),
        }
        self.encoder.one_value_by(mode, field.scope, write);
    }
}
