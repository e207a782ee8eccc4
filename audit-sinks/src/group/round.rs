//! What is written and synced together.
//!
//! Callers that wait for their records come in waves: all of a round are answered at once, and soon after they all
//! come back. A round that began with the first of them would leave the others to the next one, and from then on two
//! halves would take turns with a sync each. So the first of a wave is not written before the rest has come, if there
//! was a wave just before, and no longer than a sync takes; who comes alone does not wait.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use audit_core::__private::Lookout;

use super::queue::{Entry, Lot, Queue, Turn};

/// How much is written and synced at once at most. It bounds what a crash can tear.
pub(crate) const ROUND_BYTES: usize = 4 << 20;

/// How many callers are a wave. So many that they take as long to come back as a sync takes are none: of those it is
/// better that one half comes while the other is synced.
const WAVE: RangeInclusive<usize> = 4..=96;

/// The least and the most that a wave may take, whatever a sync takes.
const MIN_WAVE: Duration = Duration::from_micros(50);
const MAX_WAVE: Duration = Duration::from_millis(1);

/// Takes rounds from a queue.
pub(crate) struct Rounds<'q, L> {
    queue: &'q Queue<L>,
    /// How many callers there were when the last round was answered.
    callers: usize,
    answered: Instant,
    /// How long a round takes to write and sync, on average.
    average: Duration,
    lookout: Lookout,
}

/// A batch, complete once its entries were asked for.
pub(crate) struct Round<L> {
    pub(crate) batch: Vec<Entry<L>>,
    /// Whom it waits for, and how long at most.
    wave: Option<(usize, Instant)>,
}

impl<'q, L: Lot> Rounds<'q, L> {
    pub(crate) fn new(queue: &'q Queue<L>) -> Self {
        Self { queue, callers: 0, answered: Instant::now(), average: Duration::ZERO, lookout: Lookout::default() }
    }

    /// Waits for the next one.
    pub(crate) fn next(&mut self, until: Option<Instant>) -> Result<Round<L>, Turn> {
        let soon = self.watch();
        let mut batch = Vec::with_capacity(self.callers);
        match self.queue.take(&mut batch, ROUND_BYTES, until) {
            Turn::Write => {
                let wave = (soon && WAVE.contains(&self.callers))
                    .then(|| (self.callers, self.answered + self.average.clamp(MIN_WAVE, MAX_WAVE)));
                Ok(Round { batch, wave })
            }
            turn => Err(turn),
        }
    }

    /// Looks out for the callers that were just answered; says whether somebody came.
    fn watch(&mut self) -> bool {
        self.callers > 0 && self.lookout.look(self.answered, || self.queue.waiting() > 0)
    }

    /// Notes that a round which began then has ended, and makes its room free; says whether others wait already.
    pub(crate) fn ended(&mut self, round: &Round<L>, began: Instant) -> bool {
        let waiting = self.queue.release(&round.batch);
        self.callers = round.batch.len() + waiting;
        self.average = (self.average * 7 + began.elapsed()) / 8;
        waiting > 0
    }

    /// Notes that its callers are told.
    pub(crate) fn answered(&mut self) {
        self.answered = Instant::now();
    }
}

impl<L: Lot> Round<L> {
    /// Waits for nobody more.
    pub(crate) fn complete(&mut self) {
        self.wave = None;
    }

    /// Gives its entries to `take`, those of the wave as they come: whenever `each` more have, or the last of them.
    ///
    /// To be woken costs as much as some records do where they are only appended, and less than one that goes into
    /// indexes.
    pub(crate) fn entries(&mut self, queue: &Queue<L>, each: usize, take: &mut dyn FnMut(&[Entry<L>])) {
        let mut done = 0;
        loop {
            take(&self.batch[done..]);
            done = self.batch.len();
            let Some((callers, until)) = self.wave.filter(|(callers, _)| done < *callers) else { break };
            if !queue.take_more(&mut self.batch, ROUND_BYTES, each.min(callers - done), until) {
                break;
            }
        }
        // Whoever goes through them once more waits for nobody.
        self.complete();
    }
}
