//! What a type's own `Serialize` writes, through the encoder: one line, bounded, and redacted where a name tells.
//!
//! A serializer is foreign code and can lie: a map entry without its key, a raw value that closes what it did not open.
//! Here it can only say what comes next.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use super::compound::Compound;
use super::encoder::Encoder;
use super::{Mode, names};

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

pub(super) type Written = Result<(), PlainError>;

impl<'a> PlainSerializer<'_, 'a> {
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
        Compound::object(self.0, None).entry(variant, mode, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, PlainError> {
        Ok(Compound::array(self.0, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, PlainError> {
        Ok(Compound::array(self.0, None))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, PlainError> {
        Ok(Compound::array(self.0, Some(name)))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, PlainError> {
        Ok(Compound::variant(self.0, variant, name, false))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, PlainError> {
        Ok(Compound::map(self.0))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, PlainError> {
        if RAW.contains(&name) {
            return Ok(Compound::raw(self.0));
        }
        Ok(Compound::object(self.0, Some(name)))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, PlainError> {
        Ok(Compound::variant(self.0, variant, name, true))
    }
}

/// Whether of a type that serde names not everything is shown.
pub(super) fn is_hidden_in(encoder: &Encoder<'_>, name: &str) -> bool {
    !encoder.is_bare() && (names::of_type(name).is_some() || encoder.redaction.rules_for(name))
}

/// What the registry and the policy say of a field of a type that serde names.
pub(super) fn mode_of(encoder: &Encoder<'_>, name: &str, key: &str) -> Option<Mode> {
    if encoder.is_bare() {
        return None;
    }
    let typed = names::of_type(name).and_then(|fields| fields.get(key).copied());
    typed.into_iter().chain(encoder.redaction.of_field(name, key)).reduce(Mode::tightened_by)
}

/// The value that is due, as a mode leaves it.
fn redacted<T: Serialize + ?Sized>(encoder: &mut Encoder<'_>, mode: Mode, value: &T) -> Written {
    let mut written = Ok(());
    encoder.by(mode, None, &mut |encoder| written = value.serialize(PlainSerializer(encoder)));
    written
}

/// The value that comes next.
pub(super) fn one<T: Serialize + ?Sized>(encoder: &mut Encoder<'_>, mode: Option<Mode>, value: &T) -> Written {
    let depth = encoder.begin_value();
    let written = match mode {
        None => value.serialize(PlainSerializer(encoder)),
        Some(mode) => redacted(encoder, mode, value),
    };
    // Whoever wrote the container around it may keep the error to himself.
    encoder.failed |= written.is_err();
    encoder.end_value(depth);
    written
}
