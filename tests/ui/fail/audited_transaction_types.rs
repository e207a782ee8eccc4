//! `transaction`: what the compiler says of what it names.

use audited::{AuditTransaction, Record, SinkError, audited};

struct Tx;

impl AuditTransaction for Tx {
    async fn write(&self, _: &Record) -> Result<(), SinkError> {
        Ok(())
    }
}

#[audited(transaction = nowhere)]
async fn not_there(tx: &Tx) {}

#[audited(transaction = tx)]
async fn given_away(tx: &mut Tx) {
    take(tx);
}

fn take<T>(_: T) {}

fn main() {}
