//! One answer, for somebody who waits for it without blocking a thread, and may stop waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audit_core::StoreError;
use event_listener::Event;
use rusqlite::{Connection, InterruptHandle};

/// Who waits. Dropping it interrupts what is done for it.
pub(super) struct Answer<T>(Arc<Shared<T>>);

/// Who owes the answer. Dropping it says that the store is closed.
pub(super) struct Asker<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    given: Event,
}

enum State<T> {
    Asked,
    /// It is being read. No statement of anybody else's runs on that connection before the state is another.
    Running(InterruptHandle),
    Given(Result<T, StoreError>),
    /// It was taken, or nobody waits for it.
    Done,
}

pub(super) fn answer<T>() -> (Asker<T>, Answer<T>) {
    let shared = Arc::new(Shared { state: Mutex::new(State::Asked), given: Event::new() });
    (Asker(shared.clone()), Answer(shared))
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Asker<T> {
    /// Notes that it is read on this connection from here on; says whether somebody waits for it.
    pub(super) fn begins(&self, connection: &Connection) -> bool {
        let mut state = self.0.lock();
        let is_awaited = matches!(*state, State::Asked);
        if is_awaited {
            *state = State::Running(connection.get_interrupt_handle());
        }
        is_awaited
    }

    /// Notes that it is not read any more, and will be again.
    pub(super) fn puts_off(&self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Running(_)) {
            *state = State::Asked;
        }
    }

    pub(super) fn give(&self, answer: Result<T, StoreError>) {
        {
            let mut state = self.0.lock();
            if matches!(*state, State::Done) {
                return;
            }
            *state = State::Given(answer);
        }
        self.0.given.notify(usize::MAX);
    }
}

impl<T> Drop for Asker<T> {
    fn drop(&mut self) {
        let is_owed = matches!(*self.0.lock(), State::Asked | State::Running(_));
        if is_owed {
            self.give(Err(StoreError::Closed));
        }
    }
}

impl<T> Answer<T> {
    pub(super) async fn get(self) -> Result<T, StoreError> {
        loop {
            let given = self.0.given.listen();
            {
                let mut state = self.0.lock();
                if matches!(*state, State::Given(_))
                    && let State::Given(answer) = std::mem::replace(&mut *state, State::Done)
                {
                    return answer;
                }
            }
            given.await;
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let State::Running(handle) = std::mem::replace(&mut *state, State::Done) {
            handle.interrupt();
        }
    }
}
