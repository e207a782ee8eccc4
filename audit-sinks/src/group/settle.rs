//! Answering for what is written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use audit_core::SinkError;

use super::queue::Entry;
use super::thread::spawn;

/// From how many tickets on a thread of its own answers, if the writer has something else to do.
const MANY: usize = 8;

/// How many batches wait for that thread at most: the room that they took is given to others already.
const MOST: usize = 16;

type Answered<L> = (Vec<Entry<L>>, Result<(), SinkError>);

/// Answers batches: at once, or on a thread of its own so that the writer goes on meanwhile.
pub(crate) struct Settler<L>(Option<SyncSender<Answered<L>>>);

impl<L: Send + 'static> Settler<L> {
    /// Starts the thread, which ends by itself; where none can be had, the writer answers for everything.
    pub(crate) fn start(name: &str) -> Self {
        let (others, batches) = sync_channel(MOST);
        let started = spawn(name, move || run(&batches)).is_ok();
        Self(started.then_some(others))
    }

    pub(crate) fn answer(&self, batch: Vec<Entry<L>>, result: &Result<(), SinkError>, busy: bool) {
        match &self.0 {
            Some(others) if busy && batch.len() >= MANY => {
                let sent = others.try_send((batch, result.clone()));
                if let Err(TrySendError::Full((batch, _)) | TrySendError::Disconnected((batch, _))) = sent {
                    settle(batch, result);
                }
            }
            _ => settle(batch, result),
        }
    }
}

fn run<L>(batches: &Receiver<Answered<L>>) {
    for (batch, result) in batches {
        settle(batch, &result);
    }
}

/// Answers for a whole batch in one pass.
pub(crate) fn settle<L>(batch: Vec<Entry<L>>, result: &Result<(), SinkError>) {
    for Entry { lot, ticket, .. } in batch {
        // Whatever is woken is foreign code.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            drop(lot);
            ticket.settle(result.clone());
        }));
    }
}
