//! A tenant's reader is asked anything, also by somebody who holds the cursors of others: never a foreign row.

use std::thread;

use audited::{Cursor, Query, Reader, Since, StoreError, StoredRecord};
use serde_json::{Value, json};

use super::generate::{Random, TENANTS, question};
use super::made::{HOSTILE, made, moment};
use super::random::number;
use super::{Fixture, memory};
use crate::contract::block_on;

/// How many records each tenant has.
const EACH: usize = 5;

/// Asks so many random things, and asserts that nobody gets what is not theirs; `AUDITED_STORE_QUERIES` asks for
/// another number.
pub(crate) fn gives_no_foreign_row(make: impl Fn() -> Fixture, queries: usize) {
    let seed = number("AUDITED_STORE_SEED").unwrap_or(7);
    let queries = number("AUDITED_STORE_QUERIES").map_or(queries, |queries| usize::try_from(queries).unwrap());
    let fixture = make();
    let mut random = Random::new(seed);
    for n in 0..EACH {
        for tenant in TENANTS.iter().map(|tenant| json!(tenant)).chain([Value::Null, json!(""), json!("<redacted>")]) {
            fixture.write(&[made(&n.to_string(), keys(&mut random, &tenant))]).unwrap();
        }
    }
    let readers: Vec<_> = TENANTS.iter().map(|tenant| fixture.tenant(tenant)).collect();
    thread::scope(|scope| {
        let threads = 2;
        for thread in 0..threads {
            let (readers, seed) = (&readers, seed ^ (thread as u64) << 32);
            scope
                .spawn(move || Asking { readers, random: Random::new(seed), given: Vec::new() }.ask(queries / threads));
        }
    });
}

fn keys(random: &mut Random, tenant: &Value) -> Value {
    let text = random.one_of(HOSTILE);
    let both = json!({ "kind": "user", "id": text });
    json!({
        "tenant": tenant, "action": random.one_of(&["a", "a.b", text]), "actor": both, "subjects": [both], "resource": both,
        "decision": random.one_of(&["allow", "deny"]), "reason": text, "outcome": "failure", "code": text,
        "occurred_at": moment(i64::try_from(random.below(4)).unwrap()).to_string(), "detail": { "x": text },
    })
}

/// Somebody who asks.
struct Asking<'a> {
    readers: &'a [Reader],
    random: Random,
    /// The cursors that anybody was given, by whom and for which query.
    given: Vec<(usize, Query, Cursor)>,
}

impl Asking<'_> {
    fn ask(mut self, queries: usize) {
        let mut rows = 0;
        for _ in 0..queries {
            rows += self.once();
        }
        assert!(rows >= queries / 10, "hardly anything was found: {rows} rows of {queries} queries");
    }

    /// Asks one thing, and gives how many rows came.
    fn once(&mut self) -> usize {
        let who = self.random.below(self.readers.len());
        match self.random.below(8) {
            0 => self.go_on_with_anything(who),
            1 => self.arrived(who),
            2 => self.counted(who),
            _ => self.page(who),
        }
    }

    fn query(&mut self, of_arrivals: bool) -> Query {
        let query = if self.random.once_in(3) {
            let text = self.random.one_of(HOSTILE);
            let query = Query::new();
            match self.random.below(8) {
                0 => query.action(text),
                1 => query.action_prefix(text),
                2 => query.user(text),
                3 => query.subject("user", text),
                4 => query.resource("user", text),
                5 => query.deny_reason(text),
                6 => query.text("tenant", self.random.one_of(TENANTS)),
                _ => query.text("detail.x", text),
            }
        } else {
            let mut question = question(&mut self.random, &[], of_arrivals);
            // Else most would find nothing.
            question.asks.truncate(1);
            question.query()
        };
        let limit = self.random.one_of(&[0, 1, 2, 100, usize::MAX]);
        query.limit(limit)
    }

    fn page(&mut self, who: usize) -> usize {
        let query = self.query(false);
        let page = block_on(self.readers[who].page(&query)).unwrap();
        if let Some(next) = page.next {
            self.keep(who, query, next);
        }
        own(who, &page.records)
    }

    fn arrived(&mut self, who: usize) -> usize {
        let query = self.query(true);
        let arrivals = block_on(self.readers[who].since(&query, Since::Beginning)).unwrap();
        self.keep(who, query, arrivals.next);
        own(who, &arrivals.records)
    }

    fn counted(&mut self, who: usize) -> usize {
        let query = self.query(false);
        let count = block_on(self.readers[who].count(&query)).unwrap();
        assert!(count <= EACH as u64, "more than it has: {query:?}");
        0
    }

    /// Takes a cursor of anybody, as it is or changed, and any query.
    fn go_on_with_anything(&mut self, who: usize) -> usize {
        if self.given.is_empty() {
            return 0;
        }
        let (whose, given_for, mut cursor) = self.given[self.random.below(self.given.len())].clone();
        let same_query = self.random.once_in(2);
        let (query, stream) = if same_query { (given_for, self.random.once_in(2)) } else { (self.query(false), false) };
        let mut changed = false;
        if self.random.once_in(4) {
            let mut text = cursor.to_string();
            let at = self.random.below(text.len());
            changed = &text[at..=at] != "B";
            text.replace_range(at..=at, "B");
            let Ok(parsed) = text.parse() else { return 0 };
            cursor = parsed;
        }
        let reader = &self.readers[who];
        let found = if stream {
            block_on(reader.since(&query, Since::Cursor(cursor))).map(|arrivals| arrivals.records)
        } else {
            block_on(reader.page(&query.after(cursor))).map(|page| page.records)
        };
        match found {
            Ok(records) => {
                assert!(whose == who && !changed, "a cursor of another is worth something");
                own(who, &records)
            }
            Err(StoreError::InvalidCursor(_) | StoreError::InvalidQuery(_)) => 0,
            Err(error) => panic!("{error}"),
        }
    }

    fn keep(&mut self, who: usize, query: Query, cursor: Cursor) {
        if self.given.len() < 200 {
            self.given.push((who, query, cursor));
        } else {
            let at = self.random.below(self.given.len());
            self.given[at] = (who, query, cursor);
        }
    }
}

/// Asserts that all of it belongs to the reader's tenant, by the text alone.
fn own(who: usize, records: &[StoredRecord]) -> usize {
    for record in records {
        let json: Value = serde_json::from_str(record.json()).unwrap();
        assert_eq!(json["tenant"], TENANTS[who], "a foreign row");
    }
    records.len()
}

#[test]
fn memory_gives_no_foreign_row() {
    gives_no_foreign_row(memory, 100_000);
}
