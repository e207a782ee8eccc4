//! A record is there once, whoever brings it and how often; another one in its place is a conflict.

use std::collections::BTreeSet;
use std::thread;

use audited::{Durability, PostgresError, SinkError};

use super::*;

#[track_caller]
fn assert_conflict(result: &Result<(), SinkError>) {
    assert!(matches!(result, Err(SinkError::Conflict(_))), "{result:?}");
}

fn count(database: &Database) -> String {
    database.sql("postgres", "SELECT count(*) FROM audited.records").remove(0)
}

#[test]
fn the_same_is_ok_and_another_in_its_place_is_a_conflict() {
    let database = database();
    let store = database.store();
    let first = placed(1, "s", 1, json!({}));
    write(&store, &[first.clone(), first.clone()]).unwrap();
    write(&store, std::slice::from_ref(&first)).unwrap();
    write(&store, &[record(1, json!({}))]).unwrap();
    assert_eq!(count(&database), "1");

    assert_conflict(&write(&store, &[placed(1, "s", 1, json!({ "action": "other" }))]));
    assert_conflict(&write(&store, &[placed(2, "s", 1, json!({}))]));
    assert_conflict(&write(&store, &[placed(1, "s", 2, json!({}))]));
    assert_conflict(&write(&store, &[placed(1, "t", 1, json!({}))]));
    // All of a batch or nothing.
    assert_conflict(&write(
        &store,
        &[placed(3, "s", 3, json!({})), placed(2, "s", 1, json!({})), placed(4, "s", 4, json!({}))],
    ));
    assert_conflict(&write(&store, &[placed(3, "s", 3, json!({})), placed(5, "s", 3, json!({}))]));
    assert_conflict(&write(&store, &[placed(3, "s", 3, json!({})), placed(3, "s", 3, json!({ "action": "other" }))]));
    assert_eq!(count(&database), "1");
    write(&store, &[first, placed(3, "s", 3, json!({})), placed(4, "s", u64::MAX, json!({}))]).unwrap();
    assert_eq!(count(&database), "3");

    // One that was written without a place is the same in any.
    write(&store, &[record(6, json!({}))]).unwrap();
    write(&store, &[placed(6, "s", 6, json!({}))]).unwrap();
    assert_eq!(count(&database), "4");
}

#[test]
fn those_who_write_at_the_same_time_do_not_share_a_conflict() {
    let database = database();
    let store = database.store();
    let taken = placed(0, "s", 0, json!({}));
    write(&store, std::slice::from_ref(&taken)).unwrap();
    thread::scope(|scope| {
        for caller in 1..17_u64 {
            let (store, taken) = (&store, &taken);
            scope.spawn(move || {
                for n in 0..12 {
                    let number = caller * 100 + n;
                    match n % 3 {
                        0 => write(store, &[placed(number.into(), "s", number, json!({}))]).unwrap(),
                        1 => write(store, &[placed(number.into(), "s", number, json!({})), taken.clone()]).unwrap(),
                        _ => assert_conflict(&write(store, &[placed(number.into(), "s", 0, json!({}))])),
                    }
                }
            });
        }
    });
    assert_eq!(count(&database), (1 + 16 * 8).to_string());
}

#[test]
fn who_writes_the_same_at_the_same_time_by_several_stores_writes_it_once() {
    let database = database();
    let stores: Vec<_> = (0..3).map(|_| database.store()).collect();
    let conflicts = thread::scope(|scope| {
        let writing: Vec<_> = stores
            .iter()
            .zip(0_u64..)
            .flat_map(|(store, which)| [(store, which, 0_u64), (store, which, 1)])
            .map(|(store, which, turn)| {
                scope.spawn(move || {
                    // The same ones in another order, and of one place each store another.
                    let mut numbers: Vec<_> = (0..60_u64).collect();
                    numbers.rotate_left(usize::try_from(which * 20 + turn * 7).unwrap());
                    let mut records: Vec<_> = numbers.iter().map(|n| placed((*n).into(), "s", *n, json!({}))).collect();
                    if turn == 1 {
                        records.reverse();
                    }
                    for batch in records.chunks(9) {
                        write(store, batch).unwrap();
                    }
                    let own = placed(u128::from(1_000 + which), "s", 1_000, json!({}));
                    write(store, &[own]).is_err()
                })
            })
            .collect();
        writing.into_iter().map(|writer| writer.join().unwrap()).filter(|conflict| *conflict).count()
    });
    assert_eq!(conflicts, 4, "two of three stores, twice each");
    assert_eq!(count(&database), "61");
    let arrivals = database.sql("postgres", "SELECT id FROM audited.records");
    assert_eq!(arrivals.iter().collect::<BTreeSet<_>>().len(), 61);
}

#[test]
fn what_it_states_is_what_the_server_does() {
    let cluster = crate::servers::postgres::shared();
    let database = cluster.database();
    assert_eq!(database.store().durability(), Durability::Disk);
    assert_eq!(database.store().describe(), format!("postgres(127.0.0.1/{})", database.name));
    // Turned off for the role, it is on for the store.
    database.sql("postgres", &format!("ALTER ROLE service IN DATABASE {} SET synchronous_commit = off", database.name));
    assert_eq!(database.store().durability(), Durability::Disk);
    // A server that promises less than was stated takes nothing.
    let stated = database.options("service").durability(Durability::Replicated);
    let store = PostgresStore::connect_later(stated.clone()).unwrap();
    assert_eq!(store.durability(), Durability::Replicated);
    assert!(matches!(write(&store, &[record(1, json!({}))]), Err(SinkError::Failed(_))));
    assert_eq!(count(&database), "0");
    let refused = block_on(PostgresStore::connect(stated)).unwrap_err();
    assert!(matches!(refused, PostgresError::Weaker { found: Durability::Disk, .. }), "{refused}");
}

#[test]
fn a_server_that_does_not_sync_is_stated_so_and_one_that_is_not_there_is_said_so() {
    let mut cluster = crate::servers::postgres::start_with(&["fsync=off"], |_| {});
    let database = cluster.database();
    let store = database.store();
    assert_eq!(store.durability(), Durability::OsBuffer);
    write(&store, &[record(1, json!({}))]).unwrap();
    cluster.stop();
    let error = write(&store, &[record(2, json!({}))]).unwrap_err();
    assert_eq!(error.reason(), "failed");
    let secret = PostgresStore::connect_later(audited::PostgresOptions::new(&database.url("service:s3cret")).unwrap());
    let secret = secret.unwrap();
    let error = write(&secret, &[record(2, json!({}))]).unwrap_err();
    let shown = format!("{error} {error:?} {secret:?} {}", secret.describe());
    assert!(!shown.contains("s3cret") && !shown.contains("service"), "{shown}");
    // A store that was there before goes on where the server does.
    cluster.restart();
    write(&store, &[record(2, json!({}))]).unwrap();
    assert_eq!(count(&database), "2");
}
