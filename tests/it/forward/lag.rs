//! How far behind.

use audited::{ForwarderLag, Timestamp};

use super::*;

#[test]
fn lag_is_what_is_not_delivered() {
    let (_directory, journal) = journal();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!(forwarder.lag(), ForwarderLag::default());
    let delivered = journal.head().seq;
    store.always(Answer::Fail);
    let before = Timestamp::now();
    write(&journal, 0..40);
    eventually("the sink is asked", || forwarder.stats().retried > 0);
    let all: Vec<_> = Journal::read(journal.path()).unwrap().map(Result::unwrap).collect();
    let behind: Vec<_> = all.iter().filter(|record| record.seq().unwrap() > delivered).collect();
    let bytes: usize = behind.iter().map(|record| record.json().len()).sum();
    let lag = forwarder.lag();
    assert_eq!((lag.records, lag.bytes), (40, bytes as u64));
    let longest = u64::try_from(Timestamp::now().as_unix_micros() - before.as_unix_micros()).unwrap();
    assert!(lag.age > Duration::ZERO && lag.age <= Duration::from_micros(longest));
    // It grows with time and with what comes, which is not all read.
    std::thread::sleep(Duration::from_millis(5));
    assert!(forwarder.lag().age >= lag.age + Duration::from_millis(5));
    for round in 0..40 {
        write(&journal, round * 50..round * 50 + 50);
    }
    let lag = forwarder.lag();
    let all = Journal::read(journal.path()).unwrap().map(Result::unwrap);
    let bytes: usize = all.filter(|record| record.seq() > Some(delivered)).map(|record| record.json().len()).sum();
    assert_eq!(lag.records, journal.head().seq - delivered);
    let bytes = bytes as u64;
    assert!(lag.bytes > bytes * 9 / 10 && lag.bytes < bytes * 11 / 10, "{} of {bytes}", lag.bytes);
    store.always(Answer::Take);
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!(forwarder.lag(), ForwarderLag::default());
}
