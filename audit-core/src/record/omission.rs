//! A copy of a record that shows less.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use thiserror::Error;

use super::Record;
use super::encode::CLIENT_REQUEST_ID;
use super::key::{Index, Key};
use crate::json;
use crate::sensitive::{Paths, REDACTED};

/// The paths that the record itself notes as redacted or cut; any other is of the payload.
const OWN_PATHS: &[&str] = &[
    "actor.id",
    "on_behalf_of.id",
    "invocation_chain",
    "invocation_chain[].id",
    "subjects",
    "subjects[].kind",
    "subjects[].id",
    "resource.kind",
    "resource.id",
    "tenant",
    "roles",
    "session",
    "…",
];

/// What copies of records do not show: it can only take away, and a record without it is still a record.
#[derive(Clone, Debug, Default)]
pub struct Omission {
    /// Full paths, without the brackets of lists: `subjects.id`.
    paths: Vec<String>,
}

/// A path that no record can leave out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidPath {
    /// A record has nothing there.
    #[error(
        "`{path}` leads nowhere in a record: a path begins with a key such as `source` or `actor`, that of a payload with `detail`"
    )]
    Unknown {
        /// The path.
        path: String,
    },
    /// A record without it would not be one.
    #[error("`{path}` stays: without it a record cannot be found, ordered or read")]
    Needed {
        /// The path.
        path: String,
    },
}

impl Omission {
    /// Leaves out what stands at a path such as `detail.email`, `source.ip` or `subjects[].id`, with everything below.
    /// Lists are walked through.
    ///
    /// # Errors
    ///
    /// [`InvalidPath`] where a record has no such place, or needs it.
    pub fn add(&mut self, path: &str) -> Result<(), InvalidPath> {
        let plain = path.replace("[]", "");
        check(&plain).map_err(|make| make(path.to_owned()))?;
        // What is withheld is withheld also where somebody claims it.
        if !plain.starts_with("claimed") && can_be_claimed(&plain) {
            self.paths.push(format!("claimed.{plain}"));
        }
        // It may well be the same one, by the word of the client.
        if plain == Key::CorrelationId.as_str() {
            self.paths.push(format!("claimed.{CLIENT_REQUEST_ID}"));
        }
        self.paths.push(plain);
        Ok(())
    }

    /// A copy without it; `None` where the record cannot be read, so that nothing can be taken away.
    pub fn apply(&self, record: &Record) -> Option<Record> {
        let entries: Entries<'_> = serde_json::from_str(record.json()).ok()?;
        let active: Vec<&str> = self.paths.iter().map(String::as_str).collect();
        let mut copy =
            Copy { out: String::with_capacity(record.json().len()), path: String::new(), omitted: Vec::new() };
        let mut written = Vec::with_capacity(entries.0.len());
        for (key, value) in &entries.0 {
            let start = copy.out.len();
            copy.entry(key, value, &active)?;
            written.push((Key::parse(key), key, copy.out.split_off(start)));
        }
        let redacted = copy.noted(&record.redacted(), true);
        let cut = copy.noted(&record.cut(), false);
        let mut lists = [(Key::Redacted, redacted), (Key::Cut, cut)].into_iter().peekable();

        let mut line = Line { out: copy.out, index: Index::EMPTY };
        line.out.push('{');
        for (known, key, value) in &written {
            while let Some((list, paths)) =
                lists.next_if(|(list, _)| known.is_some_and(|known| known as u8 >= *list as u8))
            {
                line.list(list, &paths);
            }
            if !matches!(known, Some(Key::Redacted | Key::Cut)) {
                line.put(*known, key, value);
            }
        }
        lists.for_each(|(list, paths)| line.list(list, &paths));
        line.out.push('}');
        Some(Record::from_parts(&line.out, line.index))
    }
}

fn check(path: &str) -> Result<(), fn(String) -> InvalidPath> {
    let unknown: fn(String) -> InvalidPath = |path| InvalidPath::Unknown { path };
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let key = Key::parse(key).ok_or(unknown)?;
    let fits = match (key, rest) {
        (
            Key::Reason
            | Key::Code
            | Key::Severity
            | Key::Tenant
            | Key::Roles
            | Key::Session
            | Key::CorrelationId
            | Key::TraceId
            | Key::LatencyUs,
            rest,
        ) => rest.is_none(),
        (Key::Actor | Key::OnBehalfOf | Key::InvocationChain | Key::Subjects | Key::Resource, rest) => {
            matches!(rest, None | Some("kind" | "id"))
        }
        (Key::Source, rest) => matches!(rest, None | Some("ip" | "user_agent" | "origin")),
        (Key::Detail, rest) => rest.is_none_or(|rest| rest.split('.').all(|segment| !segment.is_empty())),
        (Key::Claimed, None | Some(CLIENT_REQUEST_ID)) => true,
        (Key::Claimed, Some(rest)) => can_be_claimed(rest) && check(rest).is_ok(),
        _ => return Err(|path| InvalidPath::Needed { path }),
    };
    if fits { Ok(()) } else { Err(unknown) }
}

fn can_be_claimed(path: &str) -> bool {
    let key = path.split('.').next().and_then(Key::parse);
    matches!(
        key,
        Some(
            Key::Actor
                | Key::OnBehalfOf
                | Key::InvocationChain
                | Key::Tenant
                | Key::Roles
                | Key::Session
                | Key::Source
                | Key::CorrelationId
                | Key::TraceId
        )
    )
}

/// The copy while it is written.
struct Copy {
    out: String,
    /// Where it is, as records write paths.
    path: String,
    omitted: Vec<String>,
}

impl Copy {
    /// Writes what belongs to a key; `active` are the paths from its object on.
    fn entry(&mut self, key: &str, value: &RawValue, active: &[&str]) -> Option<()> {
        let depth = self.path.len();
        if depth > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        // A key may hold dots itself: where it is read as one step or as several, in doubt it is left out.
        let omitted = active.contains(&key);
        let below: Vec<&str> = active.iter().filter_map(|path| path.strip_prefix(key)?.strip_prefix('.')).collect();
        if omitted {
            self.omit(value);
        } else {
            self.value(value, &below)?;
        }
        self.path.truncate(depth);
        Some(())
    }

    fn value(&mut self, value: &RawValue, active: &[&str]) -> Option<()> {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'{') if !active.is_empty() => {
                let entries: Entries<'_> = serde_json::from_str(text).ok()?;
                self.out.push('{');
                for (key, value) in &entries.0 {
                    json::push_key(&mut self.out, key);
                    self.entry(key, value, active)?;
                }
                self.out.push('}');
            }
            Some(b'[') if !active.is_empty() => {
                let items: Items<'_> = serde_json::from_str(text).ok()?;
                let depth = self.path.len();
                self.path.push_str("[]");
                self.out.push('[');
                for (at, item) in items.0.iter().enumerate() {
                    if at > 0 {
                        self.out.push(',');
                    }
                    self.value(item, active)?;
                }
                self.out.push(']');
                self.path.truncate(depth);
            }
            _ => self.out.push_str(text),
        }
        Some(())
    }

    fn omit(&mut self, value: &RawValue) {
        let path = self.path.strip_prefix("detail.").unwrap_or(&self.path);
        if !self.omitted.iter().any(|omitted| omitted == path) && value.get().trim_matches('"') != REDACTED {
            self.omitted.push(path.to_owned());
        }
        json::push_string(&mut self.out, REDACTED);
    }

    /// What the record noted, less what lies within what was left out, whose keys may say something.
    fn noted(&self, paths: &[String], with_omitted: bool) -> Paths {
        let mut noted = Paths::default();
        let within = |path: &str, whole: &str| {
            let below = path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            let of_payload = || !OWN_PATHS.contains(&path) && !path.starts_with("claimed.");
            below || whole == "detail" && of_payload()
        };
        let kept = paths.iter().filter(|path| !self.omitted.iter().any(|whole| within(path, whole)));
        kept.for_each(|path| noted.note(path));
        if with_omitted {
            self.omitted.iter().for_each(|path| noted.note(path));
        }
        noted
    }
}

/// The line of a copy.
struct Line {
    out: String,
    index: Index,
}

impl Line {
    fn put(&mut self, known: Option<Key>, key: &str, value: &str) {
        json::push_key(&mut self.out, key);
        let start = self.out.len();
        self.out.push_str(value);
        if let Some(key) = known {
            self.index.set(key, start, self.out.len());
        }
    }

    fn list(&mut self, key: Key, paths: &Paths) {
        if !paths.is_empty() {
            self.put(Some(key), key.as_str(), &format!("[{}]", paths.json()));
        }
    }
}

/// The entries of an object, in their order.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<BorrowedKey<'de>, _>()? {
                    entries.push((entry.0.0, entry.1));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct BorrowedKey<'a>(#[serde(borrow)] Cow<'a, str>);

/// The items of a list.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }

        deserializer.deserialize_seq(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Action;

    fn without(record: &Record, paths: &[&str]) -> Record {
        let mut omission = Omission::default();
        for path in paths {
            omission.add(path).unwrap();
        }
        omission.apply(record).unwrap()
    }

    #[test]
    fn nothing_left_out_is_the_same_text() {
        let record = Record::builder(Action::new("test.copy")).field("n", &7).fields(|f| f.redacted("memo")).build();
        let copy = without(&record, &["source.ip", "detail.absent", "detail.n.deeper"]);
        assert_eq!(copy.json(), record.json());
        assert_eq!(copy.redacted(), ["memo"]);
    }

    #[test]
    fn what_a_record_needs_stays_and_typing_errors_are_seen() {
        let refused = |path: &str| Omission::default().add(path).unwrap_err();
        for path in ["schema", "id", "action", "occurred_at", "kind", "stage", "decision", "redacted", "seq.x", "flags"]
        {
            assert!(matches!(refused(path), InvalidPath::Needed { .. }), "{path}");
        }
        for path in ["", "email", "source.port", "detail.", "detail..a", "tenant.id", "claimed.detail", "actor.id.x"] {
            assert!(matches!(refused(path), InvalidPath::Unknown { .. }), "{path}");
        }
    }

    #[test]
    fn keys_with_dots_and_quotes_are_found_and_survive() {
        let record = Record::builder(Action::new("test.copy"))
            .fields(|fields| {
                fields.plain("a.b", "secret-1");
                fields.plain("q\"\n", "kept");
                fields.plain("a", &std::collections::BTreeMap::from([("b", "secret-2"), ("c", "kept")]));
            })
            .build();
        let copy = without(&record, &["detail.a.b"]);
        assert!(!copy.json().contains("secret"), "{copy:?}");
        assert_eq!(copy.detail(), Some(r#"{"a.b":"<redacted>","q\"\n":"kept","a":{"b":"<redacted>","c":"kept"}}"#));
        assert_eq!(copy.redacted(), ["a.b"]);
        assert!(record.json().contains("secret-1"), "the record itself is as it was");
    }

    #[test]
    fn what_a_client_calls_its_request_is_left_out_with_the_correlation_id_or_by_its_name() {
        let said = crate::AuditContext::new().client_request_id("s3cret");
        let record = Record::builder(Action::new("test.copy")).context(said).build();
        assert_eq!((record.claimed(), record.flags()), (Some(r#"{"client_request_id":"s3cret"}"#), vec![]));
        for path in ["correlation_id", "claimed.client_request_id", "claimed"] {
            let copy = without(&record, &[path]);
            assert!(!copy.json().contains("s3cret") && copy.claimed().is_some(), "{path}: {copy:?}");
        }
    }

    #[test]
    fn paths_within_what_is_left_out_go_with_it() {
        let record = Record::builder(Action::new("test.copy"))
            .fields(|fields| {
                fields.field("body", |encoder| {
                    encoder.object(|fields| {
                        fields.redacted("free_key");
                        fields.value("n", &1);
                    });
                });
                fields.redacted("memo");
            })
            .build();
        assert_eq!(record.redacted(), ["body.free_key", "memo"]);
        assert_eq!(without(&record, &["detail.body"]).redacted(), ["memo", "body"]);
        let bare = without(&record, &["detail"]);
        assert_eq!((bare.detail(), bare.redacted()), (Some(r#""<redacted>""#), vec!["detail".to_owned()]));
        assert!(!bare.json().contains("free_key"));
    }
}
