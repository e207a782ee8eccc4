//! The lines of a journal: how one is written, and how its position is read back.
//!
//! A line is the record's own JSON with `stream` before its fields, and `seq` and `prev` behind them.

use audit_core::__private::{Entries, says_where};
use audit_core::Record;
use uuid::Uuid;

use super::chain::{ChainHash, OpenHash, push_decimal_before};
use super::span::{Moment, moment};

/// The most bytes of a line. No record comes near; it bounds what a reader takes of a file that is none.
pub(super) const MAX_LINE_BYTES: usize = 16 << 20;

/// How every line begins, up to the stream's id.
const START: &[u8] = b"{\"stream\":\"";
const AFTER_STREAM: &[u8] = b"\",";
const STREAM_LEN: usize = 36;
const BEFORE_SEQ: &[u8] = b",\"seq\":";
const BEFORE_PREV: &[u8] = b",\"prev\":\"";
const END: &[u8] = b"\"}";
/// How many bytes a line has before the fields of its record.
const HEAD_LEN: usize = START.len() + STREAM_LEN + AFTER_STREAM.len();
/// The most digits of a `seq`.
const MAX_DIGITS: usize = 20;

/// What all lines of a stream begin with.
#[derive(Clone)]
pub(super) struct Head {
    stream: Uuid,
    text: [u8; HEAD_LEN],
    hash: OpenHash,
}

impl Head {
    pub(super) fn new(stream: Uuid) -> Self {
        let mut text = [0; HEAD_LEN];
        text[..START.len()].copy_from_slice(START);
        stream.hyphenated().encode_lower(&mut text[START.len()..]);
        text[START.len() + STREAM_LEN..].copy_from_slice(AFTER_STREAM);
        Self::with(stream, text)
    }

    /// What a line begins with. `None` where no journal wrote it.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        Some(Self::with(stream_of(line)?, *line.first_chunk()?))
    }

    fn with(stream: Uuid, text: [u8; HEAD_LEN]) -> Self {
        let mut hash = OpenHash::line();
        hash.push(&text);
        Self { stream, text, hash }
    }

    /// Whether a line begins so.
    pub(super) fn begins(&self, line: &[u8]) -> bool {
        line.starts_with(&self.text)
    }

    /// As [`Place::of`], of a line that begins so.
    pub(super) fn place(&self, line: &[u8]) -> Option<Place> {
        Place::behind(self.stream, line.get(HEAD_LEN..)?)
    }

    /// As [`ChainHash::of_line`], of a line that begins so: that part is hashed already.
    pub(super) fn hash(&self, line: &[u8]) -> ChainHash {
        let mut hash = self.hash.clone();
        hash.push(line.get(HEAD_LEN..).unwrap_or_default());
        hash.close()
    }

    /// The hash of a line that begins so and goes on with these fields, as far as that.
    fn open(&self, fields: &[u8]) -> OpenHash {
        let mut hash = self.hash.clone();
        hash.push(fields);
        hash
    }

    /// Whether bytes without an end are what a write of a line can leave behind.
    ///
    /// Zeros and line breaks stand for blocks that did not reach the disk before the machine failed. Anything else
    /// was not written here, and is not ours to cut.
    pub(super) fn could_be_torn(&self, tail: &[u8]) -> bool {
        could_be_torn(tail, &self.text)
    }

    /// Whether a line of whichever stream was begun and never finished.
    pub(super) fn any_was_torn(line: &[u8]) -> bool {
        Self::any_could_be_torn(line) && !line.ends_with(END)
    }

    /// As [`Self::could_be_torn`], of whichever stream.
    pub(super) fn any_could_be_torn(tail: &[u8]) -> bool {
        could_be_torn(tail, START)
    }
}

fn could_be_torn(tail: &[u8], head: &[u8]) -> bool {
    tail.iter().zip(head).all(|(found, expected)| found == expected || matches!(found, 0 | b'\n'))
}

/// A record as it stands in a line, wherever that is.
pub(super) struct Text {
    json: Json,
    /// When it happened.
    pub(super) moment: Option<Moment>,
}

enum Json {
    Record(Record),
    Rebuilt(String),
}

impl Text {
    pub(super) fn of(record: Record) -> Self {
        let moment = moment(&record);
        let json = if record.stream().is_some() || record.seq().is_some() || record.get("prev").is_some() {
            Json::Rebuilt(with_origin(record.json()))
        } else {
            Json::Record(record)
        };
        Self { json, moment }
    }

    /// The entries of the object, without its braces.
    pub(super) fn fields(&self) -> &[u8] {
        let json = match &self.json {
            Json::Record(record) => record.json(),
            Json::Rebuilt(json) => json,
        };
        debug_assert!(json.starts_with("{\"") && json.ends_with('}') && !json.contains('\n'), "one object on one line");
        &json.as_bytes()[1..json.len() - 1]
    }
}

/// A record, ready for its place in a stream: all that does not depend on that place is done.
pub(super) struct Body {
    text: Text,
    hash: OpenHash,
}

impl Body {
    pub(super) fn new(head: &Head, text: Text) -> Self {
        let hash = head.open(text.fields());
        Self { text, hash }
    }

    /// When it happened.
    pub(super) fn moment(&self) -> Option<Moment> {
        self.text.moment
    }

    /// How many bytes its line takes, more or less.
    pub(super) fn len(&self) -> usize {
        self.text.fields().len() + START.len() + STREAM_LEN + BEFORE_SEQ.len() + BEFORE_PREV.len() + 80
    }

    /// Appends its line, with its end; gives what the next line has as its `prev`.
    pub(super) fn push_line(&self, out: &mut Vec<u8>, head: &Head, seq: u64, prev: ChainHash) -> ChainHash {
        push(out, head, (self.text.fields(), self.hash.clone()), seq, prev)
    }
}

/// As [`Body::push_line`], of what stands in a line without having been prepared for it.
pub(super) fn push_line(out: &mut Vec<u8>, head: &Head, fields: &[u8], seq: u64, prev: ChainHash) -> ChainHash {
    push(out, head, (fields, head.open(fields)), seq, prev)
}

fn push(out: &mut Vec<u8>, head: &Head, (fields, mut hash): (&[u8], OpenHash), seq: u64, prev: ChainHash) -> ChainHash {
    let (mut tail, prev) = ([0; BEFORE_SEQ.len() + MAX_DIGITS + BEFORE_PREV.len() + 64 + END.len()], prev.to_hex());
    let mut at = tail.len();
    for part in [END, &prev, BEFORE_PREV] {
        tail[at - part.len()..at].copy_from_slice(part);
        at -= part.len();
    }
    at = push_decimal_before(&mut tail, at, seq);
    tail[at - BEFORE_SEQ.len()..at].copy_from_slice(BEFORE_SEQ);
    let tail = &tail[at - BEFORE_SEQ.len()..];
    out.extend_from_slice(&head.text);
    out.extend_from_slice(fields);
    out.extend_from_slice(tail);
    out.push(b'\n');
    hash.push(tail);
    hash.close()
}

/// A record that has its place in another stream keeps that under `origin`.
fn with_origin(json: &str) -> String {
    let entries: Entries<'_> = serde_json::from_str(json).unwrap_or_default();
    let (mut out, mut origin) = (String::with_capacity(json.len() + 16), String::new());
    for (key, value) in &entries.0 {
        let into = if says_where(key) { &mut origin } else { &mut out };
        let key = serde_json::to_string(key).unwrap_or_default();
        into.extend([if into.is_empty() { "" } else { "," }, &key, ":", value.get()]);
    }
    format!("{{{out},\"origin\":{{{origin}}}}}")
}

/// Where a line says that it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) stream: Uuid,
    pub(super) seq: u64,
    pub(super) prev: ChainHash,
}

impl Place {
    /// Reads the place of a line without its end. `None` where no journal wrote it.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        Self::behind(stream_of(line)?, line.get(HEAD_LEN..)?)
    }

    /// Reads the rest of a line of a stream.
    fn behind(stream: Uuid, rest: &[u8]) -> Option<Self> {
        Self::split(stream, rest).map(|(place, _)| place)
    }

    /// Reads the place of a line without its end, and the fields of its record, as they were handed over.
    pub(super) fn and_fields(line: &[u8]) -> Option<(Self, &[u8])> {
        Self::split(stream_of(line)?, line.get(HEAD_LEN..)?)
    }

    fn split(stream: Uuid, rest: &[u8]) -> Option<(Self, &[u8])> {
        let rest = rest.strip_suffix(END)?;
        let (rest, prev) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
        let prev = ChainHash::from_hex(prev)?;
        let rest = rest.strip_suffix(BEFORE_PREV)?;
        let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (rest, seq) = rest.split_at(rest.len() - digits);
        let fields = rest.strip_suffix(BEFORE_SEQ)?;
        // As it is written, and no other way.
        if seq.first() == Some(&b'0') {
            return None;
        }
        // One follows each.
        let seq = std::str::from_utf8(seq).ok()?.parse().ok().filter(|seq| *seq < u64::MAX)?;
        Some((Self { stream, seq, prev }, fields))
    }
}

/// The stream that a line says it is in.
fn stream_of(line: &[u8]) -> Option<Uuid> {
    let (stream, rest) = line.strip_prefix(START)?.split_at_checked(STREAM_LEN)?;
    rest.strip_prefix(AFTER_STREAM)?;
    Uuid::try_parse_ascii(stream).ok()
}
