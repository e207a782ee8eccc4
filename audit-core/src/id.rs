//! The id of a record.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use serde::{Serialize, Serializer};
use uuid::timestamp::context::ContextV7;
use uuid::{NoContext, Uuid};

use crate::timestamp::Timestamp;

/// Where the generator keeps its place, so that ids of one process are unique and ordered even within a
/// millisecond and when the clock steps back.
static PLACE: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A UUID version 7: unique, and ordered within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(Uuid);

impl RecordId {
    /// A new id, of now. When an event happened is no matter: ids stay ordered, so that one of the far future would
    /// set the time of all that follow.
    pub(crate) fn new() -> Self {
        Self::at(Timestamp::now())
    }

    pub(crate) fn at(time: Timestamp) -> Self {
        let (seconds, nanos) = time.since_epoch();
        let time = match PLACE.lock() {
            Ok(place) => uuid::Timestamp::from_unix(&*place, seconds, nanos),
            // A poisoned place means a panic inside the generator: order is lost, uniqueness is not.
            Err(_) => uuid::Timestamp::from_unix(NoContext, seconds, nanos),
        };
        Self(Uuid::new_v7(time))
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<Uuid> for RecordId {
    /// Takes one that was read somewhere; whether it has version 7 is no matter.
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl FromStr for RecordId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_within_one_instant_and_when_the_clock_steps_back() {
        let now = Timestamp::now();
        let ids: Vec<_> = (0..20_000).map(|_| RecordId::at(now)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let earlier = RecordId::at(now.minus_micros(5_000_000));
        assert!(earlier > ids[ids.len() - 1]);
    }

    #[test]
    fn ids_stay_unique_across_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..5_000).map(|_| RecordId::at(Timestamp::now())).collect::<Vec<_>>()))
            .collect();
        let mut all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 20_000);
    }
}
