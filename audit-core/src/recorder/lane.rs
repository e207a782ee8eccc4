//! The thread on which a foreign sink is polled.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::record::Record;
use crate::sink::{AuditSink, SinkError};
use crate::ticket::Ticket;

/// The most records of one batch.
const MAX_BATCH: usize = 1024;

/// Hands records to a foreign sink, one batch at a time, whatever that sink does.
pub(super) struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    sink: Arc<dyn AuditSink>,
    deadline: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Record, Ticket)>,
    /// Since when the sink has been polled without coming back.
    busy_since: Option<Instant>,
    closed: bool,
}

impl Lane {
    pub(super) fn start(sink: Arc<dyn AuditSink>, deadline: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { sink, deadline, state: Mutex::default(), changed: Condvar::new() });
        let theirs = shared.clone();
        thread::Builder::new().name("audited-sink".into()).spawn(move || theirs.run())?;
        Ok(Self { shared })
    }

    pub(super) fn submit(&self, record: Record, ticket: Ticket) {
        let refused = {
            let mut state = self.shared.lock();
            if state.is_stuck(self.shared.deadline) {
                // Nothing that waits behind a stuck sink is answered in time: say so now.
                let mut refused = std::mem::take(&mut state.queue);
                refused.push_back((record, ticket));
                refused
            } else {
                state.queue.push_back((record, ticket));
                VecDeque::new()
            }
        };
        self.shared.changed.notify_one();
        for (_, ticket) in refused {
            ticket.settle(Err(SinkError::Deadline));
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while let Some((records, tickets)) = self.next_batch() {
            let result = write(&*self.sink, &records, self.deadline);
            self.lock().busy_since = None;
            for ticket in tickets {
                ticket.settle(result.clone());
            }
        }
    }

    /// Waits for records; none when the lane is closed and empty.
    fn next_batch(&self) -> Option<(Vec<Record>, Vec<Ticket>)> {
        let mut state = self.lock();
        while state.queue.is_empty() {
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let most = state.queue.len().min(MAX_BATCH);
        state.busy_since = Some(Instant::now());
        Some(state.queue.drain(..most).unzip())
    }
}

impl State {
    fn is_stuck(&self, deadline: Duration) -> bool {
        // Twice the deadline: once for the sink's future, and as much again for a poll that does not come back.
        self.busy_since.is_some_and(|since| since.elapsed() > deadline * 2)
    }
}

fn write(sink: &dyn AuditSink, records: &[Record], deadline: Duration) -> Result<(), SinkError> {
    catch_unwind(AssertUnwindSafe(|| block_on(sink.write(records), deadline)))
        .unwrap_or(Err(SinkError::Panicked))
}

/// Polls a sink's future on this thread until it is ready or the deadline has passed; a future that is late is
/// dropped.
pub(super) fn block_on<F>(future: F, deadline: Duration) -> Result<(), SinkError>
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
    let deadline = Instant::now() + deadline;
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return result;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(SinkError::Deadline);
        }
        thread::park_timeout(left);
    }
}
