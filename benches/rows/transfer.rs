//! The audited call under measurement: a transfer with six captured arguments, two of them redacted, within a request's
//! context, into a sink that forgets it.

use std::hint::black_box;
use std::net::Ipv4Addr;

use async_trait::async_trait;
use audited::__private::{Inline, Ticket};
use audited::{
    Actor, ActorId, AuditContext, AuditSink, CorrelationId, Durability, KeyRing, Record, Recorder, Sensitive,
    SinkError, Source, TenantId, audited, with_context_sync, with_recorder_sync,
};
use serde::Serialize;

/// What the call is asked to do.
#[derive(Debug, Clone, Serialize, Sensitive)]
#[allow(missing_docs, reason = "they say what they are")]
pub struct Order {
    pub cents: u64,
    pub urgent: bool,
    #[sensitive(plain)]
    pub currency: String,
    #[sensitive(plain)]
    pub to: String,
    #[sensitive]
    pub memo: String,
    #[sensitive]
    pub device: String,
}

impl Order {
    /// Always the same one.
    pub fn example() -> Self {
        Self {
            cents: 125_000,
            urgent: false,
            currency: "EUR".into(),
            to: "acc-0750".into(),
            memo: "rent".into(),
            device: "9f1c2d34-pixel-8".into(),
        }
    }
}

/// A call whose body does nothing: what is left is its record.
#[audited(action = "account.transfer", resource("account", plain(account)), fields(order))]
pub fn transfer(account: &str, order: &Order) {
    black_box((account, order));
}

/// A call of which nothing is captured.
#[audited(action = "session.ping", unlocked)]
pub fn ping() {}

/// The surroundings that a request has.
///
/// # Panics
///
/// Never.
pub fn request() -> AuditContext {
    AuditContext::new()
        .actor(Actor::user(ActorId::plain("u-17")))
        .tenant(TenantId::plain("acme"))
        .source(Source::new().ip(Ipv4Addr::new(203, 0, 113, 7).into()).user_agent("acme-app/4.2"))
        .correlation_id(CorrelationId::parse("req-01hv8k").expect("a correlation id"))
}

/// Runs it with a recorder, inside of that request.
pub fn inside<R>(recorder: &Recorder, run: impl FnOnce() -> R) -> R {
    with_recorder_sync(recorder.clone(), || with_context_sync(request(), run))
}

/// A recorder with a key, and nothing else that is not the default.
///
/// # Panics
///
/// Where it cannot be built.
pub fn recorder(sink: impl AuditSink) -> Recorder {
    let keys = KeyRing::new("k1", [7; 32]).expect("a key");
    Recorder::builder().sink(sink).keys(keys).build().expect("a recorder")
}

/// Takes records and forgets them, on the caller's thread, as the framework's own sinks take them.
#[derive(Debug)]
pub struct Null;

#[async_trait]
impl AuditSink for Null {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        black_box(batch);
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "null".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for Null {
    fn submit(&self, record: Record, ticket: Ticket) {
        black_box(record);
        ticket.settle(Ok(()));
    }
}
