//! One record, by hand, into a transaction.

use std::future::Future;

use thiserror::Error;

use super::writing::Obliged;
use crate::__private::debug_as_display;
use crate::id::RecordId;
use crate::record::RecordBuilder;
use crate::recorder::Recorder;
use crate::sink::SinkError;
use crate::transaction::AuditTransaction;

impl RecordBuilder<'_> {
    /// Writes the record into a transaction of the caller's: it is there if that commits, and is not where it does not.
    ///
    /// It is what the recorder would have written otherwise, with the flag `in_transaction`; flood control does not apply.
    /// What must be known although the transaction is rolled back, such as a denial, is recorded by awaiting the builder.
    ///
    /// Dropping the future leaves open whether the record is in the transaction.
    ///
    /// # Errors
    ///
    /// [`NotInTransaction`], also where the transaction did not answer within the recorder's deadline. No other record
    /// tells of it: roll back.
    pub fn in_transaction<T>(
        self,
        transaction: &T,
    ) -> impl Future<Output = Result<RecordId, NotInTransaction>> + use<'_, T>
    where
        T: AuditTransaction + ?Sized,
    {
        let (recorder, written) = (self.recorder(), self.written());
        async move {
            match written.oblige(&recorder) {
                (id, Some(obliged)) => obliged.write(transaction).await.map(|()| id).map_err(NotInTransaction),
                (id, None) => Ok(id),
            }
        }
    }

    /// As [`in_transaction`](Self::in_transaction), and blocks the thread: for transactions that answer at once, as those
    /// of an embedded store do.
    ///
    /// # Errors
    ///
    /// As [`in_transaction`](Self::in_transaction).
    pub fn wait_in_transaction<T>(self, transaction: &T) -> Result<RecordId, NotInTransaction>
    where
        T: AuditTransaction + ?Sized,
    {
        let (recorder, written) = (self.recorder(), self.written());
        match written.oblige(&recorder) {
            (id, Some(obliged)) => obliged.write_sync(transaction).map(|()| id).map_err(NotInTransaction),
            (id, None) => Ok(id),
        }
    }

    /// Nothing is to be written where the action is switched off.
    fn oblige(mut self, recorder: &Recorder) -> (RecordId, Option<Obliged>) {
        let (context, id, occurred_at) = self.placed();
        let on = !recorder.core().switches.is_off(&self.draft.action);
        (id, on.then(|| Obliged::new(recorder.core(), &self.draft, context.as_deref(), id, occurred_at)))
    }
}

/// A record was not written into the transaction, or nobody knows whether it was: roll back.
#[derive(Error)]
#[error("the audit record was not written into the transaction")]
pub struct NotInTransaction(#[source] SinkError);

debug_as_display!(NotInTransaction);
