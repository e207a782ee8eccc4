//! What the shapes hold that says nothing of itself, or misbehaves.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::net::IpAddr;

use audited::testing::Secrets;
use audited::{Encoder, Redactor};
use serde::ser::{Error, SerializeMap, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A redactor of whatever there is.
pub(super) struct Withheld;

impl<T: ?Sized> Redactor<T> for Withheld {
    fn redact(_: &T, encoder: &mut Encoder<'_>) {
        encoder.remainder("withheld");
    }
}

/// A type that nobody has classified.
#[derive(Deserialize, Serialize)]
pub(super) struct Details {
    pub(super) figure: String,
    pub(super) keeper: String,
}

/// Another, around whatever it holds.
#[derive(Deserialize, Serialize)]
pub(super) struct Held<T> {
    pub(super) inner: T,
    pub(super) roll: Vec<T>,
}

pub(super) fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

/// An address that is written as it was drawn: no part of it begins with a zero.
pub(super) fn address(secrets: &mut Secrets, path: &str) -> IpAddr {
    loop {
        let text = secrets.like(path, "2ab1:db8b:ac96:774b:bcce:b3f2:199a:8e57");
        let address: IpAddr = text.parse().unwrap();
        if address.to_string() == text {
            return address;
        }
    }
}

/// Writes a text as the hex digits of its bytes.
pub(super) mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(in super::super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let bytes = (0..digits.len()).step_by(2).map(byte).collect::<Option<_>>();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| de::Error::custom("no hex"))
    }
}

/// Writes a text twice.
pub(super) mod doubled {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        [text, text].serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        <[String; 2]>::deserialize(deserializer).map(|[_, text]| text)
    }
}

/// Writes its text, and fails with it.
pub(super) struct Fails(pub(super) String);

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Fails", 2)?;
        fields.serialize_field("text", &self.0)?;
        Err(S::Error::custom(&self.0))
    }
}

/// As [`Fails`], as a function.
pub(super) fn fails<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let mut entries = serializer.serialize_map(None)?;
    entries.serialize_entry("text", text)?;
    entries.serialize_key(text)?;
    Err(S::Error::custom(text))
}

/// Writes its text, and panics with it.
pub(super) struct Panics(pub(super) String);

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Panics", 1)?;
        fields.serialize_field("text", &self.0)?;
        std::panic::resume_unwind(Box::new(self.0.clone()));
    }
}

/// Says that it is one number, and is several texts under the name of a raw value.
pub(super) struct Lies(pub(super) String);

impl Serialize for Lies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Lies", 1)?;
        fields.serialize_field("one", &self.0)?;
        fields.serialize_field("one", &[&self.0])?;
        fields.serialize_field("three", &Some(&self.0))?;
        fields.end()
    }
}

/// As `from` an array does, which costs the compiler a sort for each type.
pub(super) fn map_of<K: Ord, V>(key: K, value: V) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.insert(key, value);
    map
}

pub(super) fn hash_map_of<K: Eq + Hash, V>(key: K, value: V) -> HashMap<K, V> {
    let mut map = HashMap::new();
    map.insert(key, value);
    map
}

pub(super) fn set_of<T: Ord>(item: T) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.insert(item);
    set
}

pub(super) fn hash_set_of<T: Eq + Hash>(item: T) -> HashSet<T> {
    let mut set = HashSet::new();
    set.insert(item);
    set
}
