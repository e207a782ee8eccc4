//! Records in PostgreSQL: a real server, a database for each test.

mod addresses;
mod arriving;
mod contract;
mod crashes;
mod partitions;
mod plans;
mod reading;
mod roles;
mod tls;
mod walking;
mod within;
mod writing;

use audited::__private::carried;
use audited::{AuditSink as _, AuditStore as _, MemoryStore, PostgresStore, Query, Record, RecordId, StoredRecord};
use serde_json::{Value, json};

use crate::contract::block_on;
use crate::servers::postgres::{Database, database};

/// A record as somebody's journal may have it: what is given, and what every record has.
fn record(id: u128, fields: Value) -> Record {
    let id = RecordId::from(uuid::Uuid::from_u128(0x01a2_b3c4_0000_7000_8000_0000_0000_0000 + id));
    let mut record = json!({
        "schema": 1, "id": id.to_string(), "kind": "event", "stage": "completed", "action": "door.open",
        "occurred_at": "2026-11-29T12:00:00.000000Z",
    });
    let Value::Object(fields) = fields else { panic!("an object") };
    record.as_object_mut().unwrap().extend(fields);
    carried(&StoredRecord::parse(record.to_string()).unwrap())
}

/// The same in a place of a stream.
fn placed(id: u128, stream: &str, seq: u64, mut fields: Value) -> Record {
    (fields["stream"], fields["seq"]) = (json!(stream), json!(seq));
    record(id, fields)
}

fn write(store: &PostgresStore, records: &[Record]) -> Result<(), audited::SinkError> {
    block_on(store.write(records))
}

fn texts(records: &[StoredRecord]) -> Vec<&str> {
    records.iter().map(|record| record.json()).collect()
}

/// Everything that a query finds, page by page.
fn found(store: &(impl audited::AuditStore + Clone), query: &Query) -> Vec<StoredRecord> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let page = block_on(store.global("test").unrecorded().page(&query)).unwrap();
        found.extend(page.records);
        match page.next {
            Some(next) => query = query.offset(0).after(next),
            None => return found,
        }
    }
}
