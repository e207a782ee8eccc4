//! `examples/event_schemas`: an event registry that applications extend.

mod lists;
#[cfg(feature = "postgres")]
mod out_of_order;
mod rows;
#[cfg(feature = "sqlite")]
mod transactions;
mod types;

#[path = "../../../../examples/event_schemas/audit_log/mod.rs"]
mod audit_log;

use audited::{
    AuditStore as _, MemoryStore, Payload, PayloadType, Reader, Recorder, StoredRecord, Vocabulary, with_recorder_sync,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use self::audit_log::events::{AuthEvent, AuthEventView, event_types};
use self::audit_log::json::EventJson;
use self::audit_log::list::{DEFAULT_LIMIT, Filter, list, live};
use self::audit_log::write::{Actor, Happened, Target};
use crate::contract::block_on;

/// An application that adds a type of its own.
fn types() -> Vocabulary {
    event_types([("comment_hidden", Payload::new().field("comment_id", PayloadType::Integer))]).unwrap()
}

/// A log in memory.
struct Log {
    store: MemoryStore,
    recorder: Recorder,
}

impl Log {
    fn new() -> Self {
        let store = MemoryStore::new();
        let builder = Recorder::builder().sink(store.clone()).vocabulary(types()).allow_weak_fail_closed();
        Self { recorder: builder.build().unwrap(), store }
    }

    fn reader(&self) -> Reader {
        self.store.global("test").unrecorded()
    }

    fn write(&self, happened: &Happened<'_>) {
        with_recorder_sync(self.recorder.clone(), || happened.record().wait().unwrap());
    }

    /// Writes events of these types.
    fn write_all<'a>(&self, event_types: impl IntoIterator<Item = &'a str>) {
        event_types.into_iter().for_each(|event_type| self.write(&Happened { event_type, ..Happened::default() }));
    }

    fn list(&self, filter: &Filter) -> Vec<StoredRecord> {
        block_on(list(&self.reader(), filter)).unwrap().events
    }

    /// The types of the events that a filter finds, in their order.
    fn listed(&self, filter: &Filter) -> String {
        names(&self.list(filter))
    }
}

fn names(events: &[StoredRecord]) -> String {
    events.iter().map(|event| event.action().into_owned()).collect::<Vec<_>>().join(" ")
}

fn actor(number: u128) -> Actor {
    Actor { id: Uuid::from_u128(number), account_id: Uuid::from_u128(number + 1_000) }
}

fn fields(json: Value) -> Map<String, Value> {
    let Value::Object(fields) = json else { panic!("an object") };
    fields
}
