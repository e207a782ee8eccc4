//! A sieve passes over nothing that its selection finds, however a record is written; and what sieves may get wrong is seen.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use audited::{
    Arrived, AuditSink, AuditStore, CursorKey, Durability, Position, Query, Record, Selection, SinkError, StoreError,
    StoredRecord,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use super::generate::{Random, Whose, entry, question, rings, whose};
use super::made::EPOCH;
use crate::contract::block_on;

/// The keys of a record that this crate writes first, in its order.
const HEAD: [&str; 9] = ["stream", "schema", "id", "kind", "stage", "action", "occurred_at", "recorded_at", "decision"];

/// How many records each question is asked of.
const RECORDS: usize = 12;

type MayMatch = dyn Fn(&Selection, &str) -> bool;

#[test]
fn nothing_that_is_found_is_passed_over() {
    check(3_000, &|selection, json| selection.sieve().may_match(json.as_bytes())).unwrap();
}

#[test]
fn a_sieve_that_knows_no_escapes_is_seen() {
    let broken = |selection: &Selection, json: &str| {
        let json = json.replace("\\u", "..").replace("\\/", "./");
        selection.sieve().may_match(json.as_bytes())
    };
    assert!(check(3_000, &broken).is_err());
}

#[test]
fn a_sieve_whose_moments_are_too_narrow_is_seen() {
    let broken = |selection: &Selection, json: &str| {
        let mut sieve = selection.sieve();
        sieve.not_after(EPOCH + 2);
        sieve.may_match(json.as_bytes())
    };
    assert!(check(3_000, &broken).is_err());
}

#[test]
fn it_passes_over_nearly_all_that_is_not_found() {
    let asked = selection(&Whose::Everybodys, &Query::new().user("u-17").denied());
    let sieve = asked.sieve();
    let record = |id: &str, decision: &str| {
        format!(
            r#"{{"schema":1,"id":"01a2b3c4-0000-7000-8000-000000000001","action":"a","decision":"{decision}","actor":{{"kind":"user","id":"{id}"}},"detail":{{"x":"a\"b\\n"}}}}"#
        )
    };
    assert!(sieve.may_match(record("u-17", "deny").as_bytes()));
    for (id, decision) in [("u-17", "allow"), ("u-1", "deny"), ("u-170", "deny")] {
        assert!(!sieve.may_match(record(id, decision).as_bytes()), "{id} {decision}");
    }
    // It may be the same text.
    assert!(sieve.may_match(record("u\\u002d17", "deny").as_bytes()));
    let mut sieve = selection(&Whose::Everybodys, &Query::new()).sieve();
    sieve.not_before(EPOCH);
    let at = |moment: &str| {
        format!(
            r#"{{"schema":1,"id":"01a2b3c4-0000-7000-8000-000000000001","kind":"call","stage":"completed","action":"a","occurred_at":"{moment}"}}"#
        )
    };
    assert!(sieve.may_match(at("2023-11-14T22:13:20.000000Z").as_bytes()));
    assert!(!sieve.may_match(at("2023-11-14T22:13:19.999999Z").as_bytes()));
}

/// Asks random questions of random records, spelled at random.
fn check(cases: u32, may_match: &MayMatch) -> Result<(), String> {
    let mut runner = TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let checked = runner.run(&any::<u64>(), |seed| {
        let mut random = Random::new(seed);
        let mut known = Vec::new();
        for _ in 0..RECORDS {
            let next = entry(&mut random, &known);
            known.push(next);
        }
        let of_arrivals = random.once_in(4);
        let asked = selection(&whose(&mut random), &question(&mut random, &known, of_arrivals).query());
        for entry in &known {
            let json = spelled(&mut random, &entry.json);
            let record = StoredRecord::parse(&*json).unwrap_or_else(|error| panic!("{error}: {json}"));
            prop_assert!(
                !asked.matches(&record) || may_match(&asked, &json),
                "{:?} passes over {}",
                asked.conditions(),
                json
            );
        }
        Ok(())
    });
    checked.map_err(|error| error.to_string())
}

/// A record as this crate writes one, or as somebody else might.
fn spelled(random: &mut Random, json: &Value) -> String {
    let mut out = String::new();
    let style = random.below(4);
    let object = json.as_object().unwrap();
    let head = HEAD.iter().filter_map(|key| object.get_key_value(*key));
    let rest = object.iter().filter(|(key, _)| !HEAD.contains(&key.as_str()));
    out.push('{');
    for (at, (key, value)) in head.chain(rest).enumerate() {
        if at > 0 {
            out.push(',');
        }
        text(random, style, key, &mut out);
        out.push(':');
        push(random, style, value, &mut out);
    }
    out.push('}');
    out
}

fn push(random: &mut Random, style: usize, value: &Value, out: &mut String) {
    if style == 3 && random.once_in(3) {
        out.push(' ');
    }
    match value {
        Value::String(value) => text(random, style, value, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                push(random, style, item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                text(random, style, key, out);
                out.push(':');
                push(random, style, value, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// A string: as this crate writes it, or with escapes that it never writes.
fn text(random: &mut Random, style: usize, text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if style > 1 => out.push_str("\\/"),
            c if c < ' ' || (style > 1 && random.once_in(6)) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn selection(whose: &Whose, query: &Query) -> Selection {
    let catch = Catch::default();
    let reader = match whose {
        Whose::Everybodys => catch.global("suite"),
        Whose::Tenants(tenant) => catch.tenant(*tenant),
        Whose::Hashed(tenant) => catch.tenant_hashed(&rings().0, tenant),
    };
    block_on(reader.unrecorded().count(query)).unwrap();
    let caught = catch.0.lock().unwrap().take();
    caught.unwrap()
}

/// Keeps what it is asked.
#[derive(Clone, Default)]
struct Catch(Arc<Mutex<Option<Selection>>>);

#[async_trait::async_trait]
impl AuditStore for Catch {
    async fn select(&self, _: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        *self.0.lock().unwrap() = Some(selection.clone());
        Ok(0)
    }

    async fn arrived(&self, _: &Selection, _: &Position) -> Result<Arrived, StoreError> {
        Err(StoreError::Closed)
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Err(StoreError::Closed)
    }

    async fn grown(&self, _: &Position) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        Err(StoreError::Closed)
    }
}

#[async_trait::async_trait]
impl AuditSink for Catch {
    async fn write(&self, _: &[Record]) -> Result<(), SinkError> {
        Err(SinkError::Closed)
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "catch".into()
    }
}
