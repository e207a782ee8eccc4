//! Containers that serde writes: lists, maps, structs, and the content of variants.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::Value;

use super::encoder::Encoder;
use super::frame::Frame;
use super::plain::{PlainError, Written, one};
use super::{Mode, names, raw};

/// A container being written.
#[derive(Debug)]
pub struct Compound<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
    /// The object around it, where it is the content of a variant.
    outer: Option<Frame>,
    /// None where nothing of it is written: it lies too deep, or is raw JSON.
    frame: Option<Frame>,
    /// The fields that are not shown.
    hidden: Option<&'static names::Fields>,
    /// Whether its keys are free.
    free: bool,
    /// The mode that the key which was written last has.
    next: Option<Mode>,
    /// Whether a key waits for its value.
    due: bool,
    raw: bool,
    position: usize,
}

impl<'e, 'a> Compound<'e, 'a> {
    fn new(encoder: &'e mut Encoder<'a>, frame: Option<Frame>, name: Option<&str>) -> Self {
        let hidden = name.filter(|_| !encoder.is_bare()).and_then(names::of_type);
        Self { encoder, outer: None, frame, hidden, free: false, next: None, due: false, raw: false, position: 0 }
    }

    pub(super) fn object(encoder: &'e mut Encoder<'a>, name: Option<&str>) -> Self {
        let frame = encoder.open_frame('{', '}');
        Self::new(encoder, frame, name)
    }

    /// One whose keys are free.
    pub(super) fn map(encoder: &'e mut Encoder<'a>) -> Self {
        Self { free: true, ..Self::object(encoder, None) }
    }

    pub(super) fn array(encoder: &'e mut Encoder<'a>, name: Option<&str>) -> Self {
        let frame = encoder.open_frame('[', ']');
        Self::new(encoder, frame, name)
    }

    /// The content of a variant.
    pub(super) fn variant(encoder: &'e mut Encoder<'a>, variant: &str, name: &str, named: bool) -> Self {
        let outer = encoder.open_frame('{', '}');
        let mut frame = None;
        if outer.is_some() {
            encoder.push_free_key(variant);
            encoder.begin_value();
            frame = if named { encoder.open_frame('{', '}') } else { encoder.open_frame('[', ']') };
        }
        Self { outer, ..Self::new(encoder, frame, Some(name)) }
    }

    pub(super) fn raw(encoder: &'e mut Encoder<'a>) -> Self {
        Self { raw: true, ..Self::new(encoder, None, None) }
    }

    /// Begins an entry, unless nothing of this is written.
    pub(super) fn next_key(&mut self, key: &str) -> Option<&mut Encoder<'a>> {
        self.frame.as_ref()?;
        self.encoder.push_free_key(key);
        Some(self.encoder)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if self.frame.is_none() {
            return Ok(());
        }
        let position = self.position.to_string();
        self.position += 1;
        let mode = self.hidden.and_then(|hidden| hidden.get(position.as_str()).copied());
        self.encoder.next_entry();
        one(self.encoder, mode, value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        if self.raw {
            return match serde_json::to_value(value) {
                Ok(Value::String(json)) => raw::write_text(self.encoder, &json),
                _ => Err(PlainError),
            };
        }
        if self.frame.is_none() {
            return Ok(());
        }
        let mode = self.hidden.and_then(|hidden| hidden.get(key).copied());
        // The names of fields are no values: they are shown, also where of the values only a part is.
        self.encoder.push_key(key);
        one(self.encoder, mode, value)
    }

    pub(super) fn close(self) {
        for frame in [self.frame, self.outer].into_iter().flatten() {
            self.encoder.close_frame(&frame);
        }
    }
}

impl SerializeSeq for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if self.hidden.is_none() {
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
        let key = key_of(key)?;
        if std::mem::replace(&mut self.due, true) {
            return Err(PlainError);
        }
        self.next = if self.free && !self.encoder.is_bare() {
            let (named, policy) = (names::of_key(&key), self.encoder.redaction.of_key(&key));
            named.into_iter().chain(policy).reduce(Mode::tightened_by)
        } else {
            None
        };
        self.next_key(&key);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if !std::mem::take(&mut self.due) {
            return Err(PlainError);
        }
        if self.frame.is_none() {
            return Ok(());
        }
        one(self.encoder, self.next.take(), value)
    }

    fn end(self) -> Written {
        if self.due {
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
        Ok(Value::String(key)) => Ok(key),
        Ok(key @ (Value::Number(_) | Value::Bool(_))) => Ok(key.to_string()),
        _ => Err(PlainError),
    }
}
