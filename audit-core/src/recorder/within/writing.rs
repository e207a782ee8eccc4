//! One record on its way into a transaction.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::alarm::Alarms;
use crate::contain::contained;
use crate::context::AuditContext;
use crate::guarded::block_on;
use crate::id::RecordId;
use crate::record::{Draft, Flag, Record, Times};
use crate::recorder::Core;
use crate::recorder::loss::log;
use crate::sink::SinkError;
use crate::ticket::{Account, Receipt, Ticket};
use crate::transaction::AuditTransaction;

/// A record that is to be written into a transaction, and the obligation to say what came of that.
pub(super) struct Obliged {
    record: Record,
    ticket: Ticket,
    receipt: Receipt,
    within: Duration,
}

impl Obliged {
    /// Stamps and redacts a draft.
    pub(super) fn new(
        core: &Arc<Core>,
        draft: &Draft,
        context: Option<&AuditContext>,
        id: RecordId,
        when: Times,
    ) -> Self {
        let mut flags = core.found_out(draft);
        flags.raise(Flag::InTransaction);
        let record = core.stamped(draft, context, id, when, flags);
        let entry = Entry { core: core.clone(), record: record.clone() };
        let (ticket, receipt) = Ticket::with_account(Arc::new(entry));
        Self { record, ticket, receipt: receipt.within(core.deadline), within: core.deadline }
    }

    /// Writes it. A transaction that panics or does not answer in time has not taken it.
    pub(super) async fn write<T: AuditTransaction + ?Sized>(self, transaction: &T) -> Result<(), SinkError> {
        let future = contained(|| transaction.write(&self.record));
        Writing { future, ticket: Some(self.ticket), receipt: self.receipt }.await
    }

    /// Writes it, and blocks the thread for that.
    pub(super) fn write_sync<T: AuditTransaction + ?Sized>(self, transaction: &T) -> Result<(), SinkError> {
        let written = contained(|| block_on(transaction.write(&self.record), self.within));
        let answer = written.unwrap_or(Err(SinkError::Panicked));
        self.ticket.settle(answer.clone());
        answer
    }
}

pin_project! {
    /// A write that is polled by its caller, up to the deadline. Nothing is asked of it but that it is a future: what
    /// borrows a connection can often not be sent to another thread.
    struct Writing<F> {
        // None where there is nothing to poll.
        #[pin]
        future: Option<F>,
        ticket: Option<Ticket>,
        receipt: Receipt,
    }
}

impl<F: Future<Output = Result<(), SinkError>>> Future for Writing<F> {
    type Output = Result<(), SinkError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let polled = match this.future.as_mut().as_pin_mut() {
            Some(future) => contained(|| future.poll(cx)),
            None => None,
        };
        if let Poll::Ready(answer) = polled.unwrap_or(Poll::Ready(Err(SinkError::Panicked)))
            && let Some(ticket) = this.ticket.take()
        {
            ticket.settle(answer);
        }
        let answer = ready!(Pin::new(this.receipt).poll(cx));
        // What is late is given up, and may panic at that.
        contained(|| this.future.set(None));
        Poll::Ready(answer)
    }
}

/// The account of a record that goes into a transaction.
struct Entry {
    core: Arc<Core>,
    record: Record,
}

impl Account for Entry {
    fn settled(&self, result: &Result<(), SinkError>, late: bool) {
        match result {
            // It was counted, and told, when it was late.
            _ if late => {}
            Ok(()) => self.core.losses.transacted(true),
            Err(error) => self.refused(error),
        }
    }

    fn expired(&self) {
        self.refused(&SinkError::Deadline);
    }

    fn alarms(&self) -> Option<&Arc<Alarms>> {
        Some(self.core.watch.alarms())
    }
}

impl Entry {
    fn refused(&self, error: &SinkError) {
        self.core.losses.transacted(false);
        log("audit record not written into its transaction", &self.record, error);
    }
}
