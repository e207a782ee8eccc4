//! The records that are read and not delivered yet, and which of them go into the next batch.

use std::collections::VecDeque;

use audit_core::StoredRecord;

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    records: VecDeque<StoredRecord>,
    bytes: usize,
    /// How many from the front on were refused as a batch, so that one of them is what the sink will not take.
    suspects: usize,
}

impl Backlog {
    pub(crate) fn push(&mut self, record: StoredRecord) {
        self.bytes += record.json().len();
        self.records.push_back(record);
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn front(&self) -> Option<&StoredRecord> {
        self.records.front()
    }

    /// The next batch: all that is there, or half of what is suspected.
    pub(crate) fn batch(&self, only_one: bool) -> impl ExactSizeIterator<Item = &StoredRecord> {
        let count = match self.suspects {
            _ if only_one => 1,
            0 => self.len(),
            suspects => suspects.div_ceil(2).min(suspects - 1).max(1),
        };
        self.records.iter().take(count)
    }

    /// Takes the first records off, which are done with; gives the last of them.
    pub(crate) fn done(&mut self, count: usize) -> Option<StoredRecord> {
        self.suspects = self.suspects.saturating_sub(count);
        let done: Vec<_> = self.records.drain(..count.min(self.records.len())).collect();
        self.bytes -= done.iter().map(|record| record.json().len()).sum::<usize>();
        done.into_iter().next_back()
    }

    /// Notes that one of the first `count` records is to be found.
    pub(crate) fn suspect(&mut self, count: usize) {
        self.suspects = count;
    }
}

#[cfg(test)]
mod tests {
    use audit_core::{Action, Record};
    use proptest::prelude::*;

    use super::*;

    fn backlog(count: usize) -> Backlog {
        let mut backlog = Backlog::default();
        (0..count).for_each(|_| backlog.push(Record::builder(Action::new("backlog.test")).build().into()));
        backlog
    }

    #[test]
    fn bytes_are_those_of_what_is_there() {
        let mut backlog = backlog(3);
        let each = backlog.front().unwrap().json().len();
        assert_eq!(backlog.bytes(), 3 * each);
        backlog.done(2);
        assert_eq!((backlog.bytes(), backlog.len()), (each, 1));
        assert!(backlog.done(9).is_some() && backlog.is_empty() && backlog.done(1).is_none());
    }

    proptest! {
        /// Halving finds each poisonous record, delivers all others in their order, and asks no more than it must.
        #[test]
        fn halving_finds_what_is_poisonous(poison in proptest::collection::vec(any::<bool>(), 1..200)) {
            let mut backlog = backlog(poison.len());
            let (mut at, mut asked) = (0, 0);
            while !backlog.is_empty() {
                let count = backlog.batch(false).len();
                asked += 1;
                if !poison[at..at + count].contains(&true) || count == 1 {
                    backlog.done(count);
                    at += count;
                } else {
                    backlog.suspect(count);
                }
            }
            prop_assert_eq!(at, poison.len());
            let (all, bad) = (poison.len(), poison.iter().filter(|poison| **poison).count());
            let each = 2 * (all.next_power_of_two().ilog2() as usize + 1);
            prop_assert!(asked <= 1 + bad * (each + 1), "asked {} times for {} of {}", asked, bad, all);
        }
    }
}
