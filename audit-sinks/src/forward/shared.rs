//! What a forwarder's thread and its handle both see.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::{Record, Timestamp};

use super::circuit::Circuit;
use super::error::{DeadLetterError, NotDelivered};
use super::hand::HandSeen;
use super::letter::Key;
use crate::journal::Progress;

/// How far a forwarder is behind its journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwarderLag {
    /// How many records are acknowledged by the journal and not delivered.
    pub records: u64,
    /// How many bytes they have: exact for what is read already, at the mean length of what was read so far for the
    /// rest.
    pub bytes: u64,
    /// How long ago the oldest of them was recorded.
    pub age: Duration,
}

/// What became of the records so far, since the forwarder was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwarderStats {
    /// Records that the sink has acknowledged.
    pub delivered: u64,
    /// Batches that the sink has acknowledged.
    pub batches: u64,
    /// Batches that failed and were, or will be, tried again.
    pub retried: u64,
    /// Batches that were halved to find the record that the sink does not take.
    pub split: u64,
    /// Records that became dead letters.
    pub dead_letters: u64,
    /// Those of them that the sink has with another content. Each is an alarm.
    pub conflicts: u64,
    /// Dead letters that nobody has resolved, also from before.
    pub unresolved: u64,
    /// How often the cursor could not be written. Delivery goes on; a crash repeats more of it.
    pub cursor_failures: u64,
    /// How often in a row the journal could not be read. It is tried again for ever, and nothing behind that place is
    /// delivered meanwhile; what is there already may still be under way.
    pub read_failures: u64,
    /// Which file of the journal cannot be read, and what the operating system says, until it can be.
    pub journal_error: Option<String>,
    /// Journals of dead processes that were delivered to their end.
    pub adopted: u64,
    /// Journals of dead processes that could not be delivered so far, and directories of them that could not be listed.
    /// Each is tried again, ever more seldom: after [`adopt_after`](crate::ForwarderBuilder::adopt_after) at first, once a
    /// day in the end.
    pub not_adopted: u64,
    /// What is wrong with one of them.
    pub adoption_error: Option<String>,
    /// Whether the sink is asked.
    pub circuit: Circuit,
    /// The name of the sink's last error, until it takes a batch again.
    pub last_error: Option<&'static str>,
    /// How long the sink has had a batch without an answer; past its deadline it blocks the thread.
    pub busy: Option<Duration>,
}

/// Asked of the thread.
pub(super) enum Command {
    Redeliver { key: Key, original: Record, resolution: Record, reply: SyncSender<Result<(), DeadLetterError>> },
}

pub(super) struct Shared {
    /// Without the journal itself, which is to be closed when the thread has ended.
    journal: Arc<Progress>,
    hand: Arc<HandSeen>,
    state: Mutex<State>,
    changed: Condvar,
    /// Set when the thread is to look what is asked of it.
    called: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) stats: ForwarderStats,
    /// Everything up to here is delivered, or is a dead letter.
    pub(super) delivered_seq: u64,
    /// Everything up to here is read.
    pub(super) read_seq: u64,
    /// What is read and not delivered.
    pub(super) backlog_bytes: u64,
    pub(super) oldest: Option<Timestamp>,
    /// All that was read so far.
    pub(super) read_records: u64,
    pub(super) read_bytes: u64,
    pub(super) unresolved: BTreeSet<Key>,
    commands: VecDeque<Command>,
    stopping: bool,
    ended: bool,
}

impl Shared {
    pub(super) fn new(
        journal: Arc<Progress>,
        hand: Arc<HandSeen>,
        delivered_seq: u64,
        unresolved: BTreeSet<Key>,
    ) -> Self {
        let state = State { delivered_seq, read_seq: delivered_seq, unresolved, ..State::default() };
        Self { journal, hand, state: Mutex::new(state), changed: Condvar::new(), called: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is seen.
    pub(super) fn note(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    pub(super) fn lag(&self) -> ForwarderLag {
        // Before the lock: what is acknowledged later does not count.
        let head = self.journal.head().seq;
        self.lock().lag(head, Timestamp::now())
    }

    pub(super) fn stats(&self) -> ForwarderStats {
        let state = self.lock();
        let unresolved = state.unresolved.len() as u64;
        let hand = self.hand.state();
        ForwarderStats {
            batches: hand.batches,
            retried: hand.retried,
            split: hand.split,
            circuit: hand.circuit,
            last_error: hand.last_error,
            busy: hand.busy_since.map(|since| since.elapsed()),
            unresolved,
            ..state.stats.clone()
        }
    }

    /// Waits until everything acknowledged so far is delivered.
    pub(super) fn wait_until_delivered(&self, within: Duration) -> Result<(), NotDelivered> {
        let head = self.journal.head().seq;
        let waits = |state: &mut State| state.delivered_seq < head && !state.ended;
        let waited = self.changed.wait_timeout_while(self.lock(), within, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match head.saturating_sub(state.delivered_seq) {
            0 => Ok(()),
            records => Err(NotDelivered { records }),
        }
    }

    /// Asks the thread for something; dropped unanswered when it has ended.
    pub(super) fn command(&self, command: Command) {
        self.note(|state| {
            if !state.ended {
                state.commands.push_back(command);
            }
        });
        self.journal.call(&self.called);
    }

    /// Notes that a dead letter is none any more.
    pub(super) fn resolved(&self, key: &Key) {
        self.note(|state| {
            state.unresolved.remove(key);
        });
    }

    /// Asks the thread to end.
    pub(super) fn stop(&self) {
        self.note(|state| state.stopping = true);
        self.journal.call(&self.called);
    }

    /// Waits until the thread has ended; says whether it has.
    pub(super) fn wait_until_ended(&self, within: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), within, |state| !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// What is asked of the thread next. Whatever is asked from here on is heard by [`Self::wait_for_record`].
    pub(super) fn next_command(&self) -> Option<Command> {
        self.called.store(false, std::sync::atomic::Ordering::Release);
        self.lock().commands.pop_front()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Rests until the journal has a record, something is asked, or the time is over.
    pub(super) fn wait_for_record(&self, seq: u64, within: Duration) {
        self.journal.wait_unless_called(seq, within, &self.called);
    }

    /// Rests until something is asked, or the time is over.
    pub(super) fn rest(&self, within: Duration) {
        let waits = |state: &mut State| !state.stopping && state.commands.is_empty();
        drop(self.changed.wait_timeout_while(self.lock(), within, waits).unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn end(&self) {
        let unanswered = {
            let mut state = self.lock();
            state.ended = true;
            std::mem::take(&mut state.commands)
        };
        self.changed.notify_all();
        drop(unanswered);
    }
}

impl State {
    fn lag(&self, head: u64, now: Timestamp) -> ForwarderLag {
        let records = head.saturating_sub(self.delivered_seq);
        if records == 0 {
            return ForwarderLag::default();
        }
        let unread = head.saturating_sub(self.read_seq);
        let mean = self.read_bytes.checked_div(self.read_records).unwrap_or_default();
        let micros = self.oldest.map_or(0, |oldest| now.as_unix_micros() - oldest.as_unix_micros());
        ForwarderLag {
            records,
            bytes: self.backlog_bytes + unread * mean,
            age: Duration::from_micros(u64::try_from(micros).unwrap_or_default()),
        }
    }
}
