//! A record commits with what it is about, or vanishes with it.

use audited::{AuditTransaction as _, SinkError};

use super::*;

#[test]
fn change_and_record_commit_together_or_vanish_together() {
    let database = database();
    let store = database.store();
    database.sql(
        "postgres",
        "CREATE TABLE account (cents int); INSERT INTO account VALUES (10); GRANT ALL ON account TO service",
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut client = runtime.block_on(database.client("service")).unwrap();
    for (number, commits) in [(1, true), (2, false), (3, true)] {
        runtime.block_on(async {
            let transaction = client.transaction().await.unwrap();
            transaction.execute("UPDATE account SET cents = cents - 5", &[]).await.unwrap();
            let written = record(number, json!({ "action": "account.pay" }));
            store.within(&transaction).write(&written).await.unwrap();
            store.within(&transaction).write(&written).await.unwrap();
            assert!(matches!(
                store.within(&transaction).write(&record(number, json!({}))).await,
                Err(SinkError::Conflict(_))
            ));
            // The conflict has not spoilt the transaction.
            transaction.execute("SELECT 1", &[]).await.unwrap();
            if commits { transaction.commit().await.unwrap() } else { transaction.rollback().await.unwrap() }
        });
    }
    assert_eq!(database.sql("postgres", "SELECT cents FROM account"), ["0"]);
    let there: Vec<_> = found(&store, &Query::new().oldest_first()).iter().map(|record| record.id()).collect();
    assert_eq!(there, [record(1, json!({})).id(), record(3, json!({})).id()]);
    // What was rolled back can be written.
    write(&store, &[record(2, json!({}))]).unwrap();
}
