//! Functions of every shape.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Mutex;

use async_trait::async_trait;
use audited::{AuditTransaction, Record, SinkError, Stage, StoredDecision, StoredOutcome, audited};

use super::bank::{Bank, Error, Recorded, Tx};

/// What a body is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Succeed,
    /// Succeed, by a `return` in the midst of the body.
    ReturnEarly,
    Deny,
    Fail,
    Panic,
}

fn end(tx: &Tx<'_>, ask: Ask) -> Result<u64, Error> {
    tx.add(7);
    match ask {
        Ask::Succeed | Ask::ReturnEarly => Ok(7),
        Ask::Deny => Err(Error::Forbidden),
        Ask::Fail => Err(Error::Broken),
        Ask::Panic => panic!("s3cret in a panic"),
    }
}

#[audited(action = "tx.async", unlocked, fields(cents = 7_u8), transaction = tx)]
pub(super) async fn of_async(tx: &Tx<'_>, ask: Ask) -> Result<u64, Error> {
    if ask == Ask::ReturnEarly {
        return end(tx, ask);
    }
    tokio::task::yield_now().await;
    let cents = end(tx, ask)?;
    Ok(cents)
}

#[audited(action = "tx.sync", unlocked, fields(cents = 7_u8), transaction = tx)]
pub(super) fn of_sync(tx: &Tx<'_>, ask: Ask) -> Result<u64, Error> {
    if ask == Ask::ReturnEarly {
        return end(tx, ask);
    }
    let cents = end(tx, ask)?;
    Ok(cents)
}

#[audited(action = "tx.mut", unlocked, fields(cents = 7_u8), transaction = tx)]
async fn of_mut(tx: &mut Tx<'_>, ask: Ask) -> Result<u64, Error> {
    if ask == Ask::ReturnEarly {
        return end(tx, ask);
    }
    let tx = &mut *tx;
    end(tx, ask)
}

#[audited(action = "tx.mut_sync", unlocked, fields(cents = 7_u8), transaction = tx)]
fn of_mut_sync(tx: &mut Tx<'_>, ask: Ask) -> Result<u64, Error> {
    let tx = &mut *tx;
    end(tx, ask)
}

#[audited(action = "tx.kept", unlocked, fields(cents = 7_u8), transaction = tx)]
#[must_use = "what became of it"]
async fn of_kept(tx: &Tx<'_>, ask: Ask) -> Result<u64, Error> {
    if ask == Ask::ReturnEarly {
        return end(tx, ask);
    }
    end(tx, ask)
}

#[audited(action = "tx.impl", unlocked, fields(cents = 7_u8), transaction = tx)]
fn of_impl_future<'t>(tx: &'t Tx<'_>, ask: Ask) -> impl Future<Output = Result<u64, Error>> + use<'t> {
    async move {
        if ask == Ask::ReturnEarly {
            return end(tx, ask);
        }
        end(tx, ask)
    }
}

#[audited(action = "tx.boxed", unlocked, fields(cents = 7_u8), transaction = tx)]
fn of_boxed<'t>(tx: &'t Tx<'_>, ask: Ask) -> Pin<Box<dyn Future<Output = Result<u64, Error>> + 't>> {
    let asked = ask;
    Box::pin(async move { end(tx, asked) })
}

/// What makes a transaction of the caller's one that records go into, as a store does.
struct Store;

struct Handle<'t, 'b>(&'t Tx<'b>);

impl Store {
    fn within<'t, 'b>(&self, tx: &'t Tx<'b>) -> Handle<'t, 'b> {
        Handle(tx)
    }
}

impl AuditTransaction for Handle<'_, '_> {
    async fn write(&self, record: &Record) -> Result<(), SinkError> {
        self.0.write(record).await
    }
}

struct Service<'t, 'b> {
    store: Store,
    tx: &'t Tx<'b>,
}

impl Service<'_, '_> {
    #[audited(action = "tx.method", unlocked, fields(cents = 7_u8), transaction = self.store.within(tx))]
    async fn method(&self, tx: &Tx<'_>, ask: Ask) -> Result<u64, Error> {
        end(tx, ask)
    }

    #[audited(action = "tx.field", unlocked, fields(cents = 7_u8), transaction = self.store.within(self.tx))]
    fn field(&mut self, ask: Ask) -> Result<u64, Error> {
        end(self.tx, ask)
    }

    #[audited(action = "tx.owned", unlocked, fields(cents = 7_u8), transaction = Store.within(tx))]
    async fn owned(self, store: Store, tx: &Tx<'_>, ask: Ask) -> Result<u64, Error> {
        let Store = store;
        end(tx, ask)
    }
}

#[async_trait(?Send)]
trait Moves {
    async fn moved(&self, tx: &Tx<'_>, ask: Ask) -> Result<u64, Error>;
}

#[async_trait(?Send)]
impl Moves for Store {
    #[audited(action = "tx.trait", unlocked, fields(cents = 7_u8), transaction = self.within(tx))]
    async fn moved(&self, tx: &Tx<'_>, ask: Ask) -> Result<u64, Error> {
        if ask == Ask::ReturnEarly {
            return end(tx, ask);
        }
        end(tx, ask)
    }
}

#[audited(action = "tx.generic", unlocked, fields(cents = 7_u8), transaction = tx)]
async fn of_generic<T: AuditTransaction>(tx: &T, end: impl FnOnce() -> Result<u64, Error>) -> Result<u64, Error> {
    end()
}

type Shape = fn(&Recorded, &mut Tx<'_>, Ask) -> Result<u64, Error>;

const SHAPES: [Shape; 12] = [
    |recorded, tx, ask| recorded.run(of_async(tx, ask)),
    |recorded, tx, ask| recorded.call(|| of_sync(tx, ask)),
    |recorded, tx, ask| recorded.run(of_mut(tx, ask)),
    |recorded, tx, ask| recorded.call(|| of_mut_sync(tx, ask)),
    |recorded, tx, ask| recorded.run(of_kept(tx, ask)),
    |recorded, tx, ask| recorded.run(of_impl_future(tx, ask)),
    |recorded, tx, ask| recorded.run(of_boxed(tx, ask)),
    |recorded, tx, ask| recorded.run(Service { store: Store, tx }.method(tx, ask)),
    |recorded, tx, ask| recorded.call(|| Service { store: Store, tx }.field(ask)),
    |recorded, tx, ask| recorded.run(Service { store: Store, tx }.owned(Store, tx, ask)),
    |recorded, tx, ask| recorded.run(Store.moved(tx, ask)),
    |recorded, tx, ask| recorded.run(of_generic(tx, || end(tx, ask))),
];

#[test]
fn a_success_is_in_the_transaction_and_nowhere_else() {
    for (at, shape) in SHAPES.iter().enumerate() {
        for ask in [Ask::Succeed, Ask::ReturnEarly] {
            let (recorded, bank) = (Recorded::new(), Bank::new());
            let mut tx = bank.begin();
            assert_eq!(shape(&recorded, &mut tx, ask), Ok(7), "{at}");
            assert!(bank.records().is_empty(), "{at}: nothing is there before it commits");
            tx.commit();
            let records = bank.records();
            assert_eq!((records.len(), bank.cents.get()), (1, 7), "{at}");
            let record = &records[0];
            assert_eq!(record.stage(), Some(Stage::Completed), "{at}");
            assert_eq!(record.decision(), Some(StoredDecision::Allow), "{at}");
            assert_eq!(record.outcome(), Some(StoredOutcome::Success), "{at}");
            assert_eq!(record.detail(), Some(r#"{"cents":7}"#), "{at}");
            assert_eq!(record.flags(), ["in_transaction"], "{at}");
            assert!(record.latency().is_some() && record.parent().is_none(), "{at}");
            assert!(recorded.records().is_empty(), "{at}");
            let stats = recorded.recorder.stats();
            assert_eq!((stats.in_transactions, stats.not_in_transactions, stats.lost), (1, 0, 0), "{at}");
        }
    }
}

#[test]
fn a_success_that_is_rolled_back_leaves_nothing() {
    for (at, shape) in SHAPES.iter().enumerate() {
        let (recorded, bank) = (Recorded::new(), Bank::new());
        assert_eq!(shape(&recorded, &mut bank.begin(), Ask::Succeed), Ok(7), "{at}");
        assert!(bank.records().is_empty() && recorded.records().is_empty(), "{at}");
        assert_eq!(recorded.recorder.stats().lost, 0, "{at}");
    }
}

#[test]
fn what_is_no_success_is_recorded_whatever_becomes_of_the_transaction() {
    for (at, shape) in SHAPES.iter().enumerate() {
        for (ask, error, code) in [(Ask::Deny, Error::Forbidden, "missing_scope"), (Ask::Fail, Error::Broken, "broken")]
        {
            let (recorded, bank) = (Recorded::new(), Bank::new());
            let mut tx = bank.begin();
            assert_eq!(shape(&recorded, &mut tx, ask), Err(error), "{at}");
            assert_eq!(tx.asked.get(), 0, "{at}");
            tx.commit();
            assert!(bank.records().is_empty(), "{at}");
            let record = recorded.only();
            assert_eq!(record.outcome(), Some(StoredOutcome::Failure { code: code.into() }), "{at}");
            assert_eq!(matches!(record.decision(), Some(StoredDecision::Deny { .. })), ask == Ask::Deny, "{at}");
            assert!(record.flags().is_empty(), "{at}");
        }
    }
}

#[test]
fn a_panic_is_recorded_whatever_becomes_of_the_transaction() {
    for (at, shape) in SHAPES.iter().enumerate() {
        let (recorded, bank) = (Recorded::new(), Bank::new());
        let mut tx = bank.begin();
        let panic = catch_unwind(AssertUnwindSafe(|| shape(&recorded, &mut tx, Ask::Panic))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"s3cret in a panic"), "{at}");
        tx.commit();
        assert!(bank.records().is_empty(), "{at}");
        assert_eq!(recorded.only().stage(), Some(Stage::Panicked), "{at}");
    }
}

#[test]
fn the_catalogue_says_which_functions_record_so() {
    let catalogue = audited::catalogue();
    let of = |name: &str| catalogue.actions.iter().find(|action| action.action == name).unwrap().transaction;
    assert!(of("tx.async") && of("tx.trait") && !of("tx.inside"));
    assert!(catalogue.to_markdown().contains("is recorded in the caller's transaction"));
}

/// What several threads can share makes a future that can be sent to one.
#[derive(Default)]
struct Shared(Mutex<Vec<Record>>);

impl AuditTransaction for Shared {
    async fn write(&self, record: &Record) -> Result<(), SinkError> {
        tokio::task::yield_now().await;
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

#[audited(action = "tx.sent", unlocked, transaction = tx)]
async fn of_shared(tx: &Shared) {
    tokio::task::yield_now().await;
}

#[test]
fn a_future_is_as_free_as_its_transaction() {
    fn sent<T: Send>(future: T) -> T {
        future
    }

    let (recorded, tx) = (Recorded::new(), Shared::default());
    recorded.run(sent(of_shared(&tx)));
    recorded.run(sent(async {
        of_shared(&tx).await;
        audited::record_action(audited::Action::new("tx.sent")).in_transaction(&tx).await.unwrap();
    }));
    assert_eq!(tx.0.lock().unwrap().len(), 3);
}

#[audited(action = "tx.inside", unlocked)]
fn inside() {}

/// A transaction that is audited itself.
struct Audited<'t, 'b>(&'t Tx<'b>, Cell<bool>);

impl AuditTransaction for Audited<'_, '_> {
    async fn write(&self, record: &Record) -> Result<(), SinkError> {
        inside();
        self.1.set(true);
        self.0.write(record).await
    }
}

#[audited(action = "tx.outside", unlocked, transaction = tx)]
async fn outside(tx: &Audited<'_, '_>) {
    inside();
}

#[test]
fn what_is_recorded_on_the_way_belongs_to_the_call() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    recorded.run(outside(&Audited(&tx, Cell::new(false))));
    tx.commit();
    let id = bank.records()[0].id();
    let parents: Vec<_> = recorded.records().iter().map(|record| record.parent()).collect();
    assert_eq!(parents, [id, id]);
}
