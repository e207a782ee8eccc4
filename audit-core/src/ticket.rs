//! One acknowledgement: whoever writes the record settles it, whoever waits gets the answer or its deadline.
//!
//! A mutex and a condition variable, nothing lock-free: a wait costs a sync to a disk, not this. The first of answer
//! and deadline decides; the decision is entered in the account, and only then does the waiter see it.

mod share;
mod spare;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

pub(crate) use self::share::Share;
use self::spare::Reclaimed;
use crate::alarm::Alarms;
use crate::contain::contained;
use crate::recorder::Entry;
use crate::sink::SinkError;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// What is told of the fate of a ticket.
pub(crate) trait Account: Send + Sync {
    /// The sink has answered; `late` when the waiter had given up before.
    fn settled(&self, result: &Result<(), SinkError>, late: bool);
    /// The waiter gave up; the answer may still come.
    fn expired(&self);
    /// What sees to it that the waiter gives up in time; without it he has to see to that himself.
    fn alarms(&self) -> Option<&Arc<Alarms>>;
}

/// The account of a ticket, which lives until that is settled.
pub(crate) enum Kept {
    /// That of a record lies in the slip itself: each record has one.
    Entry(Entry),
    Shared(Arc<dyn Account>),
}

impl Kept {
    fn account(&self) -> &dyn Account {
        match self {
            Self::Entry(entry) => entry,
            Self::Shared(account) => &**account,
        }
    }

    /// Says that the waiter gave up, once it is called: somebody else may settle the ticket meanwhile.
    fn expiry(&self) -> Box<dyn FnOnce()> {
        match self {
            Self::Entry(entry) => {
                let told = entry.told().clone();
                Box::new(move || told.expired())
            }
            Self::Shared(account) => {
                let account = account.clone();
                Box::new(move || account.expired())
            }
        }
    }
}

/// What a ticket and its receipt share.
///
/// Whoever settles it takes the account out first: a slip can be dropped anywhere, under any lock, and nothing happens.
pub(crate) struct Slip {
    state: Mutex<State>,
    answered: Condvar,
}

struct State {
    fate: Fate,
    /// Whether the fate stands in the account, so that the waiter may see it.
    counted: bool,
    waker: Option<Waker>,
    /// Whether a thread waits: waking nobody is a system call, too.
    parked: bool,
    watched: bool,
    account: Option<Kept>,
}

enum Fate {
    Waiting,
    Settled(Result<(), SinkError>),
    Expired,
}

/// The obligation to answer for a record. Dropping it answers [`SinkError::Closed`].
pub struct Ticket(Option<Arc<Slip>>);

impl Ticket {
    /// A ticket without an account, and its receipt.
    pub fn new() -> (Self, Receipt) {
        Self::of(None)
    }

    pub(crate) fn with_account(account: Arc<dyn Account>) -> (Self, Receipt) {
        Self::of(Some(Kept::Shared(account)))
    }

    /// The ticket of a record.
    pub(crate) fn with_entry(entry: Entry) -> (Self, Receipt) {
        Self::of(Some(Kept::Entry(entry)))
    }

    fn of(account: Option<Kept>) -> (Self, Receipt) {
        let slip = Reclaimed::new(account);
        (Self(Some(slip.clone())), Receipt { slip, deadline: Deadline::Never })
    }

    /// A ticket whose answer goes to a function, once, on whichever thread settles or drops it.
    pub fn answering(answer: impl FnOnce(Result<(), SinkError>) + Send + 'static) -> Self {
        Self::with_account(Arc::new(Answering(Mutex::new(Some(Box::new(answer)))))).0
    }

    /// Answers for the record.
    #[allow(clippy::needless_pass_by_value, reason = "an answer is given away")]
    pub fn settle(self, result: Result<(), SinkError>) {
        self.settle_if_awaited(&result);
    }

    /// Answers, and says whether the waiter had not given up before.
    pub(crate) fn settle_if_awaited(mut self, result: &Result<(), SinkError>) -> bool {
        self.0.take().is_some_and(|slip| slip.settle(result))
    }

    /// Whether the waiter has not given up.
    pub(crate) fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|slip| slip.is_waiting())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(slip) = self.0.take() {
            slip.settle(&Err(SinkError::Closed));
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}

type Answer = dyn FnOnce(Result<(), SinkError>) + Send;

/// The account of a ticket that is one function.
struct Answering(Mutex<Option<Box<Answer>>>);

impl Account for Answering {
    fn settled(&self, result: &Result<(), SinkError>, _late: bool) {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(answer) = answer {
            answer(result.clone());
        }
    }

    fn expired(&self) {}

    fn alarms(&self) -> Option<&Arc<Alarms>> {
        None
    }
}

impl Slip {
    fn new(account: Option<Kept>) -> Self {
        Self { state: Mutex::new(State::new(account)), answered: Condvar::new() }
    }

    /// Answers, and says whether the waiter had not given up before.
    fn settle(&self, result: &Result<(), SinkError>) -> bool {
        let mut state = self.lock();
        let late = !matches!(state.fate, Fate::Waiting);
        if !late {
            state.fate = Fate::Settled(result.clone());
        }
        let Some(kept) = state.account.take() else {
            if !late {
                self.publish(state);
            }
            return !late;
        };
        drop(state);
        kept.account().settled(result, late);
        // What it holds (the room for the record) is free before the waiter goes on.
        drop(kept);
        if !late {
            self.publish(self.lock());
        }
        !late
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up on the answer, if there is none yet.
    pub(crate) fn expire(&self) {
        let expiry = {
            let mut state = self.lock();
            if !matches!(state.fate, Fate::Waiting) {
                return;
            }
            state.fate = Fate::Expired;
            state.account.as_ref().map(Kept::expiry)
        };
        if let Some(expired) = expiry {
            expired();
        }
        self.publish(self.lock());
    }

    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.lock().fate, Fate::Waiting)
    }

    /// Lets the waiter see what was decided.
    fn publish(&self, mut state: MutexGuard<'_, State>) {
        state.counted = true;
        let (waker, parked) = (state.waker.take(), state.parked);
        drop(state);
        if parked {
            self.answered.notify_all();
        }
        if let Some(waker) = waker {
            // A waker is foreign code, and other tickets wait to be settled by this thread.
            contained(|| waker.wake());
        }
    }
}

impl State {
    fn new(account: Option<Kept>) -> Self {
        Self { fate: Fate::Waiting, counted: false, waker: None, parked: false, watched: false, account }
    }

    /// What is to see to the deadline, unless that is done already or need not be.
    fn begin_to_watch(&mut self) -> Option<Arc<Alarms>> {
        if std::mem::replace(&mut self.watched, true) || !matches!(self.fate, Fate::Waiting) {
            return None;
        }
        self.account.as_ref()?.account().alarms().cloned()
    }

    fn answer(&self) -> Option<Result<(), SinkError>> {
        match &self.fate {
            Fate::Settled(result) if self.counted => Some(result.clone()),
            Fate::Expired if self.counted => Some(Err(SinkError::Deadline)),
            _ => None,
        }
    }
}

/// Waits for the answer: a future, or [`Receipt::wait`] for a thread.
///
/// Dropping it leaves the record on its way, and its deadline in force.
#[must_use = "the record is acknowledged only once this says so"]
pub struct Receipt {
    slip: Reclaimed,
    deadline: Deadline,
}

/// Until when somebody waits.
#[derive(Clone, Copy)]
enum Deadline {
    Never,
    /// So long after it is looked for an answer that is not there: most are, and the clock is not asked.
    After(Duration),
    At(Instant),
}

impl Deadline {
    fn at(after: Duration) -> Self {
        // Too long to be a moment is for ever.
        Instant::now().checked_add(after).map_or(Self::Never, Self::At)
    }

    /// The moment; from now on it is that.
    fn moment(&mut self) -> Option<Instant> {
        if let Self::After(after) = *self {
            *self = Self::at(after);
        }
        match *self {
            Self::At(moment) => Some(moment),
            Self::Never | Self::After(_) => None,
        }
    }
}

impl Receipt {
    /// One that is answered already.
    pub(crate) fn acknowledged() -> Self {
        let (ticket, receipt) = Ticket::new();
        ticket.settle(Ok(()));
        receipt
    }

    /// Gives up `after` from now, and answers [`SinkError::Deadline`].
    ///
    /// A future needs somebody who sees to the deadline: that of a ticket of the alarms has.
    pub(crate) fn within(mut self, after: Duration) -> Self {
        self.deadline = Deadline::at(after);
        self
    }

    /// The same from when it is waited for, or dropped, and the answer is not there: for who does that at once.
    pub(crate) fn within_from_then(mut self, after: Duration) -> Self {
        self.deadline = Deadline::After(after);
        self
    }

    /// As [`wait`](Self::wait), and nothing is left to be seen to.
    pub(crate) fn answer(mut self) -> Result<(), SinkError> {
        let answer = self.wait();
        self.deadline = Deadline::Never;
        answer
    }

    /// Blocks the thread until the answer is there or the deadline has passed.
    ///
    /// # Errors
    ///
    /// What the sink answered, or [`SinkError::Deadline`].
    pub fn wait(&self) -> Result<(), SinkError> {
        let mut state = self.slip.lock();
        let mut deadline = self.deadline;
        loop {
            if let Some(answer) = state.answer() {
                return answer;
            }
            state.parked = true;
            // What is decided already is about to be published: no deadline applies to that.
            let deadline = deadline.moment().filter(|_| matches!(state.fate, Fate::Waiting));
            let Some(deadline) = deadline else {
                state = self.slip.answered.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                self.slip.expire();
                state = self.slip.lock();
                continue;
            }
            state = self.slip.answered.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Stops waiting; gives the answer where it came first.
    pub(crate) fn give_up(&self) -> Option<Result<(), SinkError>> {
        self.slip.expire();
        match &self.slip.lock().fate {
            Fate::Settled(result) => Some(result.clone()),
            Fate::Waiting | Fate::Expired => None,
        }
    }

    /// Has the deadline seen to, once.
    fn watch(&mut self) {
        if matches!(self.deadline, Deadline::Never) {
            return;
        }
        let alarms = self.slip.lock().begin_to_watch();
        if let (Some(alarms), Some(deadline)) = (alarms, self.deadline.moment()) {
            alarms.at(deadline, &self.slip);
        }
    }
}

impl Future for Receipt {
    type Output = Result<(), SinkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { slip, deadline } = &mut *self;
        let mut state = slip.lock();
        if state.answer().is_none() && deadline.moment().is_some_and(|deadline| deadline <= Instant::now()) {
            drop(state);
            slip.expire();
            state = slip.lock();
        }
        if let Some(answer) = state.answer() {
            *deadline = Deadline::Never;
            return Poll::Ready(answer);
        }
        let replaced = match &state.waker {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => state.waker.replace(cx.waker().clone()),
        };
        let deadline = deadline.moment();
        let alarms = deadline.and_then(|_| state.begin_to_watch());
        drop(state);
        // The last waker of a task may drop that task, and everything in it: not under a lock.
        drop(replaced);
        if let (Some(alarms), Some(deadline)) = (alarms, deadline) {
            alarms.at(deadline, slip);
        }
        Poll::Pending
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        // Nobody waits any more, but a record that is not acknowledged in time counts nevertheless.
        self.watch();
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

#[cfg(test)]
mod tests;
