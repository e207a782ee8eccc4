//! `transaction`: what attribute and function must keep to.

use std::rc::Rc;

use audited::{AuditTransaction, Record, SinkError, audited};

struct Tx {
    inner: Inner,
}

struct Inner;

impl AuditTransaction for Inner {
    async fn write(&self, _: &Record) -> Result<(), SinkError> {
        Ok(())
    }
}

struct Store;

impl Store {
    fn within<'t>(&self, tx: &'t Tx) -> &'t Inner {
        &tx.inner
    }
}

#[audited(transaction = store.within(&tx))]
async fn by_value(store: &Store, tx: Tx) {}

#[audited(transaction = tx.inner)]
fn field_of_a_value(tx: Tx) {}

#[audited(transaction = within(store, &tx))]
fn of_a_function(store: Store, tx: Tx) {}

#[audited(transaction = store.begin().await)]
async fn made(store: &Store) {}

#[audited(transaction = store.begin()?)]
fn made_with_an_error(store: &Store) -> Result<(), String> {
    Ok(())
}

#[audited(transaction = |tx| tx.inner)]
fn closure(tx: &Tx) {}

#[audited(transaction = &tx.inner)]
fn never(tx: &Tx) -> ! {
    panic!()
}

#[audited(transaction)]
fn nothing(tx: &Tx) {}

#[audited(transaction(tx))]
fn list(tx: &Tx) {}

#[audited(transaction = tx.inner, transaction = tx.inner)]
fn twice(tx: &Tx) {}

// These are right.
#[audited(transaction = tx.inner)]
async fn counted(tx: Rc<Tx>) {}

#[audited(transaction = within(&store, tx))]
fn store_by_value(store: Store, tx: &Tx) {}

fn within<'t>(_: &Store, tx: &'t Tx) -> &'t Inner {
    &tx.inner
}

fn main() {}
