//! Random appends and questions, beside a plain model: the same answers, row for row.

use audited::{AuditStore, Cursor, MemoryStore, Query, Reader, Record, RecordId, Since, SinkError, StoredRecord};

use super::generate::{Question, Random, Whose, entry, question, rings, whose};
use super::model::{Ask, Entry, Model, Shown};
use super::{Fixture, memory};
use crate::contract::block_on;

/// How many steps a store of the test lives.
const STEPS: usize = 100;

/// Asserts that a store answers as the model does, so many times; `AUDITED_STORE_CASES` asks for another number, and
/// `AUDITED_STORE_SEED` for another run.
pub(crate) fn answers_as_the_model(make: impl Fn() -> Fixture, cases: usize) {
    let seed = number("AUDITED_STORE_SEED").unwrap_or(7);
    let cases = number("AUDITED_STORE_CASES").map_or(cases, |cases| usize::try_from(cases).unwrap());
    let mut answered = 0;
    for session in 0.. {
        if answered >= cases {
            return;
        }
        let mut run = Run::new(make(), seed + session);
        for step in 0..STEPS {
            run.at = format!("AUDITED_STORE_SEED={} session 0 step {step}", seed + session);
            run.step();
        }
        answered += run.answered;
    }
}

pub(crate) fn number(variable: &str) -> Option<u64> {
    Some(std::env::var(variable).ok()?.parse().expect("a number"))
}

/// A store, its model, and readings that go on.
struct Run {
    fixture: Fixture,
    model: Model,
    random: Random,
    walks: Vec<Walk>,
    /// How many answers were compared.
    answered: usize,
    at: String,
}

/// A reading of what arrives, which goes on now and then.
struct Walk {
    whose: Whose,
    question: Question,
    at: Cursor,
    /// How many records the model had when it was read last.
    behind: usize,
}

impl Run {
    fn new(fixture: Fixture, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { fixture, model: Model::default(), random, walks: Vec::new(), answered: 0, at: String::new() }
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0..3 => self.append(),
            3 => self.get(),
            4 => self.begin_walk(),
            5 | 6 if !self.walks.is_empty() => self.go_on(),
            _ => self.ask(),
        }
    }

    fn append(&mut self) {
        let mut batch: Vec<Entry> = Vec::new();
        for _ in 0..self.random.one_of(&[1, 1, 2, 3, 8]) {
            let known: Vec<_> = self.model.entries.iter().chain(&batch).cloned().collect();
            let entry = entry(&mut self.random, &known);
            if !is_undecided(&known, &entry) {
                batch.push(entry);
            }
        }
        let records: Vec<Record> = batch.iter().map(|entry| entry.record.clone()).collect();
        let written = self.fixture.write(&records);
        if self.model.write(&batch) {
            written.unwrap_or_else(|error| panic!("{}: {error}: {records:#?}", self.at));
        } else {
            assert!(matches!(written, Err(SinkError::Conflict(_))), "{}: {written:?}: {records:#?}", self.at);
        }
        self.answered += 1;
    }

    fn ask(&mut self) {
        let whose = whose(&mut self.random);
        let question = question(&mut self.random, &self.model.entries, false);
        let (reader, query) = (self.reader(&whose), question.query());
        let asks = Self::asks(&whose, &question);
        let expected = self.model.select(&asks, question.shown, question.oldest_first);
        let count = block_on(reader.count(&query)).unwrap();
        assert_eq!(count, expected.len() as u64, "{}: counted: {whose:?} {question:?}", self.at);
        let mut rest = expected.into_iter().skip(question.offset);
        let mut page = block_on(reader.page(&query)).unwrap();
        let limit = question.limit.min(1000);
        loop {
            let expected: Vec<_> = rest.by_ref().take(limit).collect();
            self.assert_same(&page.records, &expected, &whose, &question);
            let Some(next) = page.next else { break };
            page = block_on(reader.page(&query.clone().after(next))).unwrap();
        }
        assert_eq!(rest.count(), 0, "{}: there are more: {whose:?} {question:?}", self.at);
        self.answered += 1;
    }

    fn get(&mut self) {
        let Some(entry) = self.one_of_the_model() else { return };
        let whose = whose(&mut self.random);
        let found = block_on(self.reader(&whose).get(entry.key.1.parse::<RecordId>().unwrap())).unwrap();
        let asks: Vec<_> = whose.asks().into_iter().chain([Ask::Id(entry.key.1.clone())]).collect();
        let expected = self.model.select(&asks, Shown::WithOrphans, false);
        let found: Vec<_> = found.into_iter().collect();
        assert_eq!(texts(&found), model_texts(&expected), "{}: {whose:?}", self.at);
        self.answered += 1;
    }

    fn one_of_the_model(&mut self) -> Option<Entry> {
        let entries = &self.model.entries;
        (!entries.is_empty()).then(|| entries[self.random.below(entries.len())].clone())
    }

    fn begin_walk(&mut self) {
        let whose = whose(&mut self.random);
        let question = question(&mut self.random, &self.model.entries, true);
        let reader = self.reader(&whose);
        let (since, behind) =
            if self.random.once_in(4) { (Since::Now, self.model.entries.len()) } else { (Since::Beginning, 0) };
        let (at, records) = walk(&reader, &question.query(), since);
        let asks = Self::asks(&whose, &question);
        self.assert_same(&records, &self.model.arrived(&asks, behind), &whose, &question);
        self.walks.push(Walk { whose, question, at, behind: self.model.entries.len() });
        self.answered += 1;
    }

    fn go_on(&mut self) {
        let at = self.random.below(self.walks.len());
        let reading = self.walks.swap_remove(at);
        let (reader, query) = (self.reader(&reading.whose), reading.question.query());
        let (at, records) = walk(&reader, &query, Since::Cursor(reading.at));
        let asks = Self::asks(&reading.whose, &reading.question);
        self.assert_same(&records, &self.model.arrived(&asks, reading.behind), &reading.whose, &reading.question);
        self.walks.push(Walk { at, behind: self.model.entries.len(), ..reading });
        self.answered += 1;
    }

    fn asks(whose: &Whose, question: &Question) -> Vec<Ask> {
        whose.asks().into_iter().chain(question.asks.iter().cloned()).collect()
    }

    fn reader(&self, whose: &Whose) -> Reader {
        reader(&self.fixture, whose)
    }

    #[track_caller]
    fn assert_same(&self, found: &[StoredRecord], expected: &[&Entry], whose: &Whose, question: &Question) {
        assert_eq!(texts(found), model_texts(expected), "{}: {whose:?} {question:?}", self.at);
    }
}

pub(crate) fn reader(fixture: &Fixture, whose: &Whose) -> Reader {
    match whose {
        Whose::Everybodys => fixture.global(),
        Whose::Tenants(tenant) => fixture.tenant(tenant),
        Whose::Hashed(tenant) => fixture.store.tenant_hashed(&rings().0, tenant).unrecorded(),
    }
}

fn walk(reader: &Reader, query: &Query, mut since: Since) -> (Cursor, Vec<StoredRecord>) {
    let mut records = Vec::new();
    loop {
        let arrivals = block_on(reader.since(query, since)).unwrap();
        records.extend(arrivals.records);
        if !arrivals.more {
            return (arrivals.next, records);
        }
        since = Since::Cursor(arrivals.next);
    }
}

/// Whether a store may do as it likes: a record that it has without a place comes with one, or with one that such a
/// record had.
fn is_undecided(known: &[Entry], entry: &Entry) -> bool {
    let place = |entry: &Entry| Some((entry.json["stream"].as_str()?.to_owned(), entry.json["seq"].as_u64()?));
    let placeless = known.iter().any(|other| other.key.1 == entry.key.1 && place(other).is_none());
    placeless && place(entry).is_some()
}

fn texts(records: &[StoredRecord]) -> Vec<&str> {
    records.iter().map(|record| record.json()).collect()
}

fn model_texts<'a>(entries: &[&'a Entry]) -> Vec<&'a str> {
    entries.iter().map(|entry| entry.record.json()).collect()
}

#[test]
fn memory_answers_as_the_model() {
    answers_as_the_model(memory, 10_000);
}

#[test]
fn a_full_memory_takes_nothing_of_a_batch() {
    let fixture = Fixture::new(MemoryStore::with_capacity(5));
    let batch: Vec<_> = (0..4).map(|n| super::made::made(&n.to_string(), serde_json::json!({}))).collect();
    fixture.write(&batch[..3]).unwrap();
    let more = [
        batch[3].clone(),
        super::made::made("x", serde_json::json!({})),
        super::made::made("y", serde_json::json!({})),
    ];
    assert!(matches!(fixture.write(&more), Err(SinkError::Full)));
    assert_eq!(block_on(fixture.global().count(&Query::new())).unwrap(), 3);
    // What it has already needs no room.
    fixture.write(&batch).unwrap();
    fixture.write(&[batch.clone(), more[1..2].to_vec()].concat()).unwrap();
    assert!(matches!(fixture.write(&more), Err(SinkError::Full)));
    assert_eq!(block_on(fixture.global().count(&Query::new())).unwrap(), 5);
}
