//! The hand that gives a backlog to a sink, batch by batch, and finds out what the sink does not take.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use audit_core::__private::{Guarded, carried};
use audit_core::{Record, SinkError};

use super::alarm;
use super::backlog::Backlog;
use super::circuit::{Breaker, Circuit};
use super::letter::DeadReason;

pub(crate) struct Hand {
    sink: Guarded,
    limits: HandLimits,
    breaker: Breaker,
    /// How often the same batch has failed, and how often of those the sink panicked over a single record.
    failures: u32,
    panics: u32,
    seen: Arc<HandSeen>,
}

#[derive(Clone, Copy)]
pub(crate) struct HandLimits {
    pub(crate) deadline: Duration,
    /// How often a batch may fail before it is halved.
    pub(crate) split_after: u32,
    /// How often the sink may panic over a single record.
    pub(crate) panics: Option<u32>,
}

/// What has come of a batch.
pub(crate) enum Offered {
    /// The sink has so many, from the front of the backlog on.
    Taken(usize),
    /// It will not take the front of the backlog.
    Refused(DeadReason, SinkError),
    /// It is asked again, once it has rested, with what the backlog gives then.
    Again,
}

/// What others see of a hand.
#[derive(Default)]
pub(crate) struct HandSeen(Mutex<HandState>);

#[derive(Clone, Default)]
pub(crate) struct HandState {
    pub(crate) batches: u64,
    pub(crate) retried: u64,
    pub(crate) split: u64,
    pub(crate) circuit: Circuit,
    pub(crate) last_error: Option<&'static str>,
    pub(crate) busy_since: Option<Instant>,
}

impl Hand {
    pub(crate) fn new(sink: Guarded, limits: HandLimits, breaker: Breaker, seen: Arc<HandSeen>) -> Self {
        Self { sink, limits, breaker, failures: 0, panics: 0, seen }
    }

    pub(crate) fn description(&self) -> &str {
        self.sink.description()
    }

    /// Until when the sink is left alone; `None` when it may be asked now.
    pub(crate) fn rests_until(&mut self, now: Instant) -> Option<Instant> {
        self.breaker.rests_until(now)
    }

    /// Gives the sink the next batch, which must not be empty. While the sink is at work with it there is time for
    /// something else.
    pub(crate) fn offer(&mut self, backlog: &mut Backlog, meanwhile: &mut dyn FnMut()) -> Offered {
        let batch: Vec<_> = backlog.batch(self.breaker.circuit() == Circuit::HalfOpen).map(carried).collect();
        let result = self.write_meanwhile(&batch, meanwhile);
        match &result {
            Ok(()) => self.answered(None),
            Err(error @ (SinkError::Rejected(_) | SinkError::Conflict(_))) => self.answered(Some(error)),
            Err(error) => self.failed(error, &batch),
        }
        match (result, batch.len()) {
            (Ok(()), count) => {
                self.seen.lock().batches += 1;
                return Offered::Taken(count);
            }
            (Err(error @ SinkError::Rejected(_)), 1) => return Offered::Refused(DeadReason::Rejected, error),
            (Err(error @ SinkError::Conflict(_)), 1) => return Offered::Refused(DeadReason::Conflict, error),
            (Err(SinkError::Rejected(_) | SinkError::Conflict(_)), count) => self.split(backlog, count),
            (Err(error), 1) => {
                self.panics = if matches!(error, SinkError::Panicked) { self.panics + 1 } else { 0 };
                if self.limits.panics.is_some_and(|most| self.panics >= most) {
                    return Offered::Refused(DeadReason::Panicked, error);
                }
            }
            (Err(_), count) if self.failures >= self.limits.split_after => self.split(backlog, count),
            (Err(_), _) => {}
        }
        Offered::Again
    }

    /// Gives the sink something out of turn.
    pub(crate) fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.write_meanwhile(batch, &mut || ())
    }

    fn write_meanwhile(&self, batch: &[Record], meanwhile: &mut dyn FnMut()) -> Result<(), SinkError> {
        let circuit = self.breaker.circuit();
        self.seen.note(|state| {
            state.busy_since = Some(Instant::now());
            state.circuit = circuit;
        });
        let result = self.sink.write_meanwhile(batch, self.limits.deadline, meanwhile);
        self.seen.note(|state| state.busy_since = None);
        result
    }

    /// Notes that the record which the sink refused is out of the way.
    pub(crate) fn buried(&mut self) {
        self.panics = 0;
    }

    fn answered(&mut self, refused: Option<&SinkError>) {
        self.failures = 0;
        self.panics = 0;
        if self.breaker.circuit() != Circuit::Closed {
            let sink = self.sink.description();
            alarm(|| tracing::info!(target: "audited::forward", sink, "the sink is back"));
        }
        self.breaker.answered();
        let last_error = refused.map(SinkError::reason);
        self.seen.note(|state| {
            state.circuit = Circuit::Closed;
            state.last_error = last_error;
        });
    }

    fn failed(&mut self, error: &SinkError, batch: &[Record]) {
        self.failures = self.failures.saturating_add(1);
        let before = self.breaker.circuit();
        self.breaker.failed(Instant::now());
        let circuit = self.breaker.circuit();
        self.seen.note(|state| {
            state.retried += 1;
            state.last_error = Some(error.reason());
            state.circuit = circuit;
        });
        if (before, circuit) == (Circuit::Closed, Circuit::Open) {
            let (sink, error, count) = (self.sink.description(), error.reason(), batch.len());
            let seq = batch.first().and_then(|record| record.seq());
            alarm(|| {
                tracing::error!(target: "audited::forward", sink, error, seq, count, "the sink fails; what it does not take is kept for it");
            });
        }
    }

    /// Notes that one of the first records is what the sink does not take.
    fn split(&mut self, backlog: &mut Backlog, count: usize) {
        self.failures = 0;
        backlog.suspect(count);
        self.seen.lock().split += 1;
    }
}

impl HandSeen {
    pub(crate) fn state(&self) -> HandState {
        self.lock().clone()
    }

    fn note(&self, change: impl FnOnce(&mut HandState)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, HandState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
