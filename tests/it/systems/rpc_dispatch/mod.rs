//! `examples/rpc_dispatch`: default-deny dispatch with one record a scope check.

mod checks;
mod open;
mod principals;
mod rows;
mod sinks;

#[path = "../../../../examples/rpc_dispatch/framework/mod.rs"]
mod framework;
#[path = "../../../../examples/rpc_dispatch/service.rs"]
mod service;

use audited::{CorrelationId, KeyRing, MemorySink, Recorder, Source, StoredRecord, with_recorder};
use serde_json::{Value, json};

use self::framework::decision::WireError;
use self::framework::dispatch::{Call, Dispatcher, Method};
use self::framework::names::{RoleName, Scope, SessionId, UserId};
use self::framework::principal::{Account, Sessions};
use self::framework::row::Row;
use crate::contract::block_on;

/// A call of Ann, who may read and give money back.
fn call(method: &str) -> Call {
    Call {
        token: Some("ann-token".into()),
        method: method.into(),
        tenant: "acme".into(),
        params: json!({ "invoice": 7, "cents": 250, "note": "s3cret" }),
        source: Source::new().ip([192, 0, 2, 7].into()).origin("https://shop.example"),
        correlation_id: Some(CorrelationId::parse("req-1").unwrap()),
    }
}

/// One call for each reason to deny, in the order of the reasons; the last one of `rate_limited` is denied.
fn denied_calls() -> Vec<Call> {
    let mut calls = vec![call("invoice.read"); 3];
    calls[0].token = None;
    calls[1].token = Some("stolen".into());
    (calls[2].token, calls[2].method) = (Some("bob-token".into()), "invoice.refund".into());
    calls.push(call("invoice.purge"));
    calls.push(Call { tenant: "globex".into(), ..call("invoice.read") });
    calls.extend(vec![call("invoice.read"); 4]);
    calls.push(call("../s3cret"));
    calls
}

/// Calls the gateway and gives the answers, and what was recorded.
fn dispatched(gateway: &Dispatcher, calls: Vec<Call>) -> (Vec<Result<Value, WireError>>, Vec<StoredRecord>) {
    let memory = MemorySink::new();
    let keys = KeyRing::new("test", [7; 32]).unwrap();
    let recorder = Recorder::builder().sink(memory.clone()).keys(keys).allow_weak_fail_closed().build().unwrap();
    let answers = block_on(with_recorder(recorder, async {
        let mut answers = Vec::new();
        for call in calls {
            answers.push(gateway.dispatch(call).await);
        }
        answers
    }));
    let records = memory.records().into_iter().filter(|record| !record.action().starts_with("audit."));
    (answers, records.map(Into::into).collect())
}

fn rows(records: &[StoredRecord]) -> Vec<Row> {
    records.iter().filter_map(Row::of).collect()
}

/// A service of one caller and these methods, all of which ask for the scope `x`.
fn service_of(methods: impl IntoIterator<Item = (&'static str, Method)>) -> Dispatcher {
    let ann = Account {
        user: UserId::new("u-ann"),
        session: SessionId::new("s-ann"),
        tenant: "acme".into(),
        roles: vec![RoleName::new("clerk")],
        scopes: [Scope::new("x")].into(),
    };
    let methods = methods.into_iter().map(|(path, method)| (path, method.scope("x")));
    Dispatcher::new("test", Sessions::new([("ann-token", ann)]), methods)
}
