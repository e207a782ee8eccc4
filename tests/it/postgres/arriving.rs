//! What arrives: late commits are neither missed nor repeated, and nobody waits for them.

use std::collections::BTreeSet;

use audited::{AuditTransaction as _, Cursor, Position, Since, StoreError};

use super::*;

const NOTHING: [u64; 0] = [];

/// Reads on to the end, in pages of so many, and gives the numbers of what was found.
fn read_on(store: &PostgresStore, since: &mut Since, limit: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let query = Query::new().action("late").limit(limit);
        let arrivals = block_on(store.global("test").unrecorded().since(&query, since.clone())).unwrap();
        assert!(arrivals.records.len() <= limit);
        // A cursor is a text that goes to clients and comes back.
        *since = Since::Cursor(arrivals.next.to_string().parse::<Cursor>().unwrap());
        numbers.extend(arrivals.records.iter().map(|record| record.seq().unwrap()));
        if !arrivals.more {
            return numbers;
        }
    }
}

fn late(number: u64) -> Record {
    placed(u128::from(number), "s", number, json!({ "action": "late" }))
}

#[test]
fn what_commits_in_another_order_is_found_once_whatever_is_read_between() {
    let database = database();
    let store = database.store();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for limit in [1, 2, 100] {
        let base = u64::try_from(limit).unwrap() * 1_000;
        let mut since = Since::Now;
        assert_eq!(read_on(&store, &mut since, limit), NOTHING);
        let mut clients: Vec<_> = (0..4).map(|_| runtime.block_on(database.client("service")).unwrap()).collect();
        let mut transactions = Vec::new();
        for (client, number) in clients.iter_mut().zip(base..) {
            let transaction = runtime.block_on(client.transaction()).unwrap();
            for part in 0..3 {
                runtime.block_on(store.within(&transaction).write(&late(number + part * 10))).unwrap();
            }
            transactions.push(Some(transaction));
        }
        assert_eq!(read_on(&store, &mut since, limit), NOTHING, "nothing is committed");
        write(&store, &[late(base + 100)]).unwrap();
        assert_eq!(read_on(&store, &mut since, limit), [base + 100], "nobody waits for those that began before");
        runtime.block_on(transactions[2].take().unwrap().commit()).unwrap();
        assert_eq!(read_on(&store, &mut since, limit), [base + 2, base + 12, base + 22]);
        runtime.block_on(transactions[3].take().unwrap().commit()).unwrap();
        write(&store, &[late(base + 101)]).unwrap();
        assert_eq!(read_on(&store, &mut since, limit), [base + 3, base + 13, base + 23, base + 101]);
        assert_eq!(read_on(&store, &mut since, limit), NOTHING);
        let rolled_back = transactions[1].take().unwrap();
        runtime.block_on(rolled_back.rollback()).unwrap();
        assert_eq!(read_on(&store, &mut since, limit), NOTHING);
        runtime.block_on(transactions[0].take().unwrap().commit()).unwrap();
        assert_eq!(read_on(&store, &mut since, limit), [base, base + 10, base + 20]);
        drop(transactions);
    }
}

#[test]
fn what_commits_between_two_pages_is_found_once() {
    let database = database();
    let store = database.store();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut client = runtime.block_on(database.client("service")).unwrap();
    let held = runtime.block_on(client.transaction()).unwrap();
    runtime.block_on(store.within(&held).write(&late(0))).unwrap();
    for number in 1..20 {
        write(&store, &[late(number)]).unwrap();
    }
    let query = Query::new().limit(3);
    let (mut since, mut found, mut held, mut pages) = (Since::Beginning, Vec::new(), Some(held), 0);
    loop {
        let arrivals = block_on(store.global("test").unrecorded().since(&query, since)).unwrap();
        since = Since::Cursor(arrivals.next);
        found.extend(arrivals.records.iter().map(|record| record.seq().unwrap()));
        pages += 1;
        if pages == 3 {
            runtime.block_on(held.take().unwrap().commit()).unwrap();
            write(&store, &[late(20)]).unwrap();
        }
        if !arrivals.more {
            break;
        }
    }
    let once: BTreeSet<_> = found.iter().copied().collect();
    assert_eq!(once, (0..=20).collect());
    assert_eq!(found.len(), 21, "{found:?}");
}

#[test]
fn a_position_of_nowhere_is_an_error_and_no_answer() {
    let store = database().store();
    write(&store, &[late(1)]).unwrap();
    let position = block_on(store.position()).unwrap();
    let bytes = position.as_bytes();
    let mut places: Vec<Vec<u8>> = (0..bytes.len()).map(|length| bytes[..length].to_vec()).skip(1).collect();
    places.extend([vec![0], vec![1; 3], vec![255; 64], b"10:20:10,14".to_vec(), [bytes, &[0]].concat()]);
    // The snapshot of a server that has come farther.
    places.push(vec![1, 255, 255, 255, 255, 255, 255, 255, 255, 63, 0]);
    for place in places {
        let grown = block_on(store.grown(&Position::from_bytes(&place)));
        assert!(matches!(grown, Err(StoreError::InvalidCursor(_))), "{place:?}");
    }
}

#[test]
fn who_follows_sees_what_others_write() {
    let database = database();
    let (store, other) = (database.store(), database.store());
    let reader = store.global("test").unrecorded();
    let mut follow = block_on(reader.follow(&Query::new(), Since::Now)).unwrap();
    for number in 0..6 {
        std::thread::scope(|scope| {
            let writer = if number % 2 == 0 { &store } else { &other };
            scope.spawn(move || write(writer, &[late(number)]).unwrap());
            assert_eq!(block_on(follow.next()).unwrap().seq(), Some(number));
        });
    }
}
