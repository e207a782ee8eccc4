//! Bodies whose values panic when they are dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use audited::{Stage, audited, with_recorder};

use crate::support::{self, Capture, PATIENCE};

/// Panics when it is dropped; ready or not before.
struct Bomb(Poll<u8>);

impl Future for Bomb {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
        self.0
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("s3cret");
    }
}

#[audited(action = "bomb.carry")]
async fn carry_bomb(value: Poll<u8>) -> u8 {
    Bomb(value).await
}

#[test]
fn a_body_that_panics_when_it_is_dropped_is_recorded_all_the_same() {
    for (value, stage) in [(Poll::Pending, Stage::Cancelled), (Poll::Ready(1), Stage::Panicked)] {
        let sink = Capture::new();
        let mut call = Box::pin(with_recorder(support::recorder(sink.clone()), carry_bomb(value)));
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let mut cx = Context::from_waker(Waker::noop());
            while call.as_mut().poll(&mut cx).is_pending() && value.is_ready() {
                std::thread::yield_now();
            }
            drop(call);
        }));
        assert!(panicked.is_err());
        let records = sink.wait_for(1, PATIENCE);
        assert_eq!((records.len(), records[0].stage()), (1, Some(stage)));
        assert!(!records[0].json().contains("s3cret"));
    }
}
