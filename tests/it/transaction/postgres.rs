//! In transactions of PostgreSQL.

use audited::{
    AuditStore as _, Effect, MemorySink, PostgresStore, Query, Refusal, Stage, StoredOutcome, audited, with_recorder,
};
use tokio_postgres::Transaction;

use super::bank::Error;
use crate::servers::postgres::database;
use crate::support;

#[audited(action = "tx.postgres", unlocked, fields(cents), transaction = store.within(tx), fail_closed)]
async fn moved(store: &PostgresStore, tx: &Transaction<'_>, cents: i32) -> Result<i32, Error> {
    tx.execute("UPDATE account SET cents = cents + $1", &[&cents]).await.unwrap();
    if cents == 99 {
        // An error that is passed over has aborted the transaction.
        tx.execute("SELECT 1 / 0", &[]).await.unwrap_err();
    }
    if cents == 13 { Err(Error::Forbidden) } else { Ok(cents) }
}

fn sent<F: Send>(future: F) -> F {
    future
}

#[test]
fn change_and_record_commit_together_or_not_at_all() {
    let database = database();
    let store = database.store();
    database.sql(
        "postgres",
        "CREATE TABLE account (cents int); INSERT INTO account VALUES (0); GRANT ALL ON account TO service",
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut client = runtime.block_on(database.client("service")).unwrap();
    let memory = MemorySink::new();
    let recorder = support::recorder(memory.clone());
    let unavailable = Err(Error::Refused(Refusal::Unavailable { effect: Effect::MayHaveHappened }));
    for (cents, answer, commits) in
        [(7, Ok(7), true), (8, Ok(8), false), (13, Err(Error::Forbidden), false), (99, unavailable, false)]
    {
        runtime.block_on(async {
            let tx = client.transaction().await.unwrap();
            let called = sent(with_recorder(recorder.clone(), moved(&store, &tx, cents))).await;
            assert_eq!(called, answer);
            if commits { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
        });
    }
    assert_eq!(database.sql("postgres", "SELECT cents FROM account"), ["7"]);
    let reader = store.global("test").unrecorded();
    let there = crate::contract::block_on(reader.page(&Query::new())).unwrap().records;
    assert_eq!(there.iter().map(|record| record.detail()).collect::<Vec<_>>(), [Some(r#"{"cents":7}"#)]);
    let ends = memory.records().into_iter().filter(|record| record.stage() == Some(Stage::Completed));
    let ends: Vec<_> = ends.filter(|record| record.action() == "tx.postgres").collect();
    assert_eq!(ends.len(), 2, "a denial, and a success that nobody vouches for");
    assert_eq!(ends[0].outcome(), Some(StoredOutcome::Failure { code: "missing_scope".into() }));
    assert_eq!(ends[1].outcome(), Some(StoredOutcome::Unknown));
    assert_eq!(ends[1].flags(), ["not_in_transaction"]);
}
