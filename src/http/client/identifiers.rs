//! The ids that a request brings along.

use audit_core::{CorrelationId, MAX_CORRELATION_ID_LEN, TraceId};

use super::HeaderLines;

const REQUEST_ID: &str = "x-request-id";

/// The request id, as it was sent: one line that is a correlation id.
pub(super) fn request_id(headers: &impl HeaderLines) -> Option<CorrelationId> {
    CorrelationId::parse(str::from_utf8(only(headers, REQUEST_ID)?).ok()?).ok()
}

/// The request id as a claim: the first line, cut, and `_` for each character that no correlation id has.
pub(super) fn claimed_request_id(headers: &impl HeaderLines) -> Option<String> {
    let sent = headers.lines(REQUEST_ID).next().filter(|sent| !sent.is_empty())?;
    // A character has four bytes at most: what is behind these is cut off in any case.
    let sent = String::from_utf8_lossy(&sent[..sent.len().min(4 * MAX_CORRELATION_ID_LEN)]);
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    let plain = sent.chars().map(|char| if plain(char) { char } else { '_' });
    Some(plain.take(MAX_CORRELATION_ID_LEN).collect())
}

/// The trace of a `traceparent`, by the rules of W3C Trace Context: `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`,
/// in lower case, neither id zero. A version to come may have more behind a `-`; the version `ff` is none.
pub(super) fn trace_id(headers: &impl HeaderLines) -> Option<TraceId> {
    const LENGTH: usize = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".len();
    let sent = str::from_utf8(only(headers, "traceparent")?).ok()?;
    let (known, more) = sent.split_at_checked(LENGTH)?;
    let mut fields = known.split('-');
    let [version, trace, parent, flags] = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
    let hex = |field: &str, digits: usize| {
        field.len() == digits && field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let formed = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && fields.next().is_none();
    let behind = if version == "00" { more.is_empty() } else { more.is_empty() || more.starts_with('-') };
    let zero = parent.bytes().all(|digit| digit == b'0');
    (formed && behind && version != "ff" && !zero).then(|| TraceId::parse(trace).ok())?
}

/// The value of a header that was sent once. Of several nobody knows which one is meant.
fn only<'a>(headers: &'a impl HeaderLines, name: &'static str) -> Option<&'a [u8]> {
    let mut lines = headers.lines(name);
    let first = lines.next()?;
    lines.next().is_none().then_some(first)
}
