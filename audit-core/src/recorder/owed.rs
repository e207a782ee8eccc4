//! What the stream is owed: how many records were lost, and how many denials were counted. It waits until a sink has
//! acknowledged the record that says so.
//!
//! A record that is handed over when something was lost stands behind the gap record that counts it. A lane has one
//! write at a time and puts the gap in front of it ([`Owed::next`]). A sink that takes records on its callers' threads
//! has any number of them, and one that comes while a gap is on its way would be before it, should that try fail: so
//! it stands in [`Line`] until the gap is acknowledged ([`Owed::admit`]), and whoever finds something to do does it
//! ([`Owed::step`]): those who hand over, and the sink's own thread when it answers.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::flood::{Counted, DenialKind};
pub(super) use super::ledger::Debts;
use super::ledger::{Due, Ledger};
use super::line::Line;
use super::note::Note;
use super::watch::Watch;
use crate::alarm::Alarms;
use crate::contain::contained;
use crate::record::Record;
use crate::sensitive::Rules;
use crate::sink::SinkError;
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard};
use crate::ticket::{Account, Ticket};
use crate::timestamp::Timestamp;

pub(super) struct Owed {
    state: Mutex<State>,
    /// Whether a record may pass, as it is once the lock is let go of: most may, and nobody takes that for it.
    passes: AtomicBool,
    landed: Condvar,
    watch: Arc<Watch>,
    rules: Arc<Rules>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    line: Line,
    /// Whether somebody is about to take what is due.
    asked: bool,
    /// Whether somebody is giving notes to a sink that takes them on the caller's thread, or answers for what is lost
    /// with them. The sink may answer from within, and what is due then is given to it by whoever gave that.
    handing: bool,
}

/// What is to be done next for a sink that takes records on the caller's thread.
pub(super) enum Step {
    /// Give it these notes, and say so with [`Owed::done`].
    Hand(Vec<(Record, Ticket)>),
    /// Give it these records: the gap before them is in the stream.
    Release(Vec<(Record, Ticket)>),
    /// These are lost: the sink does not take the gap before them. Answer, and say so with [`Owed::done`].
    Refuse(Vec<Ticket>, SinkError),
    Rest,
}

/// What becomes of a record for a sink that takes it on the caller's thread.
pub(super) struct Admitted {
    /// It, unless it waits behind a gap.
    pub(super) passes: Option<(Record, Ticket)>,
    /// Whether there are steps to take first.
    pub(super) steps: bool,
}

impl Owed {
    pub(super) fn new(watch: Arc<Watch>, rules: Arc<Rules>) -> Arc<Self> {
        let passes = AtomicBool::new(true);
        Arc::new(Self { state: Mutex::new(State::default()), passes, landed: Condvar::new(), watch, rules })
    }

    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    fn lock(&self) -> Locked<'_> {
        Locked { state: self.state.lock().unwrap_or_else(PoisonError::into_inner), passes: &self.passes }
    }

    /// A record was lost.
    pub(super) fn lost(&self, action: &str, error: &SinkError, when: Timestamp) {
        self.lock().ledger.lost(action, error, when);
        self.watch.gap_due();
    }

    /// Denials were counted.
    pub(super) fn counted(&self, counted: impl Iterator<Item = (DenialKind, Counted)>) {
        let mut state = self.lock();
        counted.for_each(|(kind, counted)| state.ledger.counted(kind, counted));
    }

    /// The notes that are due, for a lane. What a sink does not acknowledge is owed again.
    pub(super) fn next(self: &Arc<Self>) -> Vec<(Record, Ticket)> {
        let due = self.lock().take(true);
        self.landed.notify_all();
        self.notes(due)
    }

    /// Whether more was lost than the notes say that [`next`](Self::next) has given.
    pub(super) fn owes_more(&self) -> bool {
        self.lock().ledger.has_unnoted_gap()
    }

    /// All notes there are, whatever is on its way: nothing comes after them.
    pub(super) fn last(self: &Arc<Self>) -> Vec<(Record, Ticket)> {
        let due = {
            let mut state = self.lock();
            state.asked = false;
            state.ledger.take_all()
        };
        self.landed.notify_all();
        self.notes(due)
    }

    /// Lets a record pass, or keeps it behind the gap that is owed.
    pub(super) fn admit(&self, record: Record, ticket: Ticket) -> Admitted {
        if self.passes.load(Ordering::Acquire) {
            return Admitted { passes: Some((record, ticket)), steps: false };
        }
        let mut state = self.lock();
        let State { ledger, line, asked, .. } = &mut *state.state;
        if line.is_empty() && ledger.last_gap() == ledger.paid() {
            // Counts: they go first where they can, and hold up nobody where not.
            *asked |= ledger.has_due();
            return Admitted { passes: Some((record, ticket)), steps: *asked };
        }
        line.push(record, ticket, ledger.last_gap());
        Admitted { passes: None, steps: true }
    }

    /// Has the next step give what is due also when nobody waits for it.
    pub(super) fn ask(&self) {
        let mut state = self.lock();
        state.asked |= state.ledger.has_due();
    }

    /// What the caller is to do now.
    pub(super) fn step(self: &Arc<Self>) -> Step {
        let due = {
            let mut state = self.lock();
            let State { ledger, line, asked, handing } = &mut *state.state;
            let released = line.release(ledger.paid());
            if !released.is_empty() {
                return Step::Release(released);
            }
            if *handing {
                return Step::Rest;
            }
            if let Some((refused, error)) = line.refuse() {
                *handing = true;
                return Step::Refuse(refused, error);
            }
            if line.is_empty() && !*asked {
                return Step::Rest;
            }
            let counts = *asked;
            let due = state.take(counts);
            state.handing = !due.is_empty();
            due
        };
        if due.is_empty() {
            self.landed.notify_all();
            return Step::Rest;
        }
        Step::Hand(self.notes(due))
    }

    /// A step is taken.
    pub(super) fn done(&self) {
        self.lock().handing = false;
    }

    fn notes(self: &Arc<Self>, due: Vec<Due>) -> Vec<(Record, Ticket)> {
        let note = |due| match due {
            Due::New(debt) => Arc::new(debt.note(&self.rules)),
            Due::Again(note) => note,
        };
        let entry = |note: Arc<Note>| {
            let record = note.record.clone();
            let (ticket, _) = Ticket::with_account(Arc::new(NoteAccount { owed: self.clone(), note }));
            (record, ticket)
        };
        due.into_iter().map(note).map(entry).collect()
    }

    /// Waits until the sink has answered for what is on its way, or the deadline has passed; gives what is owed then.
    pub(super) fn wait_until_landed(&self, until: Option<Instant>) -> Debts {
        // Nothing is changed, and the guard is to be lent.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.asked || state.ledger.is_flying() {
            let Some(until) = until else {
                state = self.landed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.landed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.ledger.debts()
    }

    /// The sink has answered for a note. Where it took it, what is owed in addition follows at once; where not, it is
    /// asked again when a record comes, or after a while.
    fn landed(&self, note: &Arc<Note>, result: &Result<(), SinkError>) {
        let (goes_on, is_owed) = {
            let mut state = self.lock();
            state.ledger.land(note, result.is_ok());
            if let Err(error) = result
                && note.debt.is_gap()
            {
                state.line.try_failed(error.clone());
            }
            state.asked |= result.is_ok() && !self.watch.is_closed() && state.ledger.has_due();
            (state.asked || !state.line.is_empty(), state.ledger.has_due())
        };
        self.landed.notify_all();
        if goes_on {
            self.watch.go_on();
        }
        if is_owed && self.watch.is_closed() {
            self.give_up();
        } else if is_owed {
            self.watch.gap_due();
        }
    }

    /// The recorder is gone, and nobody will ask the sink again.
    pub(super) fn end(&self) {
        self.watch.close();
        self.give_up();
    }

    /// Says what will never be in the stream, once the sink has answered for everything that it has.
    fn give_up(&self) {
        let debts = {
            let mut state = self.lock();
            if state.ledger.is_flying() {
                return;
            }
            let debts = state.ledger.debts();
            state.ledger.clear();
            debts
        };
        if debts == Debts::default() {
            return;
        }
        contained(|| {
            tracing::error!(
                target: "audited::loss",
                lost = debts.lost,
                coalesced = debts.denials,
                "the audit stream does not say what is missing from it"
            );
        });
    }
}

/// What is owed, while somebody has it for himself.
struct Locked<'a> {
    state: MutexGuard<'a, State>,
    passes: &'a AtomicBool,
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.passes.store(self.state.lets_pass(), Ordering::Release);
    }
}

impl State {
    /// Whether a record may pass, and there is nothing to be done before.
    fn lets_pass(&self) -> bool {
        let Self { ledger, line, asked, .. } = self;
        line.is_empty() && ledger.last_gap() == ledger.paid() && !asked && !ledger.has_due()
    }

    fn take(&mut self, counts: bool) -> Vec<Due> {
        self.asked = false;
        let mut due = self.ledger.take_gap();
        if let Some(gap) = due.first() {
            // Those who have waited since a try that failed stand behind what was lost with it, too.
            let again = matches!(gap, Due::Again(_)).then(|| self.ledger.last_gap());
            self.line.try_begins(again);
        }
        if counts {
            due.extend(self.ledger.take_counts());
        }
        due
    }
}

/// The account of a note.
struct NoteAccount {
    owed: Arc<Owed>,
    note: Arc<Note>,
}

impl Account for NoteAccount {
    fn settled(&self, result: &Result<(), SinkError>, _late: bool) {
        self.owed.landed(&self.note, result);
    }

    fn expired(&self) {}

    fn alarms(&self) -> Option<&Arc<Alarms>> {
        None
    }
}

#[cfg(test)]
mod tests;
