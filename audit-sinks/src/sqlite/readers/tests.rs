use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::time::Duration;

use super::super::asked::block_on;
use super::*;

const ENDLESS: &str = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

/// One long query at a time, and no limit but this.
fn readers(limit: Duration) -> (tempfile::TempDir, Readers, Vec<JoinHandle<()>>) {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::find_or_create(&directory.path().join("audit.db")).unwrap();
    let options = SqliteOptions::new().readers(1).query_time_limit(limit);
    let (readers, threads) = Readers::start(&place, &options).unwrap();
    (directory, readers, threads)
}

fn endless(reading: &Reading) -> Result<i64, StoreError> {
    failed(reading.connection.query_row(ENDLESS, [], |row| row.get(0)))
}

fn is_pending<F: Future>(future: Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[test]
fn what_nobody_waits_for_any_more_ends() {
    let (_directory, readers, threads) = readers(Duration::MAX);
    let (begun, begins) = channel();
    {
        let mut counting = pin!(readers.read(move |reading| {
            begun.send(()).unwrap();
            endless(reading)
        }));
        assert!(is_pending(counting.as_mut()));
        begins.recv().unwrap();
        // Until it is inside of SQLite.
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(block_on(readers.read(|_| Ok(7))).unwrap(), 7);
    readers.close();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_takes_a_moment_is_read_where_it_is_asked_and_what_takes_longer_by_a_thread() {
    let (_directory, readers, _threads) = readers(Duration::MAX);
    let counted = |most: u32| {
        block_on(readers.read_at_once(move |reading| {
            let sql =
                "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT ?1) SELECT count(*) FROM c";
            let count = reading.connection.query_row(sql, [most], |row| row.get::<_, u32>(0));
            Ok((failed(count)?, std::thread::current().id()))
        }))
        .unwrap()
    };
    let here = std::thread::current().id();
    assert_eq!(counted(3), (3, here));
    let (count, thread) = counted(1_000_000);
    assert_eq!(count, 1_000_000);
    assert_ne!(thread, here);
    assert_eq!(counted(3), (3, here));
}

#[test]
fn a_reading_that_panics_is_an_error_and_the_next_one_is_not() {
    let (_directory, readers, _threads) = readers(Duration::MAX);
    let panicked = block_on(readers.read(|_| -> Result<(), StoreError> { panic!("in a reading") }));
    assert!(matches!(panicked, Err(StoreError::Closed)));
    assert_eq!(block_on(readers.read(|_| Ok(7))).unwrap(), 7);
}

#[test]
fn a_long_one_gives_way_and_is_read_again_when_another_has_ended() {
    let (_directory, readers, threads) = readers(Duration::MAX);
    let (begun, begins) = channel();
    let ask = |name: &'static str| {
        let begun = begun.clone();
        readers.read(move |reading| {
            begun.send(name).unwrap();
            endless(reading)
        })
    };
    {
        let mut second = pin!(ask("second"));
        {
            let mut first = pin!(ask("first"));
            assert!(is_pending(first.as_mut()));
            assert_eq!(begins.recv().unwrap(), "first");
            // Until it is a long one.
            std::thread::sleep(Duration::from_millis(100));
            assert!(is_pending(second.as_mut()));
            assert_eq!(begins.recv().unwrap(), "second");
            assert_eq!(block_on(readers.read(|_| Ok(7))).unwrap(), 7);
            assert!(is_pending(first.as_mut()) && is_pending(second.as_mut()));
            assert!(begins.try_recv().is_err(), "it waits");
        }
        assert_eq!(begins.recv().unwrap(), "second", "it is read again");
        // Until it is inside of SQLite.
        std::thread::sleep(Duration::from_millis(100));
        assert!(is_pending(second.as_mut()));
    }
    readers.close();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_gave_way_is_answered_before_the_threads_end() {
    let (_directory, readers, threads) = readers(Duration::from_millis(200));
    let ask = || readers.read(|reading| endless(reading));
    let mut asked: Vec<_> = (0..4).map(|_| Box::pin(ask())).collect();
    assert!(asked.iter_mut().all(|asked| is_pending(asked.as_mut())));
    readers.close();
    for asked in asked {
        assert!(matches!(block_on(asked), Err(StoreError::TooLong { .. })));
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_takes_too_long_leaves_nothing_behind() {
    let (_directory, readers, _threads) = readers(Duration::from_millis(1));
    // One thread at least reads two of them.
    for _ in 0..3 {
        let read = block_on(readers.read(|reading| {
            failed(reading.connection.execute_batch("BEGIN; SELECT * FROM sqlite_schema"))?;
            endless(reading)
        }));
        assert!(matches!(read, Err(StoreError::TooLong { limit }) if limit == Duration::from_millis(1)), "{read:?}");
    }
}
