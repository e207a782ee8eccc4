//! Objects and arrays being written.

use serde::Serialize;

use super::encoder::Encoder;
use super::frame::Frame;
use super::policy::Modes;
use super::registry::{Known, Said};
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
    pub fn members(&mut self, ty: &'static SensitiveType, at: usize) -> Members<'_, 'a> {
        Members::new(self.encoder, ty, at, None, true)
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

/// The fields of a derived type being written, one after the other: each by its place in the registered description,
/// which says its key and its mode, unless the operator's policy is stricter. Generated code alone uses it.
///
/// A user's program has many of them, so that what is generated is data, and what is done with it is done here, once.
#[derive(Debug)]
pub struct Members<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
    ty: &'static SensitiveType,
    /// The place of the next field.
    at: usize,
    modes: Modes<'a>,
    /// What is to be closed.
    frame: Option<Frame>,
    named: bool,
    /// Whether a field can be written without looking at it twice.
    at_once: bool,
    /// Whether nothing leads to the fields but their keys.
    outermost: bool,
}

impl<'e, 'a> Members<'e, 'a> {
    pub(super) fn new(
        encoder: &'e mut Encoder<'a>,
        ty: &'static SensitiveType,
        at: usize,
        frame: Option<Frame>,
        named: bool,
    ) -> Self {
        let modes = encoder.redaction.modes_of(ty);
        let at_once = named && encoder.depth > 0 && !encoder.careful && matches!(modes, Modes::AsTyped);
        let outermost = encoder.path.begins_at(encoder.depth);
        Self { encoder, ty, at, modes, frame, named, at_once, outermost }
    }

    /// Writes the tag of an enum.
    pub fn tag(&mut self, key: &str, name: &str) {
        self.encoder.field(key, None, None, true, &mut |encoder| encoder.name(name));
    }

    /// Writes the next fields, so many, each as its mode leaves it. Those that are dropped have no value among these.
    pub fn values(&mut self, count: usize, values: &[&dyn Sensitive]) {
        let mut values = values.iter();
        for field in self.ty.known(self.at..self.at + count) {
            match field.said() {
                Said::As(Mode::Drop) if self.at_once => self.encoder.push_dropped_field(field, self.outermost),
                Said::Typed | Said::As(Mode::Plain | Mode::Custom(_)) if self.at_once => {
                    let Some(value) = values.next() else { break };
                    self.encoder.push_ready(field);
                    let depth = self.encoder.begin_value();
                    value.write(self.encoder);
                    self.encoder.end_value(depth);
                }
                said if matches!(said.mode(), Some(Mode::Drop)) => self.member(field, &mut Encoder::redacted),
                _ => {
                    let Some(value) = values.next() else { break };
                    self.member(field, &mut |encoder| value.write(encoder));
                }
            }
            self.at += 1;
        }
    }

    /// Writes the fields of a value among these.
    pub fn flatten<T: Sensitive + ?Sized>(&mut self, value: &T) {
        let write = &mut |encoder: &mut Encoder<'a>| value.write(encoder);
        match self.modes.of(self.ty, self.at) {
            None | Some(Mode::Plain | Mode::Custom(_)) => self.encoder.flat_value(write),
            Some(_) => self.member(self.ty.field_at(self.at), write),
        }
        self.skip();
    }

    /// Leaves out the next field.
    pub fn skip(&mut self) {
        self.at += 1;
    }

    /// Closes what was opened.
    pub fn end(&mut self) {
        if let Some(frame) = &self.frame {
            self.encoder.close_frame(frame);
        }
    }

    fn member(&mut self, field: Known, write: &mut dyn FnMut(&mut Encoder<'a>)) {
        let mode = self.modes.of(self.ty, self.at);
        if self.encoder.depth == 0 {
            return self.encoder.field(field.key(), mode, field.scope(), true, write);
        }
        match (self.named, field.has_ready_key()) {
            (false, _) => self.encoder.next_entry(),
            (true, false) => self.encoder.push_key(field.key()),
            (true, true) => self.encoder.push_ready_key(field),
        }
        self.encoder.one_value_by(mode, field.scope(), write);
    }
}

#[cfg(test)]
mod tests {
    use super::super::redaction::{Redaction, Rules};
    use super::*;
    use crate::sensitive::Notes;

    /// Also in a build with optimizations, where a value that was due has once been taken for one that was not.
    #[test]
    fn what_is_due_is_written_and_flags_nothing() {
        let redaction = Redaction::new(Rules::ephemeral(), None);
        let mut encoder = Encoder::resume(redaction, String::new(), Notes::default());
        encoder.fields(&mut |fields| {
            fields.hashed("device", "9f1c2d34");
            fields.value("cents", &7_u64);
            fields.plain("currency", "EUR");
            fields.redacted("memo");
        });
        let (json, notes) = encoder.suspend();
        assert!(json.starts_with(r#""device":"hash:"#), "{json}");
        assert!(json.ends_with(r#"","cents":7,"currency":"EUR","memo":"<redacted>""#), "{json}");
        assert_eq!((notes.redacted().json().as_ref(), notes.unencodable), (r#""device","memo""#, false));
    }
}
