//! When a sink that failed is asked again.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use crate::moment::after;

/// Whether a sink is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Circuit {
    /// It is.
    #[default]
    Closed,
    /// It failed several times in a row, and is left alone for a while.
    Open,
    /// It is asked with a single record.
    HalfOpen,
}

/// Pauses that grow, each of a random length up to what it has grown to.
#[derive(Debug)]
pub(crate) struct Backoff {
    shape: ExponentialBuilder,
    next: ExponentialBackoff,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        let shape = ExponentialBuilder::new().with_min_delay(min).with_max_delay(max.max(min)).without_max_times();
        Self { shape, next: shape.build() }
    }

    pub(crate) fn pause(&mut self) -> Duration {
        // The whole of it is random, so that the forwarders of many processes do not come back together.
        self.next.next().unwrap_or_default().mul_f64(fastrand::f64())
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.shape.build();
    }
}

/// Opens after some failures in a row, and lets one record through once in a while.
#[derive(Debug)]
pub(crate) struct Breaker {
    backoff: Backoff,
    threshold: u32,
    pause: Duration,
    failures: u32,
    again_at: Option<Instant>,
    circuit: Circuit,
}

impl Breaker {
    pub(crate) fn new(backoff: Backoff, threshold: u32, pause: Duration) -> Self {
        Self { backoff, threshold: threshold.max(1), pause, failures: 0, again_at: None, circuit: Circuit::Closed }
    }

    pub(crate) const fn circuit(&self) -> Circuit {
        self.circuit
    }

    /// Until when the sink is left alone; `None` when it may be asked now.
    pub(crate) fn rests_until(&mut self, now: Instant) -> Option<Instant> {
        if let Some(again_at) = self.again_at.filter(|again_at| *again_at > now) {
            return Some(again_at);
        }
        self.again_at = None;
        if self.circuit == Circuit::Open {
            self.circuit = Circuit::HalfOpen;
        }
        None
    }

    /// The sink has answered, whatever it said.
    pub(crate) fn answered(&mut self) {
        self.backoff.reset();
        (self.failures, self.again_at, self.circuit) = (0, None, Circuit::Closed);
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let mut pause = self.backoff.pause();
        if self.failures >= self.threshold {
            self.circuit = Circuit::Open;
            pause = pause.max(self.pause);
        }
        self.again_at = Some(after(now, pause));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(2);

    #[test]
    fn pauses_grow_up_to_the_greatest_and_are_random_throughout() {
        let most = |nth: usize| {
            let pauses = (0..400).map(|_| {
                let mut backoff = Backoff::new(MIN, MAX);
                (0..nth).for_each(|_| assert!(backoff.pause() <= MAX));
                backoff.pause()
            });
            let pauses: Vec<_> = pauses.collect();
            let (least, most) = (*pauses.iter().min().unwrap(), *pauses.iter().max().unwrap());
            assert!(least < most / 4, "{least:?} to {most:?}");
            most
        };
        for (nth, bound) in [(0, MIN), (1, MIN * 2), (3, MIN * 8), (9, MAX)] {
            let most = most(nth);
            assert!(most <= bound && most > bound / 2, "{nth}: {most:?}");
        }
    }

    #[test]
    fn a_reset_begins_anew() {
        let mut backoff = Backoff::new(MIN, MAX);
        (0..10).for_each(|_| assert!(backoff.pause() <= MAX));
        backoff.reset();
        assert!(backoff.pause() <= MIN);
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_one_answer() {
        let (pause, mut now) = (Duration::from_secs(5), Instant::now());
        let mut breaker = Breaker::new(Backoff::new(MIN, MIN), 3, pause);
        for expected in [Circuit::Closed, Circuit::Closed, Circuit::Open] {
            now += MIN;
            assert_eq!(breaker.rests_until(now), None);
            breaker.failed(now);
            assert_eq!(breaker.circuit(), expected);
        }
        let again_at = breaker.rests_until(now).unwrap();
        assert_eq!(again_at, now + pause);
        assert_eq!((breaker.rests_until(again_at), breaker.circuit()), (None, Circuit::HalfOpen));
        breaker.failed(again_at);
        assert_eq!(breaker.circuit(), Circuit::Open);
        assert_eq!(breaker.rests_until(again_at + pause), None);
        breaker.answered();
        assert_eq!((breaker.circuit(), breaker.failures), (Circuit::Closed, 0));
    }

    #[test]
    fn a_pause_without_end_is_not_none() {
        let now = Instant::now();
        for mut breaker in [
            Breaker::new(Backoff::new(MIN, MIN), 1, Duration::MAX),
            Breaker::new(Backoff::new(Duration::MAX, Duration::MAX), 1, Duration::from_secs(3600)),
        ] {
            for _ in 0..3 {
                breaker.failed(now);
                assert!(breaker.rests_until(now + Duration::from_secs(3599)).is_some());
            }
            assert_eq!(breaker.circuit(), Circuit::Open);
        }
    }
}
