//! Finding and counting: the same as in memory, whatever texts there are.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use audited::{ActorKind, AnyOf, Kind, Timestamp};

use super::*;

/// What is hostile to somebody.
const TEXTS: [&str; 16] = [
    "",
    "a",
    "A",
    "a%",
    "a_",
    "a\\",
    "'; DROP TABLE audited.records; --",
    "\"$1\"",
    "a\0",
    "\0",
    "\u{1}0",
    "\u{1}",
    "\u{10ffff}",
    "\u{d7ff}z",
    "ünïcödé",
    "{a,\"b\",NULL}",
];

struct Random(RandomState, u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.1 += 1;
        usize::try_from(self.0.hash_one(self.1) % count as u64).unwrap()
    }

    fn text(&mut self) -> String {
        match self.below(20) {
            0 => "x".repeat(600 + self.below(2)),
            1 => format!("{}{}", TEXTS[self.below(16)], TEXTS[self.below(16)]),
            _ => TEXTS[self.below(16)].to_owned(),
        }
    }

    fn record(&mut self, id: u128) -> Record {
        let mut fields = json!({ "action": (self.text()), "occurred_at": (self.moment().to_string()) });
        let pairs =
            |random: &mut Self| json!({ "kind": (["user", "account", "\0"][random.below(3)]), "id": (random.text()) });
        for key in ["tenant", "correlation_id", "code", "reason"] {
            if self.below(2) == 0 {
                fields[key] = json!(self.text());
            }
        }
        let one = |random: &mut Self, of: &[&str]| json!(of[random.below(of.len())]);
        fields["kind"] = one(self, &["event", "call", "system", "other"]);
        fields["stage"] = one(self, &["completed", "intent", "panicked"]);
        fields["decision"] = one(self, &["allow", "deny", "other"]);
        fields["outcome"] = one(self, &["success", "failure", "unknown", "other"]);
        if self.below(4) > 0 {
            fields["actor"] = json!({ "kind": (one(self, &["user", "service", "robot"])), "id": (self.text()) });
            fields["resource"] = pairs(self);
        }
        if self.below(4) == 0 {
            fields["subjects"] = (0..self.below(3)).map(|_| pairs(self)).collect();
        }
        if self.below(3) == 0 {
            let call = u128::try_from(self.below(200)).unwrap();
            fields["call"] = json!(super::record(call, json!({})).id().unwrap().to_string());
        }
        fields["detail"] = json!({ "text": (self.text()) });
        super::record(id, fields)
    }

    /// Few, so that many are equal; in several partitions.
    fn moment(&mut self) -> Timestamp {
        let months = i64::try_from(self.below(8)).unwrap();
        let now = Timestamp::now().as_unix_micros() / 1_000_000_000 * 1_000_000_000;
        Timestamp::from_unix_micros(now + (months - 5) * 30 * 86_400_000_000).unwrap()
    }

    fn query(&mut self) -> Query {
        let mut query = Query::new();
        for _ in 0..self.below(3) {
            query = match self.below(18) {
                0 => query.from(self.moment()),
                1 => query.until(self.moment()),
                2 => query.action(self.text()),
                3 => query.action_prefix(self.text()),
                4 => query.user(self.text()),
                5 => query.actor(ActorKind::User, self.text()),
                6 => query.actor_kind(ActorKind::Service),
                7 => query.subject("user", AnyOf::from_iter([self.text(), self.text()])),
                8 => query.resource("account", self.text()),
                9 => query.resource_kind("\0"),
                10 => query.denied(),
                11 => query.deny_reason(self.text()),
                12 => query.failed(),
                13 => query.failure_code((0..self.below(3)).map(|_| self.text()).collect::<AnyOf>()),
                14 => query.correlation_id(self.text()),
                15 => query.kind(Kind::Call),
                16 => query.text("detail.text", self.text()),
                _ => query.orphans(),
            };
        }
        if self.below(2) == 0 {
            query = query.oldest_first();
        }
        query.limit([17, 100][self.below(2)]).offset([0, 0, 3][self.below(3)])
    }
}

#[test]
fn each_query_finds_the_same_as_in_memory() {
    let (database, memory) = (database(), MemoryStore::new());
    let (store, mut random) = (database.store(), Random(RandomState::new(), 0));
    let mut records: Vec<_> = (0..200).map(|n| random.record(n)).collect();
    for chunk in records.chunks(30) {
        write(&store, chunk).unwrap();
        block_on(memory.write(chunk)).unwrap();
    }
    for _ in 0..40 {
        let query = random.query();
        assert_eq!(texts(&found(&store, &query)), texts(&found(&memory, &query)), "{query:?}");
        let count = |reader: audited::Reader| block_on(reader.unrecorded().count(&query)).unwrap();
        assert_eq!(count(store.global("test")), count(memory.global("test")), "{query:?}");
        let tenant = random.text();
        let tenant = if tenant.is_empty() { "a".to_owned() } else { tenant };
        let page = |reader: audited::Reader| block_on(reader.unrecorded().page(&query)).unwrap().records;
        let (found, expected) = (page(store.tenant(&*tenant)), page(memory.tenant(&*tenant)));
        assert_eq!(texts(&found), texts(&expected), "{tenant:?} {query:?}");
    }
    records.sort_by_key(|record| record.id());
    for record in records.into_iter().step_by(9) {
        let id = record.id().unwrap();
        let get = |reader: audited::Reader| block_on(reader.unrecorded().get(id)).unwrap();
        assert_eq!(get(store.global("test")), get(memory.global("test")));
    }
}
