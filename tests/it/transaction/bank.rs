//! A bank in memory with transactions: a change and what is recorded in it are there together, or neither is.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use audited::{
    AuditSink, AuditStore, AuditTransaction, Deny, Kind, MemorySink, MemoryStore, Query, Record, Recorder, Refusal,
    SinkError, StoredRecord, Verdict, with_recorder, with_recorder_sync,
};

use crate::support;

/// Cents, and what was recorded of them.
pub(super) struct Bank {
    pub(super) store: MemoryStore,
    pub(super) cents: Cell<u64>,
}

/// What a transaction does with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Take,
    /// Takes it when it is polled so often.
    TakeAfter(usize),
    Fail,
    Panic,
    /// Panics before there is a future.
    PanicAtOnce,
    Hang,
}

/// A transaction: it cannot be shared between threads, as those of many clients cannot. Dropped, it is rolled back.
pub(super) struct Tx<'b> {
    bank: &'b Bank,
    cents: Cell<u64>,
    pub(super) staged: RefCell<Vec<Record>>,
    pub(super) answer: Cell<Answer>,
    pub(super) asked: Cell<usize>,
}

/// An error that says what it is.
#[derive(Debug, PartialEq)]
pub(super) enum Error {
    Forbidden,
    Broken,
    Refused(Refusal),
}

impl Bank {
    pub(super) fn new() -> Self {
        Self { store: MemoryStore::new(), cents: Cell::new(0) }
    }

    pub(super) fn begin(&self) -> Tx<'_> {
        self.begin_with(Answer::Take)
    }

    pub(super) fn begin_with(&self, answer: Answer) -> Tx<'_> {
        Tx {
            bank: self,
            cents: Cell::new(0),
            staged: RefCell::default(),
            answer: Cell::new(answer),
            asked: Cell::new(0),
        }
    }

    /// What a query finds, without what is recorded of the reading.
    pub(super) fn find(&self, query: Query) -> Vec<StoredRecord> {
        let page = now(self.store.global("test").page(&query.oldest_first())).expect("a page");
        page.records.into_iter().filter(|record| record.kind() != Some(Kind::System)).collect()
    }

    pub(super) fn records(&self) -> Vec<StoredRecord> {
        self.find(Query::new())
    }
}

impl Tx<'_> {
    pub(super) fn add(&self, cents: u64) {
        self.cents.set(self.cents.get() + cents);
    }

    pub(super) fn cents(&self) -> u64 {
        self.cents.get()
    }

    pub(super) fn commit(self) {
        now(self.bank.store.write(&self.staged.borrow())).expect("room");
        self.bank.cents.set(self.bank.cents.get() + self.cents.get());
    }
}

impl AuditTransaction for Tx<'_> {
    fn write(&self, record: &Record) -> impl Future<Output = Result<(), SinkError>> {
        assert_ne!(self.answer.get(), Answer::PanicAtOnce, "s3cret in a panic");
        let record = record.clone();
        async move {
            let mut polls = 0;
            poll_fn(|_| {
                self.asked.set(self.asked.get() + 1);
                polls += 1;
                if self.answer.get() == Answer::TakeAfter(polls) {
                    self.answer.set(Answer::Take);
                }
                if matches!(self.answer.get(), Answer::TakeAfter(_)) { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            match self.answer.get() {
                Answer::Fail => return Err(SinkError::failed(std::io::Error::other("s3cret in an error"))),
                Answer::Panic => panic!("s3cret in a panic"),
                Answer::Hang => pending().await,
                _ => self.staged.borrow_mut().push(record),
            }
            Ok(())
        }
    }
}

impl Deny for Error {
    fn deny(&self) -> Verdict {
        match self {
            Self::Forbidden => Verdict::denied("missing_scope"),
            Self::Broken => Verdict::failure("broken"),
            Self::Refused(_) => Verdict::failure("refused"),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a future gives that does not wait for anything.
#[track_caller]
pub(super) fn now<F: IntoFuture>(future: F) -> F::Output {
    match pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// A recorder in memory, and how to look into it.
pub(super) struct Recorded {
    pub(super) recorder: Recorder,
    memory: MemorySink,
}

impl Recorded {
    pub(super) fn new() -> Self {
        let memory = MemorySink::new();
        Self::with(support::recorder(memory.clone()), memory)
    }

    pub(super) fn with(recorder: Recorder, memory: MemorySink) -> Self {
        Self { recorder, memory }
    }

    /// With a deadline that is over soon.
    pub(super) fn hasty() -> Self {
        let memory = MemorySink::new();
        let recorder = Recorder::builder().sink(memory.clone()).deadline(Duration::from_millis(20));
        Self::with(recorder.allow_weak_fail_closed().build().expect("a recorder"), memory)
    }

    /// Polls a future to its end.
    pub(super) fn run<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(with_recorder(self.recorder.clone(), future));
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return value;
            }
        }
    }

    /// Polls a future so often, and drops it.
    pub(super) fn drop_after<F: IntoFuture>(&self, polls: usize, future: F) {
        let mut future = pin!(with_recorder(self.recorder.clone(), future));
        for _ in 0..polls {
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
    }

    pub(super) fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        with_recorder_sync(self.recorder.clone(), call)
    }

    /// What the recorder was given, without what the framework says about itself.
    pub(super) fn records(&self) -> Vec<Record> {
        self.memory.records().into_iter().filter(|record| record.kind() != Some(Kind::System)).collect()
    }

    #[track_caller]
    pub(super) fn only(&self) -> Record {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "{records:#?}");
        records.remove(0)
    }

    /// What the framework says about itself.
    pub(super) fn additions(&self) -> Vec<Record> {
        self.memory.records().into_iter().filter(|record| record.action() == "audit.undelivered").collect()
    }
}
