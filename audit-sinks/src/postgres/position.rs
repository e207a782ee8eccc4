//! How far a reading of what arrives has come: snapshots of the server, as bytes.

use audit_core::{InvalidCursor, Position};

/// The first byte of a position.
const VERSION: u8 = 1;
/// The most transactions under way that a snapshot may name. A server that runs more refuses to give a position.
const MAX_UNDER_WAY: usize = 2_000;

/// Which transactions had ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// None of these and later ones; all before, but those that were under way.
    pub(super) end: i64,
    /// In ascending order, all before the end.
    pub(super) under_way: Vec<i64>,
}

/// A place in what arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Everything that this sees is before it.
    pub(super) seen: Snapshot,
    /// Where only a part is looked at of what another snapshot sees beyond that: that one, and the last that was.
    pub(super) within: Option<(Snapshot, Row)>,
}

/// A row, in the order in which they are looked at: by transaction, and by place there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) xid: i64,
    pub(super) arrival: i64,
}

impl Snapshot {
    /// Reads what `pg_current_snapshot()` gives: `xmin:xmax:xip,xip`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let _begin: i64 = parts.next()?.parse().ok()?;
        let (end, under_way) = (parts.next()?.parse().ok()?, parts.next()?);
        let mut under_way: Vec<_> =
            under_way.split(',').filter(|xid| !xid.is_empty()).map(str::parse).collect::<Result<_, _>>().ok()?;
        under_way.sort_unstable();
        let snapshot = Self { end, under_way };
        (parts.next().is_none() && snapshot.is_sound()).then_some(snapshot)
    }

    fn is_sound(&self) -> bool {
        let ascending = self.under_way.is_sorted_by(|a, b| a < b);
        let inside = self.under_way.iter().all(|xid| (1..self.end).contains(xid));
        self.end >= 0 && ascending && inside && self.under_way.len() <= MAX_UNDER_WAY
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        push(bytes, self.end);
        push(bytes, i64::try_from(self.under_way.len()).unwrap_or(i64::MAX));
        let mut later = self.end;
        for xid in self.under_way.iter().rev() {
            push(bytes, later - xid);
            later = *xid;
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (end, count) = (pull(bytes)?, usize::try_from(pull(bytes)?).ok()?);
        if count > MAX_UNDER_WAY {
            return None;
        }
        let (mut later, mut under_way) = (end, Vec::with_capacity(count));
        for _ in 0..count {
            later = later.checked_sub(pull(bytes)?)?;
            under_way.push(later);
        }
        under_way.reverse();
        Some(Self { end, under_way }).filter(Self::is_sound)
    }
}

impl Place {
    pub(super) fn of(position: &Position) -> Result<Self, InvalidCursor> {
        let mut bytes = position.as_bytes();
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        Self::read(&mut bytes).filter(|_| bytes.is_empty()).ok_or(InvalidCursor)
    }

    /// Whether a server can have given it that is here now.
    pub(super) fn is_of(&self, now: &Snapshot) -> bool {
        self.within.as_ref().map_or(&self.seen, |(until, _)| until).end <= now.end
    }

    pub(super) fn position(&self) -> Position {
        let mut bytes = vec![VERSION];
        self.seen.write(&mut bytes);
        if let Some((until, last)) = &self.within {
            until.write(&mut bytes);
            push(&mut bytes, last.xid);
            push(&mut bytes, last.arrival);
        }
        Position::from_bytes(bytes)
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        *bytes = rest;
        let seen = Snapshot::read(bytes).filter(|_| *version == VERSION)?;
        if bytes.is_empty() {
            return Some(Self { seen, within: None });
        }
        let until = Snapshot::read(bytes)?;
        let last = Row { xid: pull(bytes)?, arrival: pull(bytes)? };
        (until.end >= seen.end && last.xid < until.end).then_some(Self { seen, within: Some((until, last)) })
    }
}

/// Seven bits a byte, the last one without the highest.
fn push(bytes: &mut Vec<u8>, number: i64) {
    let mut rest = number.cast_unsigned();
    while rest >= 0x80 {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
}

/// A number that is not negative.
fn pull(bytes: &mut &[u8]) -> Option<i64> {
    let mut number: u64 = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return i64::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshot() -> impl Strategy<Value = Snapshot> {
        (1..i64::MAX, proptest::collection::btree_set(1..i64::MAX, 0..8)).prop_map(|(end, under_way)| Snapshot {
            end,
            under_way: under_way.into_iter().filter(|xid| *xid < end).collect(),
        })
    }

    proptest! {
        #[test]
        fn a_place_is_what_it_was(seen in snapshot(), until in snapshot(), xid in 0..i64::MAX, arrival in 0..i64::MAX) {
            let place = Place { seen: seen.clone(), within: None };
            prop_assert_eq!(Place::of(&place.position()), Ok(place));
            let place = Place { seen, within: Some((until, Row { xid, arrival })) };
            let (until, last) = place.within.as_ref().unwrap();
            let sound = until.end >= place.seen.end && last.xid < until.end;
            prop_assert_eq!(Place::of(&place.position()), if sound { Ok(place) } else { Err(InvalidCursor) });
        }

        #[test]
        fn any_bytes_are_a_place_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..40), tail in any::<bool>()) {
            let bytes = if tail { [&[VERSION][..], &bytes].concat() } else { bytes };
            if let Ok(place) = Place::of(&Position::from_bytes(&bytes)) {
                prop_assert!(place.seen.is_sound());
            }
        }
    }

    #[test]
    fn a_snapshot_is_read_as_the_server_writes_it() {
        let read = |text| Snapshot::parse(text);
        assert_eq!(read("10:20:10,14"), Some(Snapshot { end: 20, under_way: vec![10, 14] }));
        assert_eq!(read("20:20:"), Some(Snapshot { end: 20, under_way: vec![] }));
        for malformed in ["", "1", "1:2", "1:2:2", "1:2:3", "1:2:x", "1:2::", "x:2:", "1:99999999999999999999:"] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }
}
