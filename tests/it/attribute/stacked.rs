//! Beside other attributes, in both orders.

use audited::{Stage, audited};
use tracing::instrument;

use super::{Recorded, call, run};

#[audited]
#[instrument]
async fn audited_first(number: u32) -> u32 {
    tokio::task::yield_now().await;
    number
}

#[instrument]
#[audited]
async fn instrument_first(number: u32) -> u32 {
    tokio::task::yield_now().await;
    number
}

#[audited]
#[instrument]
fn audited_first_sync(number: u32) -> u32 {
    number
}

#[instrument]
#[audited]
fn instrument_first_sync(number: u32) -> u32 {
    number
}

#[audited]
#[must_use]
#[inline]
async fn must_use_after() -> u32 {
    1
}

#[must_use]
#[audited]
async fn must_use_before() -> u32 {
    2
}

#[audited(action = "stacked.first", unlocked)]
#[audited(action = "stacked.second", unlocked)]
async fn twice(number: u32) -> u32 {
    number
}

#[audited(action = "stacked.first", unlocked)]
#[audited(action = "stacked.second", unlocked)]
fn twice_sync(number: u32) -> u32 {
    number
}

/// The attribute that stands first is expanded first, and so lies inside.
#[test]
fn with_instrument_must_use_and_itself() {
    assert_eq!(run(audited_first(1)), 1);
    assert_eq!(run(instrument_first(1)), 1);
    assert_eq!(call(|| audited_first_sync(1)), 1);
    assert_eq!(call(|| instrument_first_sync(1)), 1);
    assert_eq!(run(must_use_after()), 1);
    assert_eq!(run(must_use_before()), 2);
    for calls in [|recorded: &Recorded| recorded.run(twice(1)), |recorded: &Recorded| recorded.call(|| twice_sync(1))] {
        let recorded = Recorded::new();
        assert_eq!(calls(&recorded), 1);
        let records = recorded.records();
        assert_eq!(
            records.iter().map(|record| record.action()).collect::<Vec<_>>(),
            ["stacked.first", "stacked.second"]
        );
        assert_eq!(records[0].parent(), records[1].id());
    }
}

#[audited]
#[test]
fn audited_before_test() {
    assert_eq!(1 + 1, 2);
}

#[test]
#[audited]
fn test_before_audited() {
    assert_eq!(1 + 1, 2);
}

#[audited]
#[tokio::test]
async fn audited_before_tokio_test() {
    tokio::task::yield_now().await;
}

#[tokio::test]
#[audited]
async fn tokio_test_before_audited() {
    tokio::task::yield_now().await;
}

#[audited]
#[tokio::main(flavor = "current_thread")]
async fn audited_before_tokio_main() -> u32 {
    tokio::task::yield_now().await;
    1
}

#[tokio::main(flavor = "current_thread")]
#[audited]
async fn tokio_main_before_audited() -> u32 {
    tokio::task::yield_now().await;
    2
}

#[test]
fn with_tokio_main() {
    assert_eq!(call(audited_before_tokio_main), 1);
    assert_eq!(call(tokio_main_before_audited), 2);
}

#[axum::debug_handler]
#[audited]
async fn handler_first() -> &'static str {
    "a"
}

#[audited]
#[axum::debug_handler]
async fn audited_handler() -> &'static str {
    "b"
}

#[test]
#[allow(deprecated)]
fn with_debug_handler_and_deprecated() {
    #[deprecated = "for the test"]
    #[audited]
    async fn before() -> u32 {
        1
    }
    #[audited]
    #[deprecated = "for the test"]
    async fn after() -> u32 {
        2
    }
    assert_eq!(run(handler_first()), "a");
    assert_eq!(run(audited_handler()), "b");
    assert_eq!(run(before()), 1);
    assert_eq!(run(after()), 2);
}

#[test]
fn a_panic_under_instrument_is_one_panicked_record() {
    #[instrument]
    #[audited]
    async fn panics() {
        panic!("as planned");
    }
    let recorded = Recorded::new();
    let panicking = std::panic::AssertUnwindSafe(|| recorded.run(panics()));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_eq!(recorded.only().stage(), Some(Stage::Panicked));
}
