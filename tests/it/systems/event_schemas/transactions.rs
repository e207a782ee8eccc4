//! Events in the caller's own transaction.

use audited::SqliteStore;
use rusqlite::{Connection, TransactionBehavior};

use super::*;

#[test]
fn writes_inside_the_callers_own_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut app = Connection::open(&file).unwrap();
    app.execute_batch("CREATE TABLE role_grants (role TEXT)").unwrap();
    let recorder = Recorder::builder().sink(MemoryStore::new()).vocabulary(types()).allow_weak_fail_closed();
    let recorder = recorder.build().unwrap();
    let reader = store.global("test").unrecorded();
    let mut stream = block_on(live(&reader, &Filter::default())).unwrap();
    for (role, commits) in [("editor", true), ("admin", false), ("reader", true)] {
        let tx = app.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        tx.execute("INSERT INTO role_grants VALUES (?1)", [role]).unwrap();
        let metadata = fields(json!({ "role_grant_id": Uuid::from_u128(9), "role": role }));
        let granted = Happened { event_type: "role_grant_create", metadata, ..Happened::default() };
        with_recorder_sync(recorder.clone(), || granted.record().wait_in_transaction(&store.within(&tx)).unwrap());
        if commits { tx.commit().unwrap() } else { tx.rollback().unwrap() }
    }
    let rows: Vec<String> = app
        .prepare("SELECT role FROM role_grants")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(rows, ["editor", "reader"]);
    let roles = |event: &StoredRecord| match event.view::<AuthEvent>().unwrap() {
        AuthEventView::RoleGrantCreate { role, .. } => role.into_value().unwrap(),
        other => panic!("{other:?}"),
    };
    for role in &rows {
        assert_eq!(roles(&block_on(stream.next()).unwrap().0), *role);
    }
    let events = block_on(list(&reader, &Filter::default())).unwrap().events;
    assert_eq!(events.iter().rev().map(roles).collect::<Vec<_>>(), rows);
    assert_eq!(recorder.stats().drift, 0);
}
