//! A record in the transaction of what it is about.

use std::future::Future;

use crate::record::Record;
use crate::sink::SinkError;

/// A transaction of the caller's own, in a store: a record that is written into it is there if the transaction commits,
/// and is not where it does not.
///
/// Stores give one, as `store.within(&transaction)`. A record is put there by
/// [`RecordBuilder::in_transaction`](crate::RecordBuilder::in_transaction), and the success of an audited function by
/// `#[audited(transaction = …)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no transaction that a record can be written into",
    note = "a store makes one of its client's: `store.within(&transaction)`"
)]
pub trait AuditTransaction {
    /// Writes a record. `Ok` promises that it becomes durable with the transaction, no more.
    ///
    /// # Errors
    ///
    /// When it is not written; the transaction may then be good for nothing but a rollback.
    fn write(&self, record: &Record) -> impl Future<Output = Result<(), SinkError>>;
}

#[diagnostic::do_not_recommend]
impl<T: AuditTransaction + ?Sized> AuditTransaction for &T {
    fn write(&self, record: &Record) -> impl Future<Output = Result<(), SinkError>> {
        (**self).write(record)
    }
}

#[diagnostic::do_not_recommend]
impl<T: AuditTransaction + ?Sized> AuditTransaction for &mut T {
    fn write(&self, record: &Record) -> impl Future<Output = Result<(), SinkError>> {
        (**self).write(record)
    }
}
