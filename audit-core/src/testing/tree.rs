//! JSON as a tree that keeps the order of its entries and the text of its numbers.

use std::collections::HashSet;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::json;

/// A JSON value. A number stays as it is written: the widest do not fit into what `serde_json::Value` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Object(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    Text(String),
    /// A number, a boolean or null, as written.
    Other(String),
}

/// One step down a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of the entry at this position.
    Entry(usize),
    /// The name of the entry at this position. Nothing lies below it.
    Name(usize),
    /// The item at this position.
    Item(usize),
}

impl Tree {
    pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        Self::parse(&serde_json::to_string(value)?)
    }

    pub(super) fn parse(json: &str) -> serde_json::Result<Self> {
        let json = json.trim_ascii();
        match json.as_bytes().first() {
            Some(b'{') => {
                let entries = serde_json::from_str::<Entries<'_>>(json)?.0.into_iter();
                entries.map(|(key, raw)| Ok((key, Self::parse(raw.get())?))).collect::<Result<_, _>>().map(Self::Object)
            }
            Some(b'[') => {
                let items = serde_json::from_str::<Vec<&RawValue>>(json)?.into_iter();
                items.map(|raw| Self::parse(raw.get())).collect::<Result<_, _>>().map(Self::Array)
            }
            Some(b'"') => serde_json::from_str(json).map(Self::Text),
            _ => Ok(Self::Other(json.to_owned())),
        }
    }

    pub(super) fn json(&self) -> String {
        let mut out = String::new();
        self.push(&mut out);
        out
    }

    fn push(&self, out: &mut String) {
        match self {
            Self::Object(entries) => {
                out.push('{');
                for (key, value) in entries {
                    json::push_key(out, key);
                    value.push(out);
                }
                out.push('}');
            }
            Self::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.push(out);
                }
                out.push(']');
            }
            Self::Text(text) => json::push_string(out, text),
            Self::Other(raw) => out.push_str(raw),
        }
    }

    /// What lies where the steps lead.
    pub(super) fn at(&self, steps: &[Step]) -> Option<&Self> {
        let Some((step, rest)) = steps.split_first() else { return Some(self) };
        match (self, *step) {
            (Self::Object(entries), Step::Entry(at)) => entries.get(at)?.1.at(rest),
            (Self::Array(items), Step::Item(at)) => items.get(at)?.at(rest),
            _ => None,
        }
    }

    /// Every text, number and name in it.
    pub(super) fn texts(&self) -> HashSet<&str> {
        match self {
            Self::Object(entries) => {
                entries.iter().flat_map(|(name, value)| value.texts().into_iter().chain([name.as_str()])).collect()
            }
            Self::Array(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Text(text) | Self::Other(text) => HashSet::from([text.as_str()]),
        }
    }

    fn at_mut(&mut self, steps: &[Step]) -> Option<&mut Self> {
        let Some((step, rest)) = steps.split_first() else { return Some(self) };
        match (self, *step) {
            (Self::Object(entries), Step::Entry(at)) => entries.get_mut(at)?.1.at_mut(rest),
            (Self::Array(items), Step::Item(at)) => items.get_mut(at)?.at_mut(rest),
            _ => None,
        }
    }

    /// The same tree with another value where the steps lead; where that is a name, with that text as the name.
    pub(super) fn with(&self, steps: &[Step], value: Self) -> Option<Self> {
        let mut tree = self.clone();
        match (steps.split_last(), value) {
            (Some((Step::Name(at), above)), Self::Text(name)) => {
                let Self::Object(entries) = tree.at_mut(above)? else { return None };
                entries.get_mut(*at)?.0 = name;
            }
            (_, value) => *tree.at_mut(steps)? = value,
        }
        Some(tree)
    }

    /// The items, where each is a whole number that fits into a byte.
    pub(super) fn as_bytes(&self) -> Option<usize> {
        let Self::Array(items) = self else { return None };
        let is_byte = |item: &Self| matches!(item, Self::Other(raw) if raw.parse::<u8>().is_ok());
        (!items.is_empty() && items.iter().all(is_byte)).then_some(items.len())
    }
}

/// The entries of an object, borrowed from its text.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_doubles_and_wide_numbers_survive() {
        let json = r#"{"b":340282366920938463463374607431768211455,"a":[{},[],"\"ü",1.50,null],"a":true}"#;
        assert_eq!(Tree::parse(json).unwrap().json(), json);
    }

    #[test]
    fn values_and_names_are_replaced_where_the_steps_lead() {
        let tree = Tree::parse(r#"{"a":[1,{"b":2}]}"#).unwrap();
        let steps = [Step::Entry(0), Step::Item(1), Step::Entry(0)];
        assert_eq!(tree.at(&steps), Some(&Tree::Other("2".into())));
        assert_eq!(tree.with(&steps, Tree::Text("x".into())).unwrap().json(), r#"{"a":[1,{"b":"x"}]}"#);
        let name = [Step::Entry(0), Step::Item(1), Step::Name(0)];
        assert_eq!(tree.with(&name, Tree::Text("x".into())).unwrap().json(), r#"{"a":[1,{"x":2}]}"#);
        assert_eq!(tree.with(&[Step::Item(0)], Tree::Text("x".into())), None);
    }
}
