//! Who may do what, tried with plain SQL.

use audited::{PostgresError, PostgresSetUp};

use super::*;

/// Every table that holds records or keys.
const GUARDED: &str = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'audited'::regnamespace
    AND relkind IN ('r', 'p') AND relname NOT IN ('settings', 'migrations')";

/// A database with a record of two tenants each, and of none; some of them in another partition.
fn filled() -> (Database, PostgresStore) {
    let database = database();
    let store = database.store();
    let now = audited::Timestamp::now().to_string();
    let tenants = ["acme", "acme", "other", "other", "", "<redacted>"];
    let mut records: Vec<_> = tenants
        .iter()
        .zip(1_u32..)
        .map(|(tenant, n)| {
            placed(
                n.into(),
                "s",
                n.into(),
                json!({ "tenant": tenant, "occurred_at": (if n % 2 == 0 { &*now } else { "2020-01-01T00:00:00Z" }) }),
            )
        })
        .collect();
    records.push(placed(100, "s", 100, json!({})));
    write(&store, &records).unwrap();
    (database, store)
}

/// Asserts that a statement is refused, and says how.
#[track_caller]
fn refused(database: &Database, user: &str, sql: &str) -> String {
    let result = database.try_sql(user, sql);
    result.expect_err(&format!("{user}: {sql}"))
}

#[test]
fn nobody_changes_or_removes_a_record_by_any_table() {
    let (database, _store) = filled();
    let before = contract::records(&database);
    let tables = database.sql("postgres", GUARDED);
    let partitions = tables.iter().filter(|table| table.starts_with("audited.records_")).count();
    assert!(partitions >= 5 && tables.len() == partitions + 3, "{tables:?}");
    for table in &tables {
        let column = if table.ends_with("secrets") {
            "cursor_key"
        } else if table.ends_with("keys") {
            "digest"
        } else {
            "record"
        };
        for statement in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("DELETE FROM {table} WHERE false"),
            format!("TRUNCATE {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!("INSERT INTO {table} SELECT * FROM {table} ON CONFLICT DO NOTHING; DELETE FROM {table}"),
        ] {
            // The owner, who is a superuser here, is stopped by the trigger, also where others are off.
            for sql in [statement.clone(), format!("SET session_replication_role = replica; {statement}")] {
                let error = refused(&database, "postgres", &sql);
                assert!(error.contains("neither changed nor removed"), "{sql}: {error}");
            }
            for user in ["service", "auditor"] {
                let error = refused(&database, user, &statement);
                assert!(error.starts_with("42501: permission denied"), "{statement}: {error}");
            }
        }
    }
    let one = "UPDATE audited.records SET record = '' WHERE id IN (SELECT id FROM audited.records LIMIT 1)";
    refused(&database, "postgres", one);
    refused(&database, "postgres", "MERGE INTO audited.records r USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE");
    assert_eq!(contract::records(&database), before);
}

#[test]
fn the_store_may_insert_and_select_and_no_more() {
    let (database, store) = filled();
    for sql in [
        "CREATE TABLE audited.mine ()",
        "DROP TABLE audited.keys",
        "ALTER TABLE audited.records DISABLE TRIGGER ALL",
        "DROP TRIGGER refuse ON audited.records",
        "SET session_replication_role = replica",
        "SELECT setval('audited.arrivals', 1)",
        "UPDATE audited.settings SET ahead = 0",
        "INSERT INTO audited.migrations VALUES (99)",
        "INSERT INTO audited.secrets (only_one, cursor_key) VALUES (false, '')",
        // Which transaction wrote a record, and when it came, is not for a writer to say.
        "INSERT INTO audited.records (xid, micros, id, action, record) VALUES (1, 0, gen_random_uuid(), 'a', '{}')",
        "INSERT INTO audited.records (arrival, micros, id, action, record) VALUES (1, 0, gen_random_uuid(), 'a', '{}')",
        // Not round the table that has the policies.
        "INSERT INTO audited.records_default (micros, id, action, record) VALUES (0, gen_random_uuid(), 'a', '{}')",
        "SELECT * FROM audited.records_default",
        "SELECT audited.add_partition('mine', 0, 1)",
        "SELECT audited.guard('audited.keys')",
        "COPY audited.records TO PROGRAM 'cat'",
    ] {
        let error = refused(&database, "service", sql);
        assert!(error.starts_with("42501"), "{sql}: {error}");
    }
    assert!(block_on(store.maintain()).unwrap().is_empty(), "all are made");
    // Everybody else sees nothing at all.
    database
        .sql("postgres", "DO $$ BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    for table in database.sql("postgres", GUARDED) {
        assert!(refused(&database, "stranger", &format!("SELECT * FROM {table}")).starts_with("42501"));
    }
    let refused = block_on(PostgresStore::connect(database.options("stranger"))).unwrap_err();
    assert_eq!(refused.sql_state(), Some("42501"), "{refused}");
}

#[test]
fn who_reads_by_sql_sees_the_tenant_that_is_set_and_no_other() {
    let (database, store) = filled();
    let seen = |sql: &str| database.sql("auditor", &format!("{sql} SELECT DISTINCT tenant FROM audited.records"));
    assert_eq!(seen(""), [""; 0], "none is set");
    assert_eq!(seen("SET audited.tenant = 'acme';"), ["acme"]);
    assert_eq!(seen("SET audited.tenant = 'other';"), ["other"]);
    for nobody in ["", "<redacted>", "acm_", "%", "ACME"] {
        assert_eq!(seen(&format!("SET audited.tenant = '{nobody}';")), [""; 0], "{nobody}");
    }
    let count = "SET audited.tenant = 'acme'; SELECT count(*) FROM audited.records";
    assert_eq!(database.sql("auditor", count), ["2"], "in two partitions");
    for sql in [
        "SELECT * FROM audited.keys",
        "SELECT * FROM audited.secrets",
        "SELECT * FROM audited.records_default",
        "SELECT audited.maintain()",
        "INSERT INTO audited.records (micros, id, action, record) VALUES (0, gen_random_uuid(), 'a', '{}')",
        "SET row_security = off; SELECT * FROM audited.records",
    ] {
        assert!(refused(&database, "auditor", sql).starts_with("42501"), "{sql}");
    }
    // The store itself sees all, and its readers those of their tenant.
    assert_eq!(found(&store, &Query::new()).len(), 7);
    let page = block_on(store.tenant("other").unrecorded().page(&Query::new())).unwrap();
    assert_eq!(page.records.len(), 2);
}

#[test]
fn setting_up_again_and_by_several_at_a_time_is_the_same() {
    let cluster = crate::servers::postgres::shared();
    let database = cluster.empty_database();
    let connect = || block_on(PostgresStore::connect(database.options("service")));
    assert!(matches!(connect(), Err(PostgresError::NotSetUp(_))));
    let set_up = PostgresSetUp::new().grant_writer("service").unwrap().grant_reader("auditor").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| block_on(set_up.run(&database.options("postgres"))).unwrap());
        }
    });
    let store = connect().unwrap();
    write(&store, &[record(1, json!({}))]).unwrap();
    let key = block_on(store.cursor_key()).unwrap();
    block_on(set_up.run(&database.options("postgres"))).unwrap();
    assert_eq!(block_on(store.cursor_key()).unwrap().as_bytes(), key.as_bytes(), "cursors go on");
    assert_eq!(found(&store, &Query::new()).len(), 1);
    // What is not its own is not taken over.
    let refused = block_on(set_up.run(&database.options("service"))).unwrap_err();
    assert_eq!(refused.sql_state(), Some("42501"));
    // A newer crate has been there.
    database.sql("postgres", "INSERT INTO audited.migrations VALUES (99)");
    assert!(matches!(connect(), Err(PostgresError::Version { found: 99, .. })));
    let older = block_on(set_up.run(&database.options("postgres")));
    assert!(matches!(older, Err(PostgresError::Version { found: 99, .. })));
}
