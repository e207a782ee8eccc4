//! The same queries find the same records, in the same order, as in memory.

use audited::{
    ActorKind, AnyOf, AuditSink, AuditStore, Ending, Kind, MemoryStore, Query, Reader, Record, RecordId, Since,
    SinkError, StoredRecord, Timestamp,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{carried, fresh};
use crate::contract::block_on;

/// Reproducible, and good enough.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

const TENANTS: &[&str] = &["acme", "acme\0", "Acme", "%", "a' OR '1'='1", "ä"];
const PEOPLE: &[&str] = &["u-1", "u-2", "u-1\0x", "u_1", "", "\u{10ffff}"];
const ACTIONS: &[&str] =
    &["door.open", "door.opened", "door.", "doors", "door\0.open", "Door.open", "\u{10ffff}x", "window_open"];
const CODES: &[&str] = &["no_stock", "late", "\0"];

/// Few ids, so that some come twice.
fn id(random: &mut Random) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(random.next() % 600))
}

fn moment(random: &mut Random) -> Timestamp {
    Timestamp::from_unix_micros(1_800_000_000_000_000 + i64::try_from(random.next() % 40).unwrap()).unwrap()
}

fn some_record(random: &mut Random) -> Value {
    let mut json = json!({"schema": 1, "id": id(random), "action": random.of(ACTIONS)});
    let fields = json.as_object_mut().unwrap();
    let mut set = |key: &str, value: Value| drop(fields.insert(key.into(), value));
    if !random.one_in(6) {
        set("occurred_at", json!(moment(random).to_string()));
    }
    if random.one_in(3) {
        set("recorded_at", json!(moment(random).to_string()));
    }
    if !random.one_in(4) {
        set("tenant", json!(random.of(TENANTS)));
    }
    if !random.one_in(4) {
        set("kind", json!(random.of(&["call", "event", "system", "other"])));
    }
    if random.one_in(2) {
        set("stage", json!(random.of(&["intent", "completed", "other"])));
        set("call", json!(id(random)));
    }
    if !random.one_in(4) {
        set("actor", json!({"kind": random.of(&["user", "service", "robot"]), "id": random.of(PEOPLE)}));
    } else if random.one_in(2) {
        set("actor", json!({"kind": "anonymous"}));
    }
    if random.one_in(3) {
        let subjects: Vec<_> = (0..random.below(3))
            .map(|_| json!({"kind": random.of(&["user", "us_r"]), "id": random.of(PEOPLE)}))
            .collect();
        set("subjects", json!(subjects));
    }
    if random.one_in(2) {
        set("resource", json!({"kind": random.of(&["account", "account\0"]), "id": random.of(PEOPLE)}));
    }
    match random.below(4) {
        0 => set("decision", json!("allow")),
        1 => {
            set("decision", json!("deny"));
            set("reason", json!(random.of(CODES)));
        }
        2 => set("decision", json!("perhaps")),
        _ => {}
    }
    if random.one_in(2) {
        set("outcome", json!(random.of(&["success", "failure", "unknown", "other"])));
        set("code", json!(random.of(CODES)));
    }
    if random.one_in(2) {
        set("correlation_id", json!(random.of(PEOPLE)));
    }
    if random.one_in(2) {
        set("detail", json!({"a": [{"b": random.of(PEOPLE)}, random.below(3)], "c.d": random.one_in(2)}));
    }
    if random.one_in(8) {
        set("stream", json!(random.of(&["s", "s\0"])));
        set("seq", json!(if random.one_in(20) { u64::MAX } else { random.next() % 100 }));
    }
    json
}

fn any(random: &mut Random, texts: &[&str]) -> AnyOf {
    AnyOf::from_iter((0..random.below(3)).map(|_| random.of(texts).to_owned()).collect::<Vec<_>>())
}

fn condition(random: &mut Random, query: Query) -> Query {
    match random.below(22) {
        0 => query.from(moment(random)),
        1 => query.until(moment(random)),
        2 => query.action(random.of(ACTIONS)),
        3 => query.actions((0..random.below(3)).map(|_| random.of(ACTIONS)).collect::<Vec<_>>()),
        4 => query.action_prefix(random.of(&[
            "door.",
            "d",
            "",
            "door\0",
            "\u{10ffff}",
            "d_or",
            "%",
            "Door",
            "door.opened",
        ])),
        5 => query.user(any(random, PEOPLE)),
        6 => query.user(random.of(PEOPLE)),
        7 => query.actor(ActorKind::User, any(random, PEOPLE)),
        8 => query.actor_kind(random.of(&[&ActorKind::User, &ActorKind::Anonymous]).to_owned()),
        9 => query.subject("user", any(random, PEOPLE)),
        10 => query.resource("account", random.of(PEOPLE)),
        11 => query.resource_kind(random.of(&["account\0", "account"])),
        12 => query.allowed(),
        13 => query.denied(),
        14 => query.deny_reason(any(random, CODES)),
        15 => query.outcome(*random.of(&[&Ending::Success, &Ending::Failure, &Ending::Unknown])),
        16 => query.failure_code(random.of(CODES)),
        17 => query.correlation_id(random.of(PEOPLE)),
        18 => query.kind(*random.of(&[&Kind::Call, &Kind::Event, &Kind::System])),
        19 => query.id(RecordId::from(id(random))),
        20 => query.text("detail.a.b", any(random, PEOPLE)),
        _ => query.text(random.of(&["detail.c.d", "detail.a", "subjects.id"]), random.of(&["true", "1", "u-1"])),
    }
}

fn query(random: &mut Random) -> Query {
    let mut query = Query::new();
    for _ in 0..random.below(4) {
        query = condition(random, query);
    }
    query
}

fn jsons(records: &[StoredRecord]) -> Vec<&str> {
    records.iter().map(|record| record.json()).collect()
}

/// All pages of a query must be the same.
fn assert_same_pages(stores: [&Reader; 2], query: &Query, limit: usize) -> usize {
    let (mut cursors, mut all) = ([None, None], 0);
    loop {
        let mut pages = Vec::new();
        for (store, cursor) in stores.iter().zip(&mut cursors) {
            let mut query = query.clone().limit(limit);
            if let Some(cursor) = cursor.take() {
                query = query.after(cursor);
            }
            let page = block_on(store.page(&query)).unwrap();
            *cursor = page.next;
            pages.push(page.records);
        }
        assert_eq!(jsons(&pages[0]), jsons(&pages[1]), "{query:?}");
        assert_eq!(cursors[0].is_some(), cursors[1].is_some(), "{query:?}");
        all += pages[0].len();
        if cursors[0].is_none() {
            return all;
        }
    }
}

/// All that arrives must be the same, in the same order.
fn assert_same_arrivals(stores: [&Reader; 2], query: &Query) {
    let all = stores.map(|store| {
        let (mut since, mut all) = (Since::Beginning, Vec::new());
        loop {
            let arrivals = block_on(store.since(&query.clone().limit(7), since)).unwrap();
            all.extend(arrivals.records.iter().map(|record| record.json().to_owned()));
            if !arrivals.more {
                return all;
            }
            since = Since::Cursor(arrivals.next);
        }
    });
    assert_eq!(all[0], all[1], "{query:?}");
}

fn kind_of(result: &Result<(), SinkError>) -> Option<&'static str> {
    result.as_ref().err().map(SinkError::reason)
}

#[test]
fn what_is_found_is_what_a_store_in_memory_finds() {
    let mut random = Random(7);
    let (memory, fresh) = (MemoryStore::new(), fresh());
    let (mut refused, mut written) = (0, Vec::<Record>::new());
    for _ in 0..250 {
        let mut batch: Vec<_> = (0..=random.below(3)).map(|_| carried(&some_record(&mut random))).collect();
        if random.one_in(5) && !written.is_empty() {
            batch.push(written[random.below(written.len())].clone());
        }
        if random.one_in(9) {
            batch.push(batch[0].clone());
        }
        let expected = block_on(memory.write(&batch));
        let got = block_on(fresh.store.write(&batch));
        assert_eq!(kind_of(&got), kind_of(&expected), "{batch:?}");
        refused += usize::from(got.is_err());
        if got.is_ok() {
            written.extend(batch);
        }
    }
    assert!((20..150).contains(&refused), "{refused}");

    let (mut some, mut none) = (0, 0);
    for _ in 0..500 {
        let mut query = query(&mut random);
        if random.one_in(4) {
            query = query.oldest_first();
        }
        let tenant = random.of(TENANTS);
        let stores: [Box<dyn Fn() -> Reader>; 2] = if random.one_in(2) {
            [Box::new(|| memory.tenant(tenant)), Box::new(|| fresh.store.tenant(tenant))]
        } else {
            [Box::new(|| memory.global("test")), Box::new(|| fresh.store.global("test"))]
        };
        let readers = [stores[0]().unrecorded(), stores[1]().unrecorded()];
        let readers = [&readers[0], &readers[1]];
        if random.one_in(6) {
            // Only what arrives has no order.
            let mut query = Query::new();
            for _ in 0..random.below(3) {
                query = condition(&mut random, query);
            }
            assert_same_arrivals(readers, &query);
            continue;
        }
        if random.one_in(8) {
            query = query.orphans();
        }
        if random.one_in(8) {
            query = query.offset(random.below(20));
        }
        let limit = 1 + random.below(60);
        let found = assert_same_pages(readers, &query, limit);
        if found > 0 {
            some += 1;
        } else {
            none += 1;
        }
        let counts = readers.map(|reader| block_on(reader.count(&query)).unwrap());
        assert_eq!(counts[0], counts[1], "{query:?}");
    }
    assert!(some > 100 && none > 30, "{some} {none}");
    let check = block_on(fresh.store.check()).unwrap();
    assert!(check.is_sound(), "{check:?}");
}
