//! The thread that carries.

mod bury;

use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::__private::{Guarded, block_on, carried};
use audit_core::{AuditSink as _, Durability, Record, SinkError, StoredRecord, Timestamp};

use super::alarm;
use super::backlog::Backlog;
use super::circuit::{Breaker, Circuit};
use super::cursor::{CursorFile, ForwarderCursor};
use super::dead::DeadLetters;
use super::letter::{DeadLetter, DeadReason};
use super::options::Settings;
use super::shared::Shared;
use super::source::{Damage, Found, Link, Source, link_of};
use crate::journal::Journal;

/// How long to pause after the cursor could not be written, at least.
const CURSOR_RETRY: Duration = Duration::from_millis(100);
/// How long to wait at most for a record that is acknowledged and cannot be read.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long to wait for a record otherwise.
const LONG: Duration = Duration::from_secs(3600);

pub(super) struct Courier {
    journal: Journal,
    shared: Arc<Shared>,
    sink: Guarded,
    settings: Settings,
    source: Source,
    backlog: Backlog,
    /// What follows the backlog.
    damage: Option<Damage>,
    breaker: Breaker,
    /// For what fails on this side: reading, and burying.
    patience: Breaker,
    /// How often the same batch has failed, and how often of those the sink panicked over a single record.
    failures: u32,
    panics: u32,
    /// Everything up to here is on the disk, of a journal that acknowledges before that.
    synced: u64,
    dead: Arc<DeadLetters>,
    cursor: ForwarderCursor,
    saved_seq: u64,
    save_at: Instant,
    /// Dropped last: with it goes the lock.
    file: CursorFile,
}

/// What a turn has come to.
enum Rest {
    /// There is more to do.
    No,
    ForRecord(u64, Duration),
    Until(Instant),
}

impl Courier {
    pub(super) fn new(
        (journal, source): (Journal, Source),
        (cursor, file): (ForwarderCursor, CursorFile),
        (sink, settings): (Guarded, Settings),
        (shared, dead): (Arc<Shared>, Arc<DeadLetters>),
    ) -> Self {
        let saved_seq = cursor.seq;
        Self {
            journal,
            shared,
            sink,
            source,
            backlog: Backlog::default(),
            damage: None,
            breaker: settings.breaker(),
            patience: settings.patience(),
            settings,
            failures: 0,
            panics: 0,
            synced: 0,
            dead,
            cursor,
            saved_seq,
            save_at: Instant::now(),
            file,
        }
    }

    /// Carries until it is asked to stop.
    pub(super) fn run(mut self) {
        loop {
            while let Some(command) = self.shared.next_command() {
                self.obey(command);
            }
            if self.shared.is_stopping() {
                return self.save();
            }
            let rest = self.turn();
            let now = Instant::now();
            if self.is_unsaved() && self.save_at <= now {
                self.save();
            }
            let due = if self.is_unsaved() { self.save_at.saturating_duration_since(now) } else { LONG };
            match rest {
                Rest::No => {}
                Rest::ForRecord(seq, within) => self.shared.wait_for_record(seq, within.min(due)),
                Rest::Until(until) => self.shared.rest(until.saturating_duration_since(now).min(due)),
            }
        }
    }

    fn turn(&mut self) -> Rest {
        let now = Instant::now();
        if let Some(until) = self.patience.rests_until(now).max(self.breaker.rests_until(now)) {
            return Rest::Until(until);
        }
        let head = self.journal.head().seq;
        if self.fill().is_err() && self.backlog.is_empty() {
            self.patience.failed(now);
            return Rest::No;
        }
        if !self.backlog.is_empty() {
            self.deliver();
            return Rest::No;
        }
        if let Some(damage) = self.damage.take() {
            let letter = DeadLetter::of_damage(self.cursor.stream, damage);
            if self.bury(&letter, None) {
                self.moved_to(damage.last, 0);
            } else {
                self.damage = Some(damage);
            }
            return Rest::No;
        }
        let next = self.source.next_seq();
        if next > head { Rest::ForRecord(next, LONG) } else { Rest::ForRecord(head + 1, LOOK_AGAIN) }
    }

    /// Reads as much as a batch holds.
    fn fill(&mut self) -> Result<(), ()> {
        let (mut records, mut bytes, mut result) = (0, 0, Ok(()));
        while self.damage.is_none()
            && self.backlog.len() < self.settings.batch_records
            && self.backlog.bytes() < self.settings.batch_bytes
        {
            match self.source.next() {
                Ok(None) => break,
                Ok(Some(Found::Record(record))) => {
                    records += 1;
                    bytes += record.json().len() as u64;
                    self.backlog.push(record);
                }
                Ok(Some(Found::Damage(damage))) => self.damage = Some(damage),
                Err(error) => {
                    alarm(|| tracing::error!(target: "audited::forward", %error, "the journal could not be read"));
                    result = Err(());
                    break;
                }
            }
        }
        if records > 0 {
            let oldest = self.backlog.front().and_then(|record| record.recorded_at());
            let (read_seq, backlog_bytes) = (self.source.next_seq() - 1, self.backlog.bytes() as u64);
            self.shared.note(|state| {
                state.read_seq = read_seq;
                state.backlog_bytes = backlog_bytes;
                state.oldest = oldest;
                state.read_records += records;
                state.read_bytes += bytes;
            });
        }
        result
    }

    fn deliver(&mut self) {
        if self.sync_journal().is_err() {
            return self.patience.failed(Instant::now());
        }
        let batch: Vec<_> = self.backlog.batch(self.breaker.circuit() == Circuit::HalfOpen).map(carried).collect();
        let result = self.write(&batch);
        match &result {
            Ok(()) => self.answered(None),
            Err(error @ (SinkError::Rejected(_) | SinkError::Conflict(_))) => self.answered(Some(error)),
            Err(error) => self.failed(error, batch.len()),
        }
        match (result, batch.len()) {
            (Ok(()), count) => {
                if let Some(last) = self.backlog.done(count) {
                    self.shared.note(|state| state.stats.batches += 1);
                    self.moved_to(link_of(&last), count as u64);
                }
            }
            (Err(error @ SinkError::Rejected(_)), 1) => self.bury_front(DeadReason::Rejected, &error),
            (Err(error @ SinkError::Conflict(_)), 1) => self.bury_front(DeadReason::Conflict, &error),
            (Err(SinkError::Rejected(_) | SinkError::Conflict(_)), count) => self.split(count),
            (Err(error), 1) => {
                self.panics = if matches!(error, SinkError::Panicked) { self.panics + 1 } else { 0 };
                if self.settings.panics.is_some_and(|most| self.panics >= most) {
                    self.bury_front(DeadReason::Panicked, &error);
                }
            }
            (Err(_), count) if self.failures >= self.settings.split_after => self.split(count),
            (Err(_), _) => {}
        }
    }

    /// What a journal acknowledges before it is on the disk could be lost with the machine, and its place given to
    /// another record: the store would have what the journal does not.
    fn sync_journal(&mut self) -> Result<(), SinkError> {
        if self.journal.durability() >= Durability::Disk || self.source.next_seq() <= self.synced + 1 {
            return Ok(());
        }
        let head = self.journal.head().seq;
        block_on(self.journal.flush(), self.settings.deadline)?;
        self.synced = head;
        Ok(())
    }

    fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let circuit = self.breaker.circuit();
        self.shared.note(|state| {
            state.busy_since = Some(Instant::now());
            state.stats.circuit = circuit;
        });
        let result = self.sink.write(batch, self.settings.deadline);
        self.shared.note(|state| state.busy_since = None);
        result
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
        self.shared.note(|state| {
            state.stats.circuit = Circuit::Closed;
            state.stats.last_error = last_error;
        });
    }

    fn failed(&mut self, error: &SinkError, count: usize) {
        self.failures = self.failures.saturating_add(1);
        let before = self.breaker.circuit();
        self.breaker.failed(Instant::now());
        let circuit = self.breaker.circuit();
        self.shared.note(|state| {
            state.stats.retried += 1;
            state.stats.last_error = Some(error.reason());
            state.stats.circuit = circuit;
        });
        if (before, circuit) == (Circuit::Closed, Circuit::Open) {
            let (sink, error, seq) = (self.sink.description(), error.reason(), self.cursor.seq + 1);
            alarm(|| {
                tracing::error!(target: "audited::forward", sink, error, seq, count, "the sink fails; the journal keeps what it does not take");
            });
        }
    }

    /// Notes that one of the first records is what the sink does not take.
    fn split(&mut self, count: usize) {
        self.failures = 0;
        self.backlog.suspect(count);
        self.shared.note(|state| state.stats.split += 1);
    }

    fn moved_to(&mut self, link: Link, delivered: u64) {
        (self.cursor.seq, self.cursor.hash, self.cursor.end) = (link.seq, link.hash, None);
        let oldest = self.backlog.front().and_then(|record: &StoredRecord| record.recorded_at());
        let backlog_bytes = self.backlog.bytes() as u64;
        self.shared.note(|state| {
            state.stats.delivered += delivered;
            state.delivered_seq = link.seq;
            state.read_seq = state.read_seq.max(link.seq);
            state.backlog_bytes = backlog_bytes;
            state.oldest = oldest;
        });
    }

    fn is_unsaved(&self) -> bool {
        self.saved_seq != self.cursor.seq
    }

    fn save(&mut self) {
        if !self.is_unsaved() {
            return;
        }
        self.cursor.updated_at = Timestamp::now();
        let mut pause = self.settings.cursor_every;
        match self.file.write(&self.cursor) {
            Ok(()) => self.saved_seq = self.cursor.seq,
            Err(error) => {
                pause = pause.max(CURSOR_RETRY);
                self.shared.note(|state| state.stats.cursor_failures += 1);
                let error = error.kind();
                alarm(|| {
                    tracing::error!(target: "audited::forward", %error, "the cursor could not be written; a crash repeats what is delivered since");
                });
            }
        }
        self.save_at = Instant::now() + pause;
    }
}
