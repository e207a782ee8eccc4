//! How much memory a record is made with. A program of its own, since it counts by an allocator of its own.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use audited::__private::{Inline, Ticket};
use audited::{
    Actor, ActorId, AuditContext, AuditSink, CorrelationId, Durability, Record, Recorder, Sensitive, SinkError, Source,
    TenantId, audited, with_context_sync, with_recorder_sync,
};
use serde::Serialize;

/// Until the memory that a thread uses again is there.
const WARMING: u32 = 3;
const CALLS: u32 = 100;

/// Six fields, two of them redacted.
#[derive(Serialize, Sensitive)]
struct Order {
    cents: u64,
    urgent: bool,
    #[sensitive(plain)]
    currency: String,
    #[sensitive(plain)]
    to: String,
    #[sensitive]
    memo: String,
    #[sensitive]
    device: String,
}

#[audited(action = "account.transfer", resource("account", plain(account)), fields(order), unlocked)]
fn transfer(account: &str, order: &Order) {
    black_box((account, order));
}

#[audited(action = "account.transfer_later", resource("account", plain(account)), fields(order), unlocked)]
async fn transfer_later(account: &str, order: &Order) {
    black_box((account, order));
}

#[audited(action = "account.close", errors = failure("closed"), unlocked)]
fn refuse() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

#[test]
fn a_call_makes_its_record_with_one_allocation() {
    let order = Order {
        cents: 125_000,
        urgent: false,
        currency: "EUR".into(),
        to: "acc-0750".into(),
        memo: "rent".into(),
        device: "9f1c2d34-pixel-8".into(),
    };
    assert_eq!(allocations(|| transfer("acc-2020", &order)), CALLS);
    assert_eq!(allocations(|| _ = refuse()), CALLS);
    assert_eq!(allocations(|| ready(transfer_later("acc-2020", &order))), CALLS);
}

/// How many the calls take, inside of a request's context.
fn allocations(call: impl Fn()) -> u32 {
    let recorder = Recorder::builder().sink(Null).build().unwrap();
    let request = AuditContext::new()
        .actor(Actor::user(ActorId::plain("u-17")))
        .tenant(TenantId::plain("acme"))
        .source(Source::new().ip(Ipv4Addr::new(203, 0, 113, 7).into()).user_agent("acme-app/4.2"))
        .correlation_id(CorrelationId::parse("req-01hv8k").unwrap());
    with_recorder_sync(recorder, || {
        with_context_sync(request, || {
            (0..WARMING).for_each(|_| call());
            let counted = allocation_counter::measure(|| (0..CALLS).for_each(|_| call()));
            u32::try_from(counted.count_total).unwrap()
        })
    })
}

/// Polls a future that has nothing to wait for.
fn ready(future: impl Future<Output = ()>) {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(()));
}

/// Takes records and forgets them.
struct Null;

#[async_trait]
impl AuditSink for Null {
    async fn write(&self, _batch: &[Record]) -> Result<(), SinkError> {
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
        drop(black_box(record));
        ticket.settle(Ok(()));
    }
}
