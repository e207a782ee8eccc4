//! That somebody reads is a record: one a reading, before anything is read, and with nothing in it that is sensitive.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use audited::{
    Actor, ActorId, ActorKind, AnyOf, Arrived, AuditContext, AuditSink, AuditStore, CursorKey, Durability, KeyRing,
    Kind, MemorySink, MemoryStore, Position, Query, Reader, Record, RecordId, Recorder, Selection, Since, SinkError,
    StoreError, StoredRecord, TenantId, Timestamp, with_context_sync, with_recorder_sync,
};
use serde_json::{Value, json};

use super::made::{id, made, moment};
use crate::contract::block_on;
use crate::support::{Behaviour, Capture, recorder};

/// Counts how often a store is asked for records.
#[derive(Clone)]
struct Asked {
    store: MemoryStore,
    times: Arc<AtomicUsize>,
}

impl Asked {
    fn new() -> Self {
        let store = MemoryStore::new();
        let batch: Vec<_> = (0..5).map(|n| made(&n.to_string(), json!({ "tenant": "acme" }))).collect();
        block_on(store.write(&batch)).unwrap();
        Self { store, times: Arc::default() }
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }

    fn note(&self) {
        self.times.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl AuditStore for Asked {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        self.note();
        self.store.select(selection).await
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        self.note();
        self.store.count(selection).await
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        self.note();
        self.store.arrived(selection, after).await
    }

    async fn position(&self) -> Result<Position, StoreError> {
        self.store.position().await
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        self.store.grown(after).await
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        self.store.cursor_key().await
    }
}

#[async_trait]
impl AuditSink for Asked {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.store.write(batch).await
    }

    fn durability(&self) -> Durability {
        self.store.durability()
    }

    fn describe(&self) -> String {
        "asked".into()
    }
}

/// Reads in every way, one after the other; gives what each came to.
fn read(reader: &Reader, query: &Query) -> Vec<Result<(), StoreError>> {
    vec![
        block_on(reader.page(query)).map(drop),
        block_on(reader.count(query)).map(drop),
        block_on(reader.get(id(1))).map(drop),
        block_on(reader.since(query, Since::Beginning)).map(drop),
        block_on(reader.since(query, Since::Now)).map(drop),
        block_on(reader.follow(query, Since::Beginning)).map(drop),
    ]
}

const READINGS: [&str; 6] = ["page", "count", "record", "since", "since", "follow"];

fn detail(record: &Record) -> Value {
    record.detail_as().unwrap()
}

fn reads(memory: &MemorySink) -> Vec<Record> {
    memory.records().into_iter().filter(|record| record.action() == "audit.read").collect()
}

#[test]
fn every_way_to_read_is_recorded_once() {
    let (store, memory) = (Asked::new(), MemorySink::new());
    let reader = store.tenant("acme").recorded_by(recorder(memory.clone()));
    assert!(read(&reader, &Query::new()).iter().all(Result::is_ok));
    let reads = reads(&memory);
    assert_eq!(reads.iter().map(|read| detail(read)["reading"].clone()).collect::<Vec<_>>(), READINGS);
    for read in &reads {
        assert_eq!((read.kind(), read.tenant().as_deref()), (Some(Kind::System), Some("acme")));
        assert_eq!(detail(read)["scope"], "tenant");
        assert_eq!(read.flags(), [] as [&str; 0]);
    }
}

#[test]
fn the_current_recorder_records_it_unless_another_is_named_or_none() {
    let store = Asked::new();
    let (current, named) = (MemorySink::new(), MemorySink::new());
    with_recorder_sync(recorder(current.clone()), || {
        read(&store.tenant("acme"), &Query::new());
        assert_eq!((reads(&current).len(), reads(&named).len()), (6, 0));
        read(&store.tenant("acme").recorded_by(recorder(named.clone())), &Query::new());
        assert_eq!((reads(&current).len(), reads(&named).len()), (6, 6));
        assert!(read(&store.tenant("acme").unrecorded(), &Query::new()).iter().all(Result::is_ok));
        assert_eq!((reads(&current).len(), reads(&named).len()), (6, 6));
    });
}

#[test]
fn nothing_is_read_before_the_record_is_acknowledged() {
    let (store, capture) = (Asked::new(), Capture::new());
    let reader = store.tenant("acme").recorded_by(recorder(capture.clone()));
    let cursor = block_on(reader.page(&Query::new().limit(1))).unwrap().next.unwrap();
    let before = store.times();
    for behaviour in [Behaviour::Fail, Behaviour::Panic] {
        capture.set(behaviour);
        for refused in read(&reader, &Query::new()) {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, StoreError::Unrecorded(_)), "{refused}");
            assert!(!format!("{refused}{refused:?}").contains("s3cret"));
        }
    }
    assert_eq!(store.times(), before, "the store was asked");
    // What was begun while that worked goes on.
    block_on(reader.page(&Query::new().limit(1).after(cursor))).unwrap();
}

#[test]
fn what_is_refused_is_not_recorded() {
    let (store, memory) = (Asked::new(), MemorySink::new());
    let recorder = recorder(memory.clone());
    let too_much = Query::new().correlation_id("x".repeat(1 << 20));
    assert!(read(&store.tenant("acme").recorded_by(recorder.clone()), &too_much)[..2].iter().all(Result::is_err));
    read(&store.tenant("<redacted>").recorded_by(recorder), &Query::new());
    assert_eq!(store.times(), 1, "but for what has no query");
    assert_eq!(reads(&memory).iter().map(|read| detail(read)["reading"].clone()).collect::<Vec<_>>(), ["record"]);
}

#[test]
fn it_says_who_reads_what_of_whom_and_why() {
    let (store, memory) = (Asked::new(), MemorySink::new());
    let recorder = recorder(memory.clone());
    let ann = AuditContext::new().actor(Actor::user(ActorId::plain("ann")));
    let query = Query::new()
        .action("door.open")
        .action_prefix("gate.")
        .from(moment(1))
        .until(moment(2))
        .actor_kind(ActorKind::Service)
        .resource_kind("door")
        .denied()
        .deny_reason("closed")
        .deny_reason("missing_scope")
        .failed()
        .failure_code("stock")
        .kind(Kind::Call)
        .id(id(7))
        .orphans();
    with_context_sync(ann, || {
        block_on(store.global("a review").recorded_by(recorder).count(&query)).unwrap();
    });
    let read = &reads(&memory)[0];
    assert_eq!(read.actor().unwrap().id.as_deref(), Some("ann"));
    let at = |micros| Timestamp::to_string(&moment(micros));
    assert_eq!(
        detail(read),
        json!({
            "reading": "count", "scope": "global", "reason": "a review", "orphans": true,
            "filter": [
                { "from": at(1) }, { "until": at(2) }, { "actor_kind": "service" }, { "resource_kind": "door" },
                { "decision": "deny" }, { "reason": ["closed"] }, { "reason": ["missing_scope"] },
                { "outcome": "failure" }, { "code": ["stock"] }, { "kind": "call" },
                { "id": RecordId::to_string(&id(7)) },
                { "actions": ["door.open"], "action_prefixes": ["gate."] },
            ],
        })
    );
}

/// A query whose every text is one that must not be shown.
fn secretive() -> Query {
    let any = || AnyOf::from_iter(["s3cret-1@example.org", "s3cret 2"]);
    Query::new()
        .user(any())
        .actor(ActorKind::User, any())
        .subject("user", any())
        .resource("door", any())
        .correlation_id(any())
        .text("detail.memo", any())
        // A client may say anything where a name belongs.
        .action("s3cret@example.org")
        .action_prefix("s3cret %")
        .deny_reason("s3cret 3")
        .failure_code("s3cret:4")
        .resource_kind("s3cret 5")
        .subject("s3cret 6", "s3cret-7@example.org")
        .text("s3cret[0]", "s3cret-8@example.org")
}

#[test]
fn what_is_looked_for_is_hashed_or_redacted() {
    let store = Asked::new();
    let keys = || KeyRing::new("2026", [7; 32]).unwrap();
    for has_key in [true, false] {
        let memory = MemorySink::new();
        let builder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed();
        let builder = if has_key { builder.keys(keys()) } else { builder };
        let recorder = builder.build().unwrap();
        for reader in [store.tenant("acme"), store.global("suite"), store.tenant_hashed(&keys(), "s3cret tenant")] {
            let reader = reader.recorded_by(recorder.clone());
            read(&reader, &secretive());
            assert!(!format!("{reader:?}{:?}", secretive().text("x", "s3cret")).contains("s3cret-"));
        }
        let reads = reads(&memory);
        assert_eq!(reads.len(), 18);
        for read in &reads {
            assert!(!read.json().contains("s3cret"), "{}", read.json());
        }
        assert_eq!(recorder.stats().redaction_fallbacks, 0, "nobody has to mend it");
        let user = detail(&reads[0])["filter"][0]["user"][0].clone();
        let hash = keys().hashes(Some("acme"), None, "s3cret-1@example.org").next().unwrap();
        assert_eq!(user, if has_key { hash.into() } else { json!("<redacted>") });
    }
}

#[test]
fn somebody_else_with_the_cursor_is_recorded_too() {
    let (store, memory) = (Asked::new(), MemorySink::new());
    let recorder = recorder(memory.clone());
    let reader = store.tenant("acme").recorded_by(recorder);
    let of = |name: &'static str| AuditContext::new().actor(Actor::user(ActorId::hash(name)));
    let page = |cursor| block_on(reader.page(&Query::new().limit(1).after(cursor))).unwrap().next.unwrap();
    let count = || reads(&memory).len();
    let first = with_context_sync(of("ann"), || block_on(reader.page(&Query::new().limit(1)))).unwrap().next.unwrap();
    assert_eq!(count(), 1);
    let second = with_context_sync(of("ann"), || page(first.clone()));
    assert_eq!(count(), 1);
    let second_of_bob = with_context_sync(of("bob"), || page(first.clone()));
    assert_eq!(count(), 2, "another");
    with_context_sync(of("bob"), || page(second_of_bob));
    assert_eq!(count(), 2);
    with_context_sync(of("ann").on_behalf_of(Actor::user(ActorId::plain("cid"))), || page(second));
    assert_eq!(count(), 3, "for another");
    page(first);
    assert_eq!(count(), 4, "nobody that is known");

    let since = |since| block_on(reader.since(&Query::new(), since)).unwrap().next;
    let arrived = with_context_sync(of("ann"), || since(Since::Beginning));
    with_context_sync(of("ann"), || since(Since::Cursor(arrived.clone())));
    assert_eq!(count(), 5);
    with_context_sync(of("bob"), || since(Since::Cursor(arrived)));
    assert_eq!(count(), 6);
}

#[test]
fn who_goes_on_with_what_nobody_has_recorded_begins_a_reading() {
    let (store, memory) = (Asked::new(), MemorySink::new());
    let own = store.tenant("acme").unrecorded();
    let others = store.tenant("acme").recorded_by(recorder(memory.clone()));
    let query = Query::new().limit(1);
    let page = block_on(own.page(&query)).unwrap().next.unwrap();
    let stream = block_on(own.since(&query, Since::Beginning)).unwrap().next;
    let next = block_on(others.page(&query.clone().after(page))).unwrap().next.unwrap();
    assert_eq!(reads(&memory).len(), 1);
    block_on(others.page(&query.clone().after(next))).unwrap();
    assert_eq!(reads(&memory).len(), 1);
    drop(block_on(others.follow(&query, Since::Cursor(stream))).unwrap());
    assert_eq!(reads(&memory).len(), 2);
}

#[test]
fn a_tenant_of_the_context_stays_that_of_the_record() {
    let (store, memory) = (Asked::new(), MemorySink::new());
    let reader = store.tenant("acme").recorded_by(recorder(memory.clone()));
    let context = AuditContext::new().tenant(TenantId::plain("ours"));
    with_context_sync(context, || block_on(reader.count(&Query::new()))).unwrap();
    let read = &reads(&memory)[0];
    assert_eq!(read.tenant().as_deref(), Some("ours"));
    assert_eq!(read.claimed(), Some(r#"{"tenant":"acme"}"#));
}
