//! A plain store to compare with: a list, searched from end to end, over the JSON of its records. It shares nothing with
//! what it is compared with.

use std::collections::HashMap;
use std::fmt::Write as _;

use audited::{ActorKind, AnyOf, Ending, Kind, Query, Record, RecordId, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// One thing that is asked, in the words of the test.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Tenant(Vec<String>),
    From(i64),
    Until(i64),
    Action { exact: Vec<String>, prefixes: Vec<String> },
    User(Vec<String>),
    Actor { kind: Option<&'static str>, id: Option<Vec<String>> },
    Subject { kind: String, id: Vec<String> },
    Resource { kind: String, id: Option<Vec<String>> },
    Allowed(bool),
    Reason(Vec<String>),
    Ended(&'static str),
    Code(Vec<String>),
    Correlation(Vec<String>),
    Kind(&'static str),
    Text { path: String, texts: Vec<String> },
    Id(String),
    Not(String),
}

/// Which intents are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shown {
    WithOrphans,
    OrphansAlone,
    NoIntents,
}

/// A record, with its place among others.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) record: Record,
    pub(crate) json: Value,
    /// When it happened, and its id.
    pub(crate) key: (i64, String),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// In the order in which they arrived.
    pub(crate) entries: Vec<Entry>,
}

impl Entry {
    /// Of a record that happened then.
    pub(crate) fn new(record: Record, micros: i64) -> Self {
        let json = read(record.json());
        let id = json["id"].as_str().unwrap().to_owned();
        Self { record, json, key: (micros, id) }
    }

    fn place(&self) -> Option<(&str, u64)> {
        Some((self.json["stream"].as_str()?, self.json["seq"].as_u64()?))
    }

    fn content(&self) -> Value {
        let mut json = self.json.clone();
        json.as_object_mut().unwrap().retain(|key, _| !matches!(&**key, "stream" | "seq" | "prev" | "origin"));
        json
    }

    fn is_intent(&self) -> bool {
        self.json["stage"] == "intent"
    }
}

impl Model {
    /// Takes a batch, or nothing of it where that is a conflict.
    pub(crate) fn write(&mut self, batch: &[Entry]) -> bool {
        let before = self.entries.len();
        for entry in batch {
            match self.knows(entry) {
                Some(true) => {}
                Some(false) => {
                    self.entries.truncate(before);
                    return false;
                }
                None => self.entries.push(entry.clone()),
            }
        }
        true
    }

    /// Whether a record is there already; `false` where another is.
    fn knows(&self, entry: &Entry) -> Option<bool> {
        let occupied = self
            .entries
            .iter()
            .any(|other| other.place().is_some() && other.place() == entry.place() && other.key.1 != entry.key.1);
        let same_id = self.entries.iter().find(|other| other.key.1 == entry.key.1);
        match same_id {
            None if occupied => Some(false),
            None => None,
            Some(other) => {
                let moved = entry.place().is_some() && other.place().is_some() && entry.place() != other.place();
                Some(other.content() == entry.content() && !moved && !occupied)
            }
        }
    }

    /// What is found, in its order.
    pub(crate) fn select(&self, asks: &[Ask], shown: Shown, oldest_first: bool) -> Vec<&Entry> {
        let mut found: Vec<_> = self.entries.iter().filter(|entry| self.finds(entry, asks, shown)).collect();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        if !oldest_first {
            found.reverse();
        }
        found
    }

    /// What has arrived behind so many records.
    pub(crate) fn arrived(&self, asks: &[Ask], behind: usize) -> Vec<&Entry> {
        self.entries[behind..].iter().filter(|entry| self.finds(entry, asks, Shown::NoIntents)).collect()
    }

    fn finds(&self, entry: &Entry, asks: &[Ask], shown: Shown) -> bool {
        let is_orphan = || {
            let call = &entry.json["call"];
            !self.entries.iter().any(|other| call.is_string() && other.json["id"] == *call)
        };
        let may_show = match (entry.is_intent(), shown) {
            (false, shown) => shown != Shown::OrphansAlone,
            (true, Shown::NoIntents) => false,
            (true, _) => is_orphan(),
        };
        may_show && asks.iter().all(|ask| ask.holds(entry))
    }
}

impl Ask {
    pub(crate) fn holds(&self, entry: &Entry) -> bool {
        let json = &entry.json;
        let micros = entry.key.0;
        match self {
            Self::Tenant(any) => is_any(&json["tenant"], any),
            Self::From(moment) => micros >= *moment,
            Self::Until(moment) => micros < *moment,
            Self::Action { exact, prefixes } => {
                let action = json["action"].as_str().unwrap();
                exact.iter().any(|exact| exact == action)
                    || prefixes.iter().any(|prefix| action.as_bytes().starts_with(prefix.as_bytes()))
            }
            Self::User(any) => {
                is_party(&json["actor"], "user", any) || subjects(json).iter().any(|is| is_party(is, "user", any))
            }
            Self::Actor { kind, id } => {
                json["actor"]["kind"].is_string()
                    && kind.is_none_or(|kind| json["actor"]["kind"] == kind)
                    && id.as_ref().is_none_or(|any| is_any(&json["actor"]["id"], any))
            }
            Self::Subject { kind, id } => subjects(json).iter().any(|is| is_party(is, kind, id)),
            Self::Resource { kind, id } => {
                let is = &json["resource"];
                is["id"].is_string() && is["kind"] == **kind && id.as_ref().is_none_or(|any| is_any(&is["id"], any))
            }
            Self::Allowed(allowed) => json["decision"] == if *allowed { "allow" } else { "deny" },
            Self::Reason(any) => {
                json["decision"] == "deny" && any.iter().any(|any| any == json["reason"].as_str().unwrap_or_default())
            }
            Self::Ended(how) => json["outcome"] == *how,
            Self::Code(any) => {
                json["outcome"] == "failure" && any.iter().any(|any| any == json["code"].as_str().unwrap_or_default())
            }
            Self::Correlation(any) => is_any(&json["correlation_id"], any),
            Self::Kind(kind) => json["kind"] == *kind,
            Self::Text { path, texts } => {
                let mut leaves = Vec::new();
                collect(json, None, &mut leaves);
                leaves.iter().any(|(at, text)| at == path && texts.contains(text))
            }
            Self::Id(id) => entry.key.1 == *id,
            Self::Not(id) => entry.key.1 != *id,
        }
    }

    /// Adds it to a query. What only a reader asks is no part of one.
    pub(crate) fn add_to(&self, query: Query) -> Query {
        let any = |texts: &Vec<String>| AnyOf::from_iter(texts);
        let moment = |micros: i64| Timestamp::from_unix_micros(micros).unwrap();
        match self {
            Self::From(from) => query.from(moment(*from)),
            Self::Until(until) => query.until(moment(*until)),
            Self::Action { exact, prefixes } => {
                let query = if exact.is_empty() && !prefixes.is_empty() { query } else { query.actions(exact) };
                prefixes.iter().fold(query, Query::action_prefix)
            }
            Self::User(ids) => query.user(any(ids)),
            Self::Actor { kind: Some(kind), id: Some(ids) } => query.actor(actor_kind(kind), any(ids)),
            Self::Actor { kind: Some(kind), id: None } => query.actor_kind(actor_kind(kind)),
            Self::Subject { kind, id } => query.subject(kind, any(id)),
            Self::Resource { kind, id: Some(ids) } => query.resource(kind, any(ids)),
            Self::Resource { kind, id: None } => query.resource_kind(kind),
            Self::Allowed(true) => query.allowed(),
            Self::Allowed(false) => query.denied(),
            Self::Reason(reasons) => query.deny_reason(any(reasons)),
            Self::Ended("success") => query.succeeded(),
            Self::Ended("failure") => query.failed(),
            Self::Ended(_) => query.outcome(Ending::Unknown),
            Self::Code(codes) => query.failure_code(any(codes)),
            Self::Correlation(ids) => query.correlation_id(any(ids)),
            Self::Kind(kind) => query.kind(match *kind {
                "call" => Kind::Call,
                "event" => Kind::Event,
                _ => Kind::System,
            }),
            Self::Text { path, texts } => query.text(path, any(texts)),
            Self::Id(id) => query.id(id.parse::<RecordId>().unwrap()),
            Self::Tenant(_) | Self::Not(_) | Self::Actor { kind: None, .. } => unreachable!("no query asks it"),
        }
    }
}

/// Reads a record, as far as that goes: half a surrogate is no text, and what is too deep stays unread.
fn read(json: &str) -> Value {
    let json = json.replace("\\ud800", "?");
    serde_json::from_str(&json).unwrap_or_else(|_| {
        let entries: HashMap<String, Box<RawValue>> = serde_json::from_str(&json).unwrap();
        let shallow = |value: &RawValue| -> Value {
            serde_json::from_str(value.get()).unwrap_or_else(|_| Value::from(value.get()))
        };
        entries.into_iter().map(|(key, value)| (key, shallow(&value))).collect()
    })
}

fn actor_kind(kind: &str) -> ActorKind {
    match kind {
        "user" => ActorKind::User,
        "service" => ActorKind::Service,
        "system" => ActorKind::System,
        _ => ActorKind::Anonymous,
    }
}

fn is_any(value: &Value, any: &[String]) -> bool {
    value.as_str().is_some_and(|text| any.iter().any(|any| cut(any) == text))
}

fn is_party(value: &Value, kind: &str, any: &[String]) -> bool {
    value["kind"] == kind && is_any(&value["id"], any)
}

fn subjects(json: &Value) -> &[Value] {
    json["subjects"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Every text, number and truth value, and where it stands.
fn collect(value: &Value, path: Option<&str>, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let below = path.map_or_else(|| key.clone(), |path| format!("{path}.{key}"));
                collect(value, Some(&below), leaves);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, leaves)),
        Value::String(text) => leaves.push((path.unwrap_or_default().into(), text.clone())),
        Value::Number(_) | Value::Bool(_) => leaves.push((path.unwrap_or_default().into(), value.to_string())),
        Value::Null => {}
    }
}

/// What a record shows of an identity: of more than 256 bytes the first 128, as far as they are whole characters, and a
/// digest.
pub(crate) fn cut(text: &str) -> String {
    if text.len() <= 256 {
        return text.to_owned();
    }
    let mut cut: String = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= 128).map(|(_, c)| c).collect();
    cut.push_str("…sha256:");
    for byte in Sha256::digest(text) {
        write!(cut, "{byte:02x}").unwrap();
    }
    cut
}
