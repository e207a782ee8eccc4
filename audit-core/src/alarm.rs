//! A thread that rings what is due.

use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::aside::leave_lines_aside;
use crate::sink::SinkError;
use crate::ticket::{Account, Receipt, Slip, Ticket};

/// How many alarms are kept before they are swept of those that no longer matter.
const SWEEP_AT: usize = 1024;

/// How long the thread stays when nothing is due.
const IDLE: Duration = Duration::from_secs(5);

/// Something to be done at a moment.
///
/// Dropping one must do nothing to speak of: the last reference may go while the alarms are locked.
pub trait Alarm: Send + Sync + 'static {
    /// The moment has come. Whoever rings others next waits for this.
    fn ring(&self);

    /// Whether nobody needs it any more.
    fn is_over(&self) -> bool;
}

/// Rings alarms, on one thread that is there only while something is due.
#[derive(Default)]
pub struct Alarms {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    closed: bool,
    due: BinaryHeap<Due>,
    sweep_at: usize,
}

/// Ordered so that the earliest is the greatest.
struct Due {
    at: Instant,
    alarm: Weak<dyn Alarm>,
}

impl Alarms {
    /// Sees to it that the alarm rings then, unless it is dropped or over by that time.
    pub fn at<A: Alarm>(self: &Arc<Self>, at: Instant, alarm: &Arc<A>) {
        let weak: Weak<A> = Arc::downgrade(alarm);
        let mut state = self.lock();
        state.sweep();
        let earliest = state.due.peek().is_none_or(|due| at < due.at);
        state.due.push(Due { at, alarm: weak });
        if earliest || !state.started {
            self.wake(state);
        }
    }

    /// A ticket whose receipt gives up after `within`, whoever waits for it.
    pub fn ticket(self: &Arc<Self>, within: Duration) -> (Ticket, Receipt) {
        let (ticket, receipt) = Ticket::with_account(Arc::new(Timed(self.clone())));
        (ticket, receipt.within(within))
    }

    /// How many are set.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn count(&self) -> usize {
        self.lock().due.len()
    }

    /// Rings no more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if !state.started && !state.closed {
            let alarms = self.clone();
            // Where no thread can be had now, the next one who asks tries again.
            state.started = thread::Builder::new().name("audited-watch".into()).spawn(move || alarms.run()).is_ok();
        }
        drop(state);
        self.changed.notify_all();
    }

    fn run(&self) {
        leave_lines_aside();
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let due = state.take_due(now);
            if !due.is_empty() {
                drop(state);
                due.iter().filter_map(Weak::upgrade).for_each(|alarm| alarm.ring());
                state = self.lock();
                continue;
            }
            let nap = state.due.peek().map(|due| due.at.saturating_duration_since(now));
            let waited = self.changed.wait_timeout(state, nap.unwrap_or(IDLE));
            let (woken, out) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if nap.is_none() && out.timed_out() && state.due.is_empty() {
                break;
            }
        }
        state.started = false;
    }
}

impl State {
    fn take_due(&mut self, now: Instant) -> Vec<Weak<dyn Alarm>> {
        let mut due = Vec::new();
        while self.due.peek().is_some_and(|first| first.at <= now || first.is_over()) {
            due.extend(self.due.pop().map(|first| first.alarm));
        }
        due
    }

    /// Forgets what is over: usually the earliest, once in a while all.
    fn sweep(&mut self) {
        while self.due.peek().is_some_and(Due::is_over) {
            self.due.pop();
        }
        if self.due.len() >= self.sweep_at.max(SWEEP_AT) {
            self.due.retain(|due| !due.is_over());
            self.sweep_at = self.due.len() * 2;
        }
    }
}

impl Due {
    fn is_over(&self) -> bool {
        self.alarm.upgrade().is_none_or(|alarm| alarm.is_over())
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at)
    }
}

impl Alarm for Slip {
    fn ring(&self) {
        self.expire();
    }

    fn is_over(&self) -> bool {
        !self.is_waiting()
    }
}

/// The account of a ticket of which nothing is counted but the time.
pub(crate) struct Timed(pub(crate) Arc<Alarms>);

impl Account for Timed {
    fn settled(&self, _result: &Result<(), SinkError>, _late: bool) {}

    fn expired(&self) {}

    fn alarms(&self) -> Option<&Arc<Alarms>> {
        Some(&self.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    struct Bell {
        number: u32,
        rings: Sender<u32>,
        over: bool,
    }

    impl Alarm for Bell {
        fn ring(&self) {
            self.rings.send(self.number).unwrap();
        }

        fn is_over(&self) -> bool {
            self.over
        }
    }

    #[test]
    fn the_earliest_rings_first_and_what_is_gone_does_not() {
        let (alarms, (rings, rung)) = (Arc::new(Alarms::default()), channel());
        let bell = |number| Arc::new(Bell { number, rings: rings.clone(), over: false });
        let (late, early, dropped) = (bell(3), bell(1), bell(2));
        let now = Instant::now();
        alarms.at(now + Duration::from_millis(40), &late);
        alarms.at(now + Duration::from_millis(10), &dropped);
        alarms.at(now + Duration::from_millis(20), &early);
        drop(dropped);
        assert_eq!((rung.recv().unwrap(), rung.recv().unwrap()), (1, 3));
        assert!(now.elapsed() >= Duration::from_millis(40));
    }

    #[test]
    fn those_that_are_over_do_not_pile_up() {
        let (alarms, (rings, _rung)) = (Arc::new(Alarms::default()), channel());
        let later = Instant::now() + Duration::from_secs(3600);
        let open = Arc::new(Bell { number: 0, rings: rings.clone(), over: false });
        alarms.at(later, &open);
        let over = Arc::new(Bell { number: 1, rings, over: true });
        for _ in 0..10 * SWEEP_AT {
            alarms.at(later, &over);
        }
        assert!(alarms.lock().due.len() <= 2 * SWEEP_AT);
        alarms.close();
    }

    #[test]
    fn a_ticket_that_nobody_settles_is_given_up_in_time() {
        let alarms = Arc::new(Alarms::default());
        let (ticket, receipt) = alarms.ticket(Duration::from_millis(10));
        assert!(matches!(receipt.wait(), Err(SinkError::Deadline)));
        drop(ticket);
    }
}
