//! A sink, held so that its panics stay with it.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::__private::{Inline, Ticket};
use crate::contain::contained;
use crate::record::Record;
use crate::sink::{AuditSink, Durability, SinkError};

/// What a sink is called that panics when it is asked.
const NAMELESS: &str = "a sink that cannot describe itself";

/// Asks, polls and drops a sink so that its panics go no further.
pub struct Guarded {
    /// Taken when it is dropped.
    sink: Option<Arc<dyn AuditSink>>,
    /// Asked once: what goes into records and logs later must not run foreign code.
    description: String,
    durability: Durability,
}

impl Guarded {
    /// Holds a sink, and asks it what it is.
    pub fn new(sink: Arc<dyn AuditSink>) -> Self {
        let description = contained(|| sink.describe()).unwrap_or_else(|| NAMELESS.to_owned());
        // A sink that cannot say what it promises promises nothing.
        let durability = contained(|| sink.durability()).unwrap_or(Durability::None);
        Self { sink: Some(sink), description, durability }
    }

    /// The same sink, for another thread.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { sink: self.sink.clone(), description: self.description.clone(), durability: self.durability }
    }

    /// What it calls itself.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What it promises.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Whether it takes records on the caller's thread.
    pub fn is_inline(&self) -> bool {
        self.inline().is_some()
    }

    /// Hands a batch to a sink that takes records on the caller's thread; it is answered for as one.
    pub fn submit_batch_inline(&self, batch: &[Record], ticket: Ticket) {
        match self.inline() {
            Some(inline) => drop(contained(|| inline.submit_batch(batch, ticket))),
            None => ticket.settle(Err(SinkError::Closed)),
        }
    }

    /// Hands a record to a sink that takes it on the caller's thread. A ticket that a panic drops answers for itself.
    pub(crate) fn submit_inline(&self, record: Record, ticket: Ticket) {
        match self.inline() {
            Some(inline) => drop(contained(|| inline.submit(record, ticket))),
            None => ticket.settle(Err(SinkError::Closed)),
        }
    }

    /// Polls a write on this thread.
    ///
    /// # Errors
    ///
    /// What the sink says, [`SinkError::Panicked`], or [`SinkError::Deadline`] when a pending future was dropped.
    pub fn write(&self, batch: &[Record], within: Duration) -> Result<(), SinkError> {
        self.poll(|sink| block_on(sink.write(batch), within))
    }

    /// As [`Guarded::write`]; a sink that does not answer at once leaves the time for something else, once.
    ///
    /// # Errors
    ///
    /// As [`Guarded::write`].
    pub fn write_meanwhile(
        &self,
        batch: &[Record],
        within: Duration,
        meanwhile: &mut dyn FnMut(),
    ) -> Result<(), SinkError> {
        self.poll(|sink| block_on_meanwhile(sink.write(batch), within, meanwhile))
    }

    /// Polls a flush on this thread.
    ///
    /// # Errors
    ///
    /// As [`Guarded::write`].
    pub fn flush(&self, within: Duration) -> Result<(), SinkError> {
        self.poll(|sink| block_on(sink.flush(), within))
    }

    /// The sink itself, for those who guard what they poll. `None` only while it is dropped.
    pub fn sink(&self) -> Option<&dyn AuditSink> {
        self.sink.as_deref()
    }

    fn poll(&self, poll: impl FnOnce(&dyn AuditSink) -> Result<(), SinkError>) -> Result<(), SinkError> {
        let Some(sink) = self.sink.as_deref() else { return Err(SinkError::Closed) };
        contained(|| poll(sink)).unwrap_or(Err(SinkError::Panicked))
    }

    fn inline(&self) -> Option<&dyn Inline> {
        let sink = self.sink.as_deref()?;
        contained(|| sink.inline()).flatten()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The last record's caller may be the one who drops the sink.
        let sink = self.sink.take();
        contained(move || drop(sink));
    }
}

/// Polls a sink's future on this thread until it is ready or the deadline has passed; a future that is late is
/// dropped.
///
/// # Errors
///
/// What the future gives, or [`SinkError::Deadline`].
pub fn block_on<F>(future: F, within: Duration) -> Result<(), SinkError>
where
    F: Future<Output = Result<(), SinkError>>,
{
    block_on_meanwhile(future, within, &mut || ())
}

/// Does something else, once, where the future is not ready when it is polled first.
fn block_on_meanwhile<F>(future: F, within: Duration, meanwhile: &mut dyn FnMut()) -> Result<(), SinkError>
where
    F: Future<Output = Result<(), SinkError>>,
{
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    // Too long to be a moment is for ever.
    let deadline = Instant::now().checked_add(within);
    let mut meanwhile = Some(meanwhile);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return result;
        }
        if let Some(meanwhile) = meanwhile.take() {
            meanwhile();
        }
        let Some(deadline) = deadline else {
            thread::park();
            continue;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(SinkError::Deadline);
        }
        thread::park_timeout(left);
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guarded({})", self.description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_else_is_done_once_and_only_while_an_answer_is_awaited() {
        for (polls, expected) in [(0, 0), (1, 1), (3, 1)] {
            let (mut left, mut done) = (polls, 0);
            let future = std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if left == 0 {
                    return Poll::Ready(Ok(()));
                }
                left -= 1;
                Poll::Pending
            });
            block_on_meanwhile(future, Duration::from_secs(60), &mut || done += 1).unwrap();
            assert_eq!(done, expected, "after {polls} polls that were not ready");
        }
    }
}
