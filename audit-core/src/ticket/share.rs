//! One answer for several tickets.

use std::sync::{Arc, PoisonError};

use super::Ticket;
use crate::sink::SinkError;
use crate::sync::Mutex;

/// A ticket that is settled once all of its parts are: well where all were, else with the first error.
#[derive(Clone)]
pub(crate) struct Share(Arc<Mutex<Parts>>);

struct Parts {
    left: usize,
    result: Result<(), SinkError>,
    whole: Option<Ticket>,
}

impl Share {
    pub(crate) fn of(whole: Ticket, parts: usize) -> Self {
        Self(Arc::new(Mutex::new(Parts { left: parts, result: Ok(()), whole: Some(whole) })))
    }

    /// The ticket of one part.
    pub(crate) fn ticket(&self) -> Ticket {
        let share = self.clone();
        Ticket::answering(move |result| share.settle(result))
    }

    fn settle(&self, result: Result<(), SinkError>) {
        let (whole, result) = {
            let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            parts.left = parts.left.saturating_sub(1);
            if parts.result.is_ok() {
                parts.result = result;
            }
            if parts.left > 0 {
                return;
            }
            (parts.whole.take(), parts.result.clone())
        };
        if let Some(whole) = whole {
            whole.settle(result);
        }
    }
}
