//! The id of a record.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::timestamp::Timestamp;

thread_local! {
    /// The nanosecond of the last id that the thread has made. Nothing is shared between threads: each record makes one.
    static LAST: Cell<u64> = const { Cell::new(0) };
    /// What ids take their random bits from. The system is asked for them once a thread.
    static RANDOM: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// A UUID version 7: unique, and ordered within a thread, whatever the clock does. Those of different threads are
/// ordered as the clock is.
///
/// It tells the time to the nanosecond: the milliseconds stand where the version has them, what is within in the twenty
/// bits that follow (12 and 8, around the variant), and 54 bits are random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(Uuid);

impl RecordId {
    /// A new id, of now. When an event happened is no matter: ids stay ordered, so that one of the far future would
    /// set the time of all that follow.
    pub(crate) fn new() -> Self {
        Self::now().0
    }

    /// A new id and what time it is, by one look at the clock.
    pub(crate) fn now() -> (Self, Timestamp) {
        let now = SystemTime::now();
        let Ok(since) = now.duration_since(UNIX_EPOCH) else { return (Self::of(0), now.into()) };
        let nanos = since.as_secs().saturating_mul(1_000_000_000).saturating_add(since.subsec_nanos().into());
        (Self::of(nanos), Timestamp::since_epoch(since))
    }

    /// A new id of that time; a clock before the Unix epoch counts as the epoch.
    pub(crate) fn at(time: Timestamp) -> Self {
        let micros = u64::try_from(time.as_unix_micros()).unwrap_or(0);
        Self::of(micros.saturating_mul(1_000))
    }

    fn of(nanos: u64) -> Self {
        let nanos = nanos.max(LAST.get().saturating_add(1));
        LAST.set(nanos);
        let (millis, within) = (nanos / 1_000_000, nanos % 1_000_000);
        let bits = u128::from(millis) << 80
            | 0x7 << 76
            | u128::from(within >> 8) << 64
            | 0b10 << 62
            | u128::from(within & 0xff) << 54
            | u128::from(random() >> 10);
        Self(Uuid::from_u128(bits))
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// Appends its text, which needs no escaping.
    pub(crate) fn push_to(self, out: &mut String) {
        out.push_str(self.0.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]));
    }
}

fn random() -> u64 {
    let kept = RANDOM.try_with(|random| random.borrow_mut().get_or_insert_with(seeded).next_u64());
    // Where the thread is ending, it is gone already.
    kept.unwrap_or_else(|_| seeded().next_u64())
}

#[cold]
fn seeded() -> StdRng {
    // A system without randomness keeps nobody from recording: what the maps of the standard library have will do.
    StdRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| StdRng::seed_from_u64(RandomState::new().hash_one(0)))
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
    fn an_id_is_of_version_7_and_tells_the_time() {
        let (id, now) = RecordId::now();
        let uuid = id.as_uuid();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
        let (seconds, nanos) = uuid.get_timestamp().unwrap().to_unix();
        let millis = i64::try_from(seconds * 1_000 + u64::from(nanos / 1_000_000)).unwrap();
        assert_eq!(millis, now.as_unix_micros() / 1_000);
        let mut pushed = String::new();
        id.push_to(&mut pushed);
        assert_eq!(pushed, id.to_string());
        for early in [i64::MIN / 1_000_000, -1, 0] {
            let id = RecordId::at(Timestamp::from_unix_micros(early.max(-100_000_000_000)).unwrap());
            assert!(id.as_uuid() > uuid, "the clock does not step back");
        }
    }

    #[test]
    fn ids_are_made_where_a_thread_ends() {
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                RecordId::new();
            }
        }
        thread_local!(static LAST: Last = const { Last });
        std::thread::spawn(|| LAST.with(|_| RecordId::new())).join().unwrap();
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
