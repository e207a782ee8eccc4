//! The protocol of a ticket, on one thread and in every interleaving of a few.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::*;

/// Counts what is entered, and keeps what it should watch.
#[derive(Default)]
struct Tally {
    in_time: AtomicUsize,
    late: AtomicUsize,
    expired: AtomicUsize,
    alarms: Arc<Alarms>,
}

impl Account for Tally {
    fn settled(&self, _result: &Result<(), SinkError>, late: bool) {
        if late { &self.late } else { &self.in_time }.fetch_add(1, SeqCst);
    }

    fn expired(&self) {
        self.expired.fetch_add(1, SeqCst);
    }

    fn alarms(&self) -> Option<&Arc<Alarms>> {
        Some(&self.alarms)
    }
}

impl Tally {
    /// In time, late, expired.
    fn counts(&self) -> [usize; 3] {
        [&self.in_time, &self.late, &self.expired].map(|count| count.load(SeqCst))
    }
}

fn ticket() -> (Arc<Tally>, Ticket, Receipt) {
    let tally = Arc::new(Tally::default());
    let (ticket, receipt) = Ticket::with_account(tally.clone());
    (tally, ticket, receipt)
}

#[cfg(not(loom))]
mod one_thread {
    use super::*;

    fn poll(receipt: &mut Receipt) -> Poll<Result<(), SinkError>> {
        Pin::new(receipt).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_first_of_answer_and_deadline_decides() {
        let (tally, ticket, receipt) = ticket();
        assert!(ticket.settle_if_awaited(&Ok(())));
        receipt.slip.expire();
        assert!(receipt.wait().is_ok());
        assert_eq!(tally.counts(), [1, 0, 0]);

        let (tally, ticket, receipt) = super::ticket();
        receipt.slip.expire();
        assert!(!ticket.settle_if_awaited(&Ok(())));
        assert!(matches!(receipt.wait(), Err(SinkError::Deadline)));
        assert_eq!(tally.counts(), [0, 1, 1]);
    }

    #[test]
    fn a_dropped_ticket_has_answered() {
        let (tally, ticket, receipt) = ticket();
        drop(ticket);
        assert!(matches!(receipt.wait(), Err(SinkError::Closed)));
        assert_eq!(tally.counts(), [1, 0, 0]);
    }

    #[test]
    fn a_function_gets_the_answer_once_dropped_or_settled() {
        let (answers, given) = std::sync::mpsc::channel();
        let ticket = || {
            let answers = answers.clone();
            Ticket::answering(move |result| answers.send(result.map_err(|error| error.reason())).unwrap())
        };
        ticket().settle(Ok(()));
        drop(ticket());
        assert_eq!(given.try_iter().collect::<Vec<_>>(), [Ok(()), Err("closed")]);
    }

    #[test]
    fn shares_are_answered_together_and_with_the_first_error() {
        for (answers, expected) in [([true, true], Ok(())), ([false, true], Err("full")), ([true, false], Err("full"))]
        {
            let (whole, receipt) = Ticket::new();
            let share = Share::of(whole, 2);
            let [first, second] = [share.ticket(), share.ticket()];
            let answer = |ok: bool| if ok { Ok(()) } else { Err(SinkError::Full) };
            first.settle(answer(answers[0]));
            assert!(receipt.slip.is_waiting(), "not before the last");
            second.settle(answer(answers[1]));
            assert_eq!(receipt.wait().map_err(|error| error.reason()), expected);
        }
    }

    #[test]
    fn a_deadline_that_is_over_expires_with_whoever_looks() {
        let (tally, _ticket, receipt) = ticket();
        assert!(matches!(receipt.within(Duration::ZERO).wait(), Err(SinkError::Deadline)));
        assert_eq!(tally.counts(), [0, 0, 1]);

        let (tally, _ticket, receipt) = super::ticket();
        assert!(matches!(poll(&mut receipt.within(Duration::ZERO)), Poll::Ready(Err(SinkError::Deadline))));
        assert_eq!((tally.counts(), tally.alarms.count()), ([0, 0, 1], 0));
    }

    #[test]
    fn a_deadline_is_watched_once_also_when_nobody_waits() {
        let (tally, ticket, receipt) = ticket();
        let mut receipt = receipt.within(Duration::from_secs(60));
        assert!(poll(&mut receipt).is_pending() && poll(&mut receipt).is_pending());
        drop(receipt);
        assert_eq!(tally.alarms.count(), 1);
        drop(ticket);

        let (tally, _ticket, receipt) = super::ticket();
        drop(receipt.within(Duration::from_secs(60)));
        assert_eq!(tally.alarms.count(), 1);

        let (tally, ticket, receipt) = super::ticket();
        ticket.settle(Ok(()));
        drop(receipt.within(Duration::from_secs(60)));
        assert_eq!(tally.alarms.count(), 0);
    }

    #[test]
    fn a_slip_is_used_again_once_nobody_has_it() {
        let (_, ticket, receipt) = ticket();
        let first = Arc::as_ptr(&receipt.slip);
        ticket.settle(Ok(()));
        drop(receipt);
        let (_, ticket, receipt) = super::ticket();
        assert_eq!((Arc::as_ptr(&receipt.slip), receipt.slip.is_waiting()), (first, true));

        // An alarm has it.
        let (tally, other_ticket, other) = super::ticket();
        tally.alarms.at(Instant::now() + Duration::from_secs(60), &other.slip);
        let watched = Arc::as_ptr(&other.slip);
        other_ticket.settle(Ok(()));
        drop(other);
        assert_ne!(Arc::as_ptr(&super::ticket().2.slip), watched);

        // Its ticket is still there: it goes with that.
        drop(receipt);
        assert_ne!(Arc::as_ptr(&super::ticket().2.slip), first);
        ticket.settle(Ok(()));
    }

    #[test]
    fn the_account_ends_with_the_ticket_and_not_with_the_receipt() {
        let (tally, ticket, receipt) = ticket();
        ticket.settle(Ok(()));
        assert_eq!(Arc::strong_count(&tally), 1);
        assert!(receipt.give_up().is_some());
    }
}

#[cfg(loom)]
mod interleaved {
    use loom::thread;

    use super::*;

    #[test]
    fn loom_answer_and_deadline_race_and_the_account_agrees_with_the_waiter() {
        loom::model(|| {
            let (tally, ticket, receipt) = ticket();
            let slip = receipt.slip.clone();
            let settles = thread::spawn(move || ticket.settle_if_awaited(&Ok(())));
            let expires = thread::spawn(move || slip.expire());
            let answer = receipt.wait();
            let [in_time, _, expired] = tally.counts();
            assert_eq!((in_time, expired), if answer.is_ok() { (1, 0) } else { (0, 1) });
            assert_eq!(settles.join().unwrap(), answer.is_ok());
            expires.join().unwrap();
            assert_eq!(tally.counts(), if answer.is_ok() { [1, 0, 0] } else { [0, 1, 1] });
        });
    }

    #[test]
    fn loom_a_waiting_future_is_always_woken() {
        loom::model(|| {
            let (_, ticket, receipt) = ticket();
            let slip = receipt.slip.clone();
            thread::spawn(move || ticket.settle(Ok(())));
            thread::spawn(move || slip.expire());
            let _ = loom::future::block_on(receipt);
        });
    }

    #[test]
    fn loom_who_gives_up_learns_whether_he_was_called() {
        loom::model(|| {
            let (_, ticket, receipt) = ticket();
            let settles = thread::spawn(move || ticket.settle_if_awaited(&Ok(())));
            let called = receipt.give_up().is_some();
            assert_eq!(settles.join().unwrap(), called);
        });
    }
}
