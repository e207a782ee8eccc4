//! What a feed's thread and its handle both see.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::Timestamp;
use tokio::sync::Notify;

use crate::forward::{Circuit, HandSeen, Key, NotDelivered};
use crate::nats::NatsError;

/// How far a feed is behind its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NatsFeedLag {
    /// How many messages are in the stream and not in the store, as the server said within the last second or so.
    pub records: u64,
    /// How long ago the oldest of those that are read was recorded.
    pub age: Duration,
}

/// What became of the messages so far, since the feed was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NatsFeedStats {
    /// Records that the store has acknowledged.
    pub delivered: u64,
    /// Batches that the store has acknowledged.
    pub batches: u64,
    /// Batches that failed and were, or will be, tried again.
    pub retried: u64,
    /// Batches that were halved to find the record that the store does not take.
    pub split: u64,
    /// Messages that became dead letters.
    pub dead_letters: u64,
    /// Those of them that the store has with another content. Each is an alarm.
    pub conflicts: u64,
    /// Those of them that are no records.
    pub no_records: u64,
    /// Dead letters that nobody has resolved, also from before.
    pub unresolved: u64,
    /// Messages that the server gave out again although they are here, or are done.
    pub repeated: u64,
    /// Whether the store is asked.
    pub circuit: Circuit,
    /// The name of the store's last error, until it takes a batch again.
    pub last_error: Option<&'static str>,
    /// What is wrong with the connection or the stream, until they answer again.
    pub last_nats_error: Option<String>,
    /// How long the store has had a batch without an answer; past its deadline it blocks the thread.
    pub busy: Option<Duration>,
}

pub(super) struct Shared {
    hand: Arc<HandSeen>,
    state: Mutex<State>,
    changed: Condvar,
    /// For the thread of the connection.
    called: Notify,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) stats: NatsFeedStats,
    pub(super) unresolved: BTreeSet<Key>,
    /// When the oldest that is here was recorded.
    pub(super) oldest: Option<Timestamp>,
    /// What the server has not given out, or nobody has acknowledged.
    behind: u64,
    /// How many times somebody has asked for everything to be delivered, and which of them is.
    asked: u64,
    answered: u64,
    /// How far the stream was when it was looked at for the last who asked.
    target: Option<(u64, u64)>,
    stopping: bool,
    ended: bool,
}

impl Shared {
    pub(super) fn new(hand: Arc<HandSeen>, unresolved: BTreeSet<Key>) -> Self {
        let state = State { unresolved, ..State::default() };
        Self { hand, state: Mutex::new(state), changed: Condvar::new(), called: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is seen.
    pub(super) fn note(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    pub(super) fn lag(&self) -> NatsFeedLag {
        let state = self.lock();
        let micros = state.oldest.map_or(0, |oldest| Timestamp::now().as_unix_micros() - oldest.as_unix_micros());
        NatsFeedLag { records: state.behind, age: Duration::from_micros(u64::try_from(micros).unwrap_or_default()) }
    }

    pub(super) fn stats(&self) -> NatsFeedStats {
        let state = self.lock();
        let hand = self.hand.state();
        NatsFeedStats {
            batches: hand.batches,
            retried: hand.retried,
            split: hand.split,
            circuit: hand.circuit,
            last_error: hand.last_error,
            busy: hand.busy_since.map(|since| since.elapsed()),
            unresolved: state.unresolved.len() as u64,
            ..state.stats.clone()
        }
    }

    /// Waits until everything that the stream has by now is delivered.
    pub(super) fn flush(&self, within: Duration) -> Result<(), NotDelivered> {
        let mut state = self.lock();
        state.asked += 1;
        let asked = state.asked;
        self.called.notify_one();
        let waits = |state: &mut State| state.answered < asked && !state.ended;
        let (state, _) = self.changed.wait_timeout_while(state, within, waits).unwrap_or_else(PoisonError::into_inner);
        if state.answered >= asked { Ok(()) } else { Err(NotDelivered { records: state.behind.max(1) }) }
    }

    /// The last who has asked and is not answered.
    pub(super) fn asked(&self) -> Option<u64> {
        let state = self.lock();
        (state.asked > state.answered && state.target.is_none_or(|(asked, _)| asked < state.asked))
            .then_some(state.asked)
    }

    /// Whether somebody waits to hear how far the consumer is.
    pub(super) fn is_awaited(&self) -> bool {
        let state = self.lock();
        state.asked > state.answered
    }

    /// Notes how far the consumer is: `floor` is the last message before which all are acknowledged.
    pub(super) fn looked(&self, target: Option<(u64, u64)>, floor: u64, behind: u64) {
        self.note(|state| {
            state.behind = behind;
            state.target = target.or(state.target);
            if let Some((asked, target)) = state.target
                && floor >= target
            {
                state.answered = state.answered.max(asked);
            }
        });
    }

    /// Notes that the store has a message, or that it is buried.
    pub(super) fn done(&self) {
        self.note(|state| state.behind = state.behind.saturating_sub(1));
    }

    pub(super) fn repeated(&self) {
        self.note(|state| state.stats.repeated += 1);
    }

    /// Says whether that is new.
    pub(super) fn failed(&self, error: &NatsError) -> bool {
        self.lock().stats.last_nats_error.replace(error.to_string()).is_none()
    }

    /// The stream has answered.
    pub(super) fn reached(&self) {
        self.note(|state| state.stats.last_nats_error = None);
    }

    pub(super) fn resolved(&self, key: &Key) {
        self.note(|state| {
            state.unresolved.remove(key);
        });
    }

    pub(super) fn stop(&self) {
        self.note(|state| state.stopping = true);
        self.called.notify_one();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Comes back when something is asked.
    pub(super) async fn called(&self) {
        self.called.notified().await;
    }

    /// Rests until it is asked to stop, or the time is over.
    pub(super) fn rest(&self, within: Duration) {
        let waits = |state: &mut State| !state.stopping;
        drop(self.changed.wait_timeout_while(self.lock(), within, waits).unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn wait_until_ended(&self, within: Duration) {
        let waits = |state: &mut State| !state.ended;
        drop(self.changed.wait_timeout_while(self.lock(), within, waits).unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn end(&self) {
        self.note(|state| state.ended = true);
    }
}
