//! The protocol of the queue for slots, on one thread and in every interleaving of a few.

use super::*;
use crate::alarm::Alarms;

struct Nobody;

impl Account for Nobody {
    fn settled(&self, _result: &Result<(), SinkError>, _late: bool) {}
    fn expired(&self) {}
    fn alarms(&self) -> Option<&Arc<Alarms>> {
        None
    }
}

/// A place in the queue without a deadline.
fn queue(slots: &Arc<Slots>) -> Place {
    slots.queue(Arc::new(Nobody), Duration::MAX)
}

#[cfg(not(loom))]
mod one_thread {
    use std::task::Waker;

    use super::*;

    fn poll(place: &mut Place) -> Poll<Option<Slot>> {
        Pin::new(place).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_slot_goes_down_the_queue_and_past_those_who_left() {
        let slots = Slots::new(1);
        let first = slots.try_take().unwrap();
        let (left, mut second, called, mut third) = (queue(&slots), queue(&slots), queue(&slots), queue(&slots));
        assert!(poll(&mut second).is_pending());
        drop(left);
        drop(first);
        assert!(slots.try_take().is_none(), "nobody passes the queue");
        let Poll::Ready(Some(slot)) = poll(&mut second) else { panic!("the second was not called") };
        assert!(poll(&mut third).is_pending());
        drop(slot);
        // Called, and gone before it looked.
        drop(called);
        assert!(matches!(poll(&mut third), Poll::Ready(Some(_))));
        assert!(slots.try_take().is_some());
    }

    #[test]
    fn a_free_slot_is_taken_at_once_and_a_deadline_ends_the_wait() {
        let slots = Slots::new(1);
        let slot = queue(&slots).wait().unwrap();
        assert!(slots.queue(Arc::new(Nobody), Duration::ZERO).wait().is_none());
        drop(slot);
        assert!(queue(&slots).wait().is_some());
    }

    #[test]
    fn those_who_left_do_not_pile_up() {
        let slots = Slots::new(1);
        let _slot = slots.try_take().unwrap();
        for _ in 0..10_000 {
            drop(queue(&slots));
        }
        assert!(slots.lock().waiting.len() <= SWEEP_AT);
    }

    #[test]
    fn only_what_flies_is_waited_for() {
        let slots = Slots::new(2);
        let _running = slots.try_take().unwrap();
        assert!(slots.take_off(slots.try_take().into()));
        assert_eq!(slots.wait_until_landed(Some(Instant::now())), 1);
        slots.land();
        assert_eq!(slots.wait_until_landed(None), 0);
    }
}

#[cfg(loom)]
mod interleaved {
    use loom::thread;

    use super::*;

    #[test]
    fn loom_one_slot_serves_everybody() {
        loom::model(|| {
            let slots = Slots::new(1);
            let first = slots.try_take().unwrap();
            let theirs = slots.clone();
            let other = thread::spawn(move || drop(queue(&theirs).wait().unwrap()));
            drop(first);
            drop(queue(&slots).wait().unwrap());
            other.join().unwrap();
            assert_eq!(slots.word(), Word(0));
        });
    }

    #[test]
    fn loom_a_call_that_meets_a_leaver_goes_on_to_the_next() {
        loom::model(|| {
            let slots = Slots::new(1);
            let first = slots.try_take().unwrap();
            let (leaver, stayer) = (queue(&slots), queue(&slots));
            let frees = thread::spawn(move || drop(first));
            let leaves = thread::spawn(move || drop(leaver));
            drop(stayer.wait().unwrap());
            frees.join().unwrap();
            leaves.join().unwrap();
            assert_eq!(slots.word(), Word(0));
        });
    }

    #[test]
    fn loom_who_waits_for_the_last_to_land_is_told() {
        loom::model(|| {
            let slots = Slots::new(1);
            assert!(slots.take_off(Room::Beyond) && slots.take_off(Room::Beyond));
            let theirs = slots.clone();
            let lands = thread::spawn(move || theirs.land());
            slots.land();
            assert_eq!(slots.wait_until_landed(None), 0);
            lands.join().unwrap();
            assert_eq!(slots.word(), Word(0));
        });
    }

    #[test]
    fn loom_who_waits_for_it_to_land_is_told_by_who_passes_it_on() {
        loom::model(|| {
            let slots = Slots::new(1);
            assert!(slots.take_off(Room::Beyond));
            let waits = queue(&slots);
            let theirs = slots.clone();
            let lands = thread::spawn(move || theirs.land());
            assert_eq!(slots.wait_until_landed(None), 0);
            drop(waits.wait().unwrap());
            lands.join().unwrap();
            assert!(slots.has_room());
        });
    }
}
