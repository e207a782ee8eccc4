//! One acknowledgement: whoever writes the record settles it, whoever waits gets the answer or its deadline.
//!
//! A mutex and a condition variable, nothing lock-free: a wait costs a sync to a disk, not this.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::sink::SinkError;

/// Where the account of a ticket is kept.
pub(crate) trait Account: Send + Sync {
    /// The sink has answered; `late` when the waiter had given up before.
    fn settled(&self, result: &Result<(), SinkError>, late: bool);
    /// The waiter gave up; the answer may still come.
    fn expired(&self);
    /// Sees to it that [`Slip::expire`] is called at `deadline`.
    fn watch(&self, slip: &Arc<Slip>, deadline: Instant);
}

/// What a ticket and its receipt share.
pub(crate) struct Slip {
    state: Mutex<State>,
    answered: Condvar,
    account: Option<Box<dyn Account>>,
}

enum State {
    Waiting { waker: Option<Waker>, watched: bool },
    Settled(Result<(), SinkError>),
    Expired,
}

/// The obligation to answer for a record. Dropping it answers [`SinkError::Closed`].
pub struct Ticket(Option<Arc<Slip>>);

impl Ticket {
    /// A ticket without an account, and its receipt.
    pub fn new() -> (Self, Receipt) {
        Self::with_account(None)
    }

    pub(crate) fn with_account(account: Option<Box<dyn Account>>) -> (Self, Receipt) {
        let slip = Arc::new(Slip {
            state: Mutex::new(State::Waiting { waker: None, watched: false }),
            answered: Condvar::new(),
            account,
        });
        (Self(Some(slip.clone())), Receipt { slip, deadline: None })
    }

    /// Answers for the record.
    pub fn settle(self, result: Result<(), SinkError>) {
        self.settle_if_awaited(result);
    }

    /// Answers, and says whether the waiter had not given up before.
    pub(crate) fn settle_if_awaited(mut self, result: Result<(), SinkError>) -> bool {
        self.0.take().is_some_and(|slip| slip.settle(result))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(slip) = self.0.take() {
            slip.settle(Err(SinkError::Closed));
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}

impl Slip {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether anybody was still waiting for the answer.
    fn settle(&self, result: Result<(), SinkError>) -> bool {
        let (waker, late) = {
            let mut state = self.lock();
            match std::mem::replace(&mut *state, State::Settled(result.clone())) {
                State::Waiting { waker, .. } => (waker, false),
                State::Settled(_) => (None, false),
                State::Expired => {
                    *state = State::Expired;
                    (None, true)
                }
            }
        };
        // The account first: whoever is woken finds itself counted.
        if let Some(account) = &self.account {
            account.settled(&result, late);
        }
        self.wake(waker);
        !late
    }

    /// Gives up on the answer, if there is none yet.
    pub(crate) fn expire(&self) {
        let waker = {
            let mut state = self.lock();
            match &mut *state {
                State::Waiting { waker, .. } => {
                    let waker = waker.take();
                    *state = State::Expired;
                    waker
                }
                State::Settled(_) | State::Expired => return,
            }
        };
        if let Some(account) = &self.account {
            account.expired();
        }
        self.wake(waker);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        matches!(*self.lock(), State::Waiting { .. })
    }

    fn wake(&self, waker: Option<Waker>) {
        self.answered.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Waits for the answer: a future, or [`Receipt::wait`] for a thread.
#[must_use = "the record is acknowledged only once this says so"]
pub struct Receipt {
    slip: Arc<Slip>,
    deadline: Option<Instant>,
}

impl Receipt {
    /// Gives up `after` from now, and answers [`SinkError::Deadline`].
    pub(crate) fn within(mut self, after: Duration) -> Self {
        self.deadline = Instant::now().checked_add(after);
        self
    }

    /// Blocks the thread until the answer is there or the deadline has passed.
    ///
    /// # Errors
    ///
    /// What the sink answered, or [`SinkError::Deadline`].
    pub fn wait(&self) -> Result<(), SinkError> {
        let mut state = self.slip.lock();
        loop {
            if let Some(answer) = answer(&state) {
                return answer;
            }
            let Some(deadline) = self.deadline else {
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

    /// Stops waiting; gives the answer where there is one already.
    pub(crate) fn give_up(&self) -> Option<Result<(), SinkError>> {
        let answer = self.answered();
        self.slip.expire();
        answer
    }

    /// The answer, where there is one already.
    pub(crate) fn answered(&self) -> Option<Result<(), SinkError>> {
        answer(&self.slip.lock())
    }
}

impl Future for Receipt {
    type Output = Result<(), SinkError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let unwatched = {
            let mut state = self.slip.lock();
            if let Some(answer) = answer(&state) {
                return Poll::Ready(answer);
            }
            match &mut *state {
                State::Waiting { waker, watched } => {
                    match waker {
                        Some(waker) => waker.clone_from(cx.waker()),
                        None => *waker = Some(cx.waker().clone()),
                    }
                    !std::mem::replace(watched, true)
                }
                State::Settled(_) | State::Expired => false,
            }
        };
        if let (true, Some(account), Some(deadline)) = (unwatched, &self.slip.account, self.deadline) {
            account.watch(&self.slip, deadline);
        }
        Poll::Pending
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

fn answer(state: &State) -> Option<Result<(), SinkError>> {
    match state {
        State::Waiting { .. } => None,
        State::Settled(result) => Some(result.clone()),
        State::Expired => Some(Err(SinkError::Deadline)),
    }
}
