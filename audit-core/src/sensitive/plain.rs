//! What a type's own `Serialize` writes, through the encoder: one line, bounded, and redacted where a name tells.
//!
//! A serializer is foreign code and can lie: a map entry without its key, a raw value that closes what it did not open.
//! Here it can only say what comes next.

use std::fmt;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use serde_json::Value;

use super::encoder::Encoder;
use super::frame::Frame;
use super::{Mode, names, raw};

/// How `serde_json` hands over a `RawValue`, and a number of any precision.
const RAW: [&str; 2] = ["$serde_json::private::RawValue", "$serde_json::private::Number"];

/// Writes one value. What serde's `serialize_with` functions get.
#[derive(Debug)]
pub struct PlainSerializer<'e, 'a>(pub(super) &'e mut Encoder<'a>);

/// A value could not be written. What its serializer says of it may hold the value, and is not kept.
#[derive(Debug)]
pub struct PlainError;

impl fmt::Display for PlainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be written as JSON")
    }
}

impl std::error::Error for PlainError {}

impl ser::Error for PlainError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Written = Result<(), PlainError>;

impl<'e, 'a> PlainSerializer<'e, 'a> {
    fn claim(&mut self) -> Result<&mut Encoder<'a>, PlainError> {
        if self.0.claim() { Ok(self.0) } else { Err(PlainError) }
    }

    fn integer(mut self, integer: impl itoa::Integer) -> Written {
        self.claim()?.push_scalar(itoa::Buffer::new().format(integer));
        Ok(())
    }

    fn float(mut self, float: impl Serialize, finite: bool) -> Written {
        let encoder = self.claim()?;
        if !finite {
            // As serde_json writes it, but marked: JSON has no such number.
            encoder.notes.unencodable = true;
        }
        let mut digits = [0; 32];
        let mut rest = &mut digits[..];
        serde_json::to_writer(&mut rest, &float).map_err(|_| PlainError)?;
        let left = rest.len();
        let digits = std::str::from_utf8(&digits[..digits.len() - left]).map_err(|_| PlainError)?;
        encoder.push_scalar(digits);
        Ok(())
    }

    /// An object of one entry, as an enum's variant with content is written.
    fn variant(self, variant: &str, write: impl FnOnce(PlainSerializer<'_, 'a>) -> Written) -> Written {
        let mut object = Compound::object(self, None)?;
        if let Some(encoder) = object.next_key(variant) {
            write(PlainSerializer(encoder))?;
        }
        object.close();
        Ok(())
    }
}

impl<'e, 'a> Serializer for PlainSerializer<'e, 'a> {
    type Ok = ();
    type Error = PlainError;
    type SerializeSeq = Compound<'e, 'a>;
    type SerializeTuple = Compound<'e, 'a>;
    type SerializeTupleStruct = Compound<'e, 'a>;
    type SerializeTupleVariant = Compound<'e, 'a>;
    type SerializeMap = Compound<'e, 'a>;
    type SerializeStruct = Compound<'e, 'a>;
    type SerializeStructVariant = Compound<'e, 'a>;

    fn serialize_bool(self, v: bool) -> Written {
        self.0.bool(v);
        Ok(())
    }

    fn serialize_i8(self, v: i8) -> Written {
        self.integer(v)
    }

    fn serialize_i16(self, v: i16) -> Written {
        self.integer(v)
    }

    fn serialize_i32(self, v: i32) -> Written {
        self.integer(v)
    }

    fn serialize_i64(self, v: i64) -> Written {
        self.integer(v)
    }

    fn serialize_i128(self, v: i128) -> Written {
        self.integer(v)
    }

    fn serialize_u8(self, v: u8) -> Written {
        self.integer(v)
    }

    fn serialize_u16(self, v: u16) -> Written {
        self.integer(v)
    }

    fn serialize_u32(self, v: u32) -> Written {
        self.integer(v)
    }

    fn serialize_u64(self, v: u64) -> Written {
        self.integer(v)
    }

    fn serialize_u128(self, v: u128) -> Written {
        self.integer(v)
    }

    fn serialize_f32(self, v: f32) -> Written {
        self.float(v, v.is_finite())
    }

    fn serialize_f64(self, v: f64) -> Written {
        self.float(v, v.is_finite())
    }

    fn serialize_char(self, v: char) -> Written {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(mut self, v: &str) -> Written {
        self.claim()?.push_text(v);
        Ok(())
    }

    fn serialize_bytes(self, v: &[u8]) -> Written {
        v.serialize(self)
    }

    fn serialize_none(self) -> Written {
        self.0.null();
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.0.name(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Written {
        match mode_of(self.0, name, "0") {
            None => value.serialize(self),
            Some(mode) => redacted(self.0, mode, value),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        let mode = mode_of(self.0, name, "0");
        self.variant(variant, |inner| one(inner.0, mode, value))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, PlainError> {
        Compound::array(self, None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, PlainError> {
        Compound::array(self, None)
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, PlainError> {
        Compound::array(self, Some(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, PlainError> {
        Compound::variant(self, variant, name, false)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, PlainError> {
        let mut map = Compound::object(self, None)?;
        map.free = true;
        Ok(map)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, PlainError> {
        if RAW.contains(&name) {
            return Ok(Compound::raw(self));
        }
        Compound::object(self, Some(name))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, PlainError> {
        Compound::variant(self, variant, name, true)
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

/// What the registry says of a field of a type that serde names.
fn mode_of(encoder: &Encoder<'_>, name: &str, key: &str) -> Option<Mode> {
    if encoder.is_bare() { None } else { names::of_type(name)?.get(key).copied() }
}

/// The value that is due, as a mode leaves it.
fn redacted<T: Serialize + ?Sized>(encoder: &mut Encoder<'_>, mode: Mode, value: &T) -> Written {
    let mut written = Ok(());
    encoder.by(mode, None, &mut |encoder| written = value.serialize(PlainSerializer(encoder)));
    written
}

/// The value that comes next.
fn one<T: Serialize + ?Sized>(encoder: &mut Encoder<'_>, mode: Option<Mode>, value: &T) -> Written {
    let depth = encoder.begin_value();
    match mode {
        None => value.serialize(PlainSerializer(encoder))?,
        Some(mode) => redacted(encoder, mode, value)?,
    }
    encoder.end_value(depth);
    Ok(())
}

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

    fn object(serializer: PlainSerializer<'e, 'a>, name: Option<&str>) -> Result<Self, PlainError> {
        let frame = serializer.0.open_frame('{', '}');
        Ok(Self::new(serializer.0, frame, name))
    }

    fn array(serializer: PlainSerializer<'e, 'a>, name: Option<&str>) -> Result<Self, PlainError> {
        let encoder = serializer.0;
        let frame = encoder.open_frame('[', ']');
        Ok(Self::new(encoder, frame, name))
    }

    fn variant(
        serializer: PlainSerializer<'e, 'a>,
        variant: &str,
        name: &str,
        named: bool,
    ) -> Result<Self, PlainError> {
        let encoder = serializer.0;
        let outer = encoder.open_frame('{', '}');
        let mut frame = None;
        if outer.is_some() {
            encoder.push_free_key(variant);
            encoder.begin_value();
            frame = if named { encoder.open_frame('{', '}') } else { encoder.open_frame('[', ']') };
        }
        Ok(Self { outer, ..Self::new(encoder, frame, Some(name)) })
    }

    fn raw(serializer: PlainSerializer<'e, 'a>) -> Self {
        Self { raw: true, ..Self::new(serializer.0, None, None) }
    }

    /// Begins an entry, unless nothing of this is written.
    fn next_key(&mut self, key: &str) -> Option<&mut Encoder<'a>> {
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

    fn close(self) {
        for frame in [self.frame, self.outer].into_iter().flatten() {
            self.encoder.close_frame(&frame);
        }
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
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
        self.end()
    }
}

impl SerializeTuple for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Written {
        self.end()
    }
}

impl SerializeTupleStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Written {
        self.end()
    }
}

impl SerializeTupleVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Written {
        self.end()
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
        if self.due { Err(PlainError) } else { self.end() }
    }
}

impl SerializeStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }

    fn end(self) -> Written {
        self.end()
    }
}

impl SerializeStructVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = PlainError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }

    fn end(self) -> Written {
        self.end()
    }
}
