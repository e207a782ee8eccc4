//! Containers that serde writes: lists, maps, structs, and the content of variants.

use std::fmt;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Value;

use super::encoder::Encoder;
use super::frame::Frame;
use super::plain::{PlainError, Written, is_hidden_in, mode_of, one};
use super::{Mode, names, raw};

/// A container being written.
pub struct Compound<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
    /// The object around it, where it is the content of a variant.
    outer: Option<Frame>,
    /// None where nothing of it is written: it lies too deep, or is raw JSON.
    frame: Option<Frame>,
    /// The name that its type has for serde, where of such a type not everything is shown.
    name: Option<&'static str>,
    /// Whether its keys are free.
    free: bool,
    /// The key that waits for its value, and the mode that it has.
    next: Option<(String, Option<Mode>)>,
    /// Whether its entries are fields of the detail.
    root: bool,
    /// The bound around it, where it is such a field itself.
    around: Option<usize>,
    raw: bool,
    position: usize,
}

impl fmt::Debug for Compound<'_, '_> {
    /// The key that waits is not shown: nobody has classified it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compound").field("position", &self.position).finish_non_exhaustive()
    }
}

impl<'e, 'a> Compound<'e, 'a> {
    fn new(encoder: &'e mut Encoder<'a>, frame: Option<Frame>, name: Option<&'static str>) -> Self {
        let name = name.filter(|name| is_hidden_in(encoder, name));
        let root = frame.as_ref().is_some_and(|frame| encoder.is_root(frame));
        let (free, raw) = (false, false);
        Self { encoder, outer: None, frame, name, free, next: None, root, around: None, raw, position: 0 }
    }

    pub(super) fn object(encoder: &'e mut Encoder<'a>, name: Option<&'static str>) -> Self {
        let frame = encoder.open_frame('{', '}');
        Self::new(encoder, frame, name)
    }

    /// One whose keys are free.
    pub(super) fn map(encoder: &'e mut Encoder<'a>) -> Self {
        Self { free: true, ..Self::object(encoder, None) }
    }

    pub(super) fn array(encoder: &'e mut Encoder<'a>, name: Option<&'static str>) -> Self {
        let frame = encoder.open_frame('[', ']');
        Self::new(encoder, frame, name)
    }

    /// The content of a variant.
    pub(super) fn variant(encoder: &'e mut Encoder<'a>, variant: &str, name: &'static str, named: bool) -> Self {
        let mut outer = Self::object(encoder, None);
        let open = outer.next_key(variant);
        let Self { encoder, frame: outer, around, .. } = outer;
        let mut frame = None;
        if open {
            encoder.begin_value();
            frame = if named { encoder.open_frame('{', '}') } else { encoder.open_frame('[', ']') };
        }
        Self { outer, around, ..Self::new(encoder, frame, Some(name)) }
    }

    pub(super) fn raw(encoder: &'e mut Encoder<'a>) -> Self {
        Self { raw: true, ..Self::new(encoder, None, None) }
    }

    /// Begins the only entry, unless nothing of this is written.
    fn next_key(&mut self, key: &str) -> bool {
        if self.frame.is_none() {
            return false;
        }
        if self.root {
            self.around = self.encoder.begin_field(key);
            return self.around.is_some();
        }
        self.encoder.push_free_key(key);
        true
    }

    /// Writes the only entry.
    pub(super) fn entry<T: Serialize + ?Sized>(mut self, key: &str, mode: Option<Mode>, value: &T) -> Written {
        if self.next_key(key) {
            one(self.encoder, mode, value)?;
        }
        self.close();
        Ok(())
    }

    /// Writes an entry with what its key and its mode are known of.
    fn field_by<T: Serialize + ?Sized>(&mut self, key: &str, mode: Option<Mode>, value: &T) {
        self.encoder.field(key, mode, None, true, &mut |encoder| encoder.plain(value));
    }

    fn mode_of(&self, key: &str) -> Option<Mode> {
        mode_of(self.encoder, self.name?, key)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if self.frame.is_none() {
            return Ok(());
        }
        let position = self.position.to_string();
        self.position += 1;
        let mode = self.mode_of(&position);
        self.encoder.next_entry();
        one(self.encoder, mode, value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        if self.raw {
            let written = match serde_json::to_value(value) {
                Ok(Value::String(json)) => raw::write_text(self.encoder, &json),
                _ => Err(PlainError),
            };
            self.encoder.failed |= written.is_err();
            return written;
        }
        if self.frame.is_none() {
            return Ok(());
        }
        let policy = if self.encoder.is_bare() { None } else { self.encoder.redaction.of_key(key) };
        let content = self.name.filter(|_| self.position > 0).and_then(|name| names::of_content(name, key));
        self.position += 1;
        let modes = self.mode_of(key).into_iter().chain(policy).chain(content);
        let mode = modes.reduce(Mode::tightened_by);
        if self.root {
            self.field_by(key, mode, value);
            return Ok(());
        }
        // The names of fields are no values: they are shown, also where of the values only a part is.
        self.encoder.push_key(key);
        one(self.encoder, mode, value)
    }

    pub(super) fn close(self) {
        if let Some(frame) = self.frame {
            self.encoder.close_frame(&frame);
        }
        if let Some(around) = self.around {
            self.encoder.end_field(around);
        }
        if let Some(outer) = self.outer {
            self.encoder.close_frame(&outer);
        }
    }
}

impl SerializeSeq for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if self.name.is_none() {
            if self.frame.is_none() {
                return Ok(());
            }
            self.encoder.next_entry();
            return one(self.encoder, None, value);
        }
        self.item(value)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

impl SerializeTuple for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

impl SerializeTupleStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

impl SerializeTupleVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

impl SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        let Ok(key) = key_of(key) else {
            self.encoder.failed = true;
            return Err(PlainError);
        };
        if self.next.is_some() {
            return Err(PlainError);
        }
        let mode = if self.free && !self.encoder.is_bare() {
            let (named, policy) = (names::of_key(&key), self.encoder.redaction.of_key(&key));
            named.into_iter().chain(policy).reduce(Mode::tightened_by)
        } else {
            None
        };
        self.next = Some((key, mode));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        let (key, mode) = self.next.take().ok_or(PlainError)?;
        if self.frame.is_none() {
            return Ok(());
        }
        if self.root {
            self.field_by(&key, mode, value);
            return Ok(());
        }
        self.encoder.push_free_key(&key);
        one(self.encoder, mode, value)
    }

    fn end(self) -> Written {
        if self.next.is_some() {
            return Err(PlainError);
        }
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

impl SerializeStructVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

/// The text of a map's key, as JSON has it.
fn key_of<T: Serialize + ?Sized>(key: &T) -> Result<String, PlainError> {
    match serde_json::to_value(key) {
        Ok(Value::String(key)) => return Ok(key),
        Ok(Value::Bool(key)) => return Ok(key.to_string()),
        Ok(Value::Number(key)) if !key.is_f64() => return Ok(key.to_string()),
        _ => {}
    }
    // The widest integers and the narrowest floats are no values as they are.
    let entry = serde_json::to_string(&Entry(key)).map_err(|_| PlainError)?;
    let key = entry.strip_prefix('{').and_then(|rest| rest.strip_suffix(":null}"));
    key.and_then(|key| serde_json::from_str(key).ok()).ok_or(PlainError)
}

/// A map of one key.
struct Entry<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for Entry<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, ())])
    }
}
