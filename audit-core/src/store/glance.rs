//! What stands at the head of a record, read without reading the rest.

use uuid::Uuid;

use crate::id::RecordId;
use crate::query::SortKey;
use crate::record::{Fields, Stage};
use crate::timestamp::Timestamp;

/// A moment as this crate writes it: of two, the later one is the greater one as a text, too.
pub(super) type SortText = [u8; 27];

/// How such a text looks; `0` stands for a digit.
const SHAPE: &SortText = b"0000-00-00T00:00:00.000000Z";

/// The first entries of a record that are written one behind the other as this crate writes them, without any escape. No
/// key stands twice in a record, so that what is read here is what [`Fields`] reads.
pub(super) struct Glance<'a> {
    pub(super) id: &'a [u8],
    pub(super) is_intent: bool,
    /// When it happened.
    pub(super) when: &'a SortText,
}

impl<'a> Glance<'a> {
    /// Looks at a record. `None` where it does not begin as this crate writes it: only reading it tells then.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let (id, rest) = id(json)?;
        let (_, rest) = text(rest.strip_prefix(b",\"kind\":")?)?;
        let (stage, rest) = text(rest.strip_prefix(b",\"stage\":")?)?;
        let (_, rest) = text(rest.strip_prefix(b",\"action\":")?)?;
        let (when, _) = text(rest.strip_prefix(b",\"occurred_at\":")?)?;
        Some(Self { id, is_intent: stage == Stage::Intent.as_str().as_bytes(), when: canonical(when)? })
    }

    /// Its id, where that is one.
    pub(super) fn id(&self) -> Option<RecordId> {
        Uuid::try_parse_ascii(self.id).ok().map(RecordId::from)
    }
}

/// The id of a record, off its head. `None` where only reading it tells.
pub fn head_id(json: &[u8]) -> Option<RecordId> {
    let (id, _) = id(json)?;
    Uuid::try_parse_ascii(id).ok().map(RecordId::from)
}

/// When a record happened, off its head. `None` where only reading it tells.
pub fn head_moment(json: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(Glance::of(json)?.when).ok()?.parse().ok()
}

/// When a record happened, by [`SortKey::micros`], as a text that sorts as the moment does. `None` for a moment that has
/// none, of a year beyond 9999.
pub fn sort_text(record: &Fields) -> Option<[u8; 27]> {
    let text = record.occurred_text();
    let text = text.as_ref().and_then(|text| canonical(text.as_bytes()).copied());
    text.or_else(|| sort_text_of(SortKey::of(record)?.micros))
}

/// The same of a moment in microseconds since the Unix epoch.
pub(super) fn sort_text_of(micros: i64) -> Option<SortText> {
    let text = Timestamp::from_unix_micros(micros).ok()?.to_string();
    canonical(text.as_bytes()).copied()
}

fn id(json: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = json.strip_prefix(b"{")?;
    if let Some(stream) = rest.strip_prefix(b"\"stream\":") {
        rest = text(stream)?.1.strip_prefix(b",")?;
    }
    text(rest.strip_prefix(b"\"schema\":1,\"id\":")?)
}

/// A string without escapes, and what follows it.
fn text(json: &[u8]) -> Option<(&[u8], &[u8])> {
    let json = json.strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', json)?;
    (json[end] == b'"').then(|| (&json[..end], &json[end + 1..]))
}

/// Takes a text where it is a moment as this crate writes one.
fn canonical(text: &[u8]) -> Option<&SortText> {
    let text: &SortText = text.try_into().ok()?;
    // To the end, whatever it finds, so that all bytes are compared at once.
    let differs = |(is, shape): (&u8, &u8)| if *shape == b'0' { !is.is_ascii_digit() } else { is != shape };
    let fits = text.iter().zip(SHAPE).fold(0, |found, pair| found | u8::from(differs(pair))) == 0;
    let number = |at: usize| (text[at] - b'0') * 10 + (text[at + 1] - b'0');
    if !fits || number(11) > 23 || number(14) > 59 || number(17) > 59 {
        return None;
    }
    // February aside, whose length is another one each four years, every month has 30 days.
    let is_date = match (number(5), number(8)) {
        (1..=12, 1..=28) | (1 | 3..=12, 29 | 30) | (1 | 3 | 5 | 7 | 8 | 10 | 12, 31) => true,
        _ => std::str::from_utf8(text).is_ok_and(|text| text.parse::<Timestamp>().is_ok()),
    };
    is_date.then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::StoredRecord;

    proptest! {
        #[test]
        fn a_text_is_canonical_where_it_is_what_its_moment_is_written_as(
            year in 0..=9999_u32, month in 0..=13_u32, day in 0..=32_u32, hour in 0..=24_u32, minute in 0..=60_u32,
            second in 0..=61_u32, micros in 0..1_000_000_u32,
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z");
            let is_one = text.parse::<Timestamp>().is_ok_and(|moment| moment.to_string() == text);
            prop_assert_eq!(canonical(text.as_bytes()).is_some(), is_one, "{}", text);
        }

        #[test]
        fn texts_sort_as_their_moments_do(a in any::<i64>(), b in any::<i64>()) {
            let most = 253_000_000_000_000_000_i64;
            let (a, b) = (a % most, b % most);
            if let (Some(first), Some(second)) = (sort_text_of(a), sort_text_of(b)) {
                prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            }
        }
    }

    #[test]
    fn a_glance_sees_what_reading_sees_or_nothing() {
        let head = r#"{"stream":"s","schema":1,"id":"01a2b3c4-0000-7000-8000-000000000001","kind":"call","stage":"intent","action":"a.b","occurred_at":"2026-11-30T00:00:00.000001Z"}"#;
        let glance = Glance::of(head.as_bytes()).unwrap();
        let record = StoredRecord::parse(head).unwrap();
        assert_eq!((glance.id(), head_id(head.as_bytes())), (record.id(), record.id()));
        assert!(glance.is_intent);
        assert_eq!(sort_text(&record).as_ref(), Some(glance.when));
        for (from, to) in [
            ("\"schema\":1", "\"schema\":2"),
            ("\"schema\":1", "\"schema\": 1"),
            ("a.b", "a\\u002eb"),
            ("\"stage\":\"intent\",", ""),
            ("11-30", "11-31"),
            (".000001Z", "Z"),
        ] {
            assert!(Glance::of(head.replace(from, to).as_bytes()).is_none(), "{to}");
        }
    }
}
