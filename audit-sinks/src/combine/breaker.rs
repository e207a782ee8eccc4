//! When to stop asking a sink that does not answer, and when to ask again.

use std::time::{Duration, Instant};

/// Where a [`Failover`](super::Failover) writes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailoverState {
    /// To the first sink; to the second what the first does not take.
    First,
    /// To the second, since the first has failed too often in a row.
    Second,
    /// To the second, while one batch tries whether the first is back.
    Probing,
}

pub(super) struct Breaker {
    most: u32,
    pause: Duration,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { since: Instant },
    Probing,
}

/// What a batch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    First { probe: bool },
    Second,
}

impl Breaker {
    pub(super) const fn new(most: u32, pause: Duration) -> Self {
        Self { most, pause, state: State::Closed { failures: 0 } }
    }

    pub(super) fn ask(&mut self, now: Instant) -> Ask {
        match self.state {
            State::Closed { .. } => Ask::First { probe: false },
            State::Open { since } if now.saturating_duration_since(since) >= self.pause => {
                self.state = State::Probing;
                Ask::First { probe: true }
            }
            State::Open { .. } | State::Probing => Ask::Second,
        }
    }

    /// Notes how the first sink answered. What was asked before it opened opens it no longer.
    pub(super) fn answered(&mut self, probe: bool, ok: bool, now: Instant) {
        self.state = match self.state {
            _ if ok => State::Closed { failures: 0 },
            State::Closed { failures } if failures + 1 < self.most => State::Closed { failures: failures + 1 },
            State::Closed { .. } => State::Open { since: now },
            State::Probing if probe => State::Open { since: now },
            other => other,
        };
    }

    pub(super) const fn state(&self) -> FailoverState {
        match self.state {
            State::Closed { .. } => FailoverState::First,
            State::Open { .. } => FailoverState::Second,
            State::Probing => FailoverState::Probing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);
    const NORMAL: Ask = Ask::First { probe: false };
    const PROBE: Ask = Ask::First { probe: true };

    #[test]
    fn it_opens_after_failures_in_a_row_and_one_probe_closes_it() {
        let (mut breaker, start) = (Breaker::new(3, PAUSE), Instant::now());
        for ok in [false, false, true, false, false] {
            assert_eq!(breaker.ask(start), NORMAL);
            breaker.answered(false, ok, start);
        }
        assert_eq!(breaker.state(), FailoverState::First, "a success in between starts anew");
        breaker.answered(false, false, start);
        assert_eq!((breaker.state(), breaker.ask(start + PAUSE / 2)), (FailoverState::Second, Ask::Second));

        let later = start + PAUSE;
        assert_eq!((breaker.ask(later), breaker.ask(later)), (PROBE, Ask::Second));
        assert_eq!(breaker.state(), FailoverState::Probing);
        breaker.answered(false, false, later);
        assert_eq!(breaker.state(), FailoverState::Probing, "an old answer is not that of the probe");
        breaker.answered(true, false, later);
        assert_eq!(breaker.ask(later + PAUSE / 2), Ask::Second);
        assert_eq!(breaker.ask(later + PAUSE), PROBE);
        breaker.answered(true, true, later + PAUSE);
        assert_eq!((breaker.state(), breaker.ask(later + PAUSE)), (FailoverState::First, NORMAL));
    }
}
