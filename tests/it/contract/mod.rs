//! Our own sinks under the suite that `audited::testing` has for every sink, and sinks that break its promises, to show
//! that each of its cases sees something.

#[cfg(feature = "testing")]
mod flawed;
#[cfg(feature = "testing")]
pub(crate) mod ours;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use audited::StoredRecord;

/// Drives a future without any runtime; one that hangs fails the test.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    let start = Instant::now();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(Duration::from_secs(1)),
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it hangs");
    }
}

/// Whether a record is not what the journal says about its files.
pub(crate) fn is_no_frame(record: &StoredRecord) -> bool {
    !matches!(&*record.action(), "audit.segment_opened" | "audit.segment_closed")
}
