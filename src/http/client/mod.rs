//! What a request says of who sent it, and what of that is believed.

mod forwarded;
mod identifiers;
mod proxies;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use audit_core::{CorrelationId, Source, TraceId};

pub use proxies::{ForwardedHeader, InvalidTrustedProxies, MAX_FORWARDED_HOPS, TrustedProxies};

/// The lines of a request's headers, of whichever version of the crate `http` they are.
pub(crate) trait HeaderLines {
    /// The values of a header, in their order; the name is in lower case.
    fn lines<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]>;
}

impl HeaderLines for http::HeaderMap {
    fn lines<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }
}

/// Who sent a request, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// The address that is believed, and what the client says of itself.
    pub(crate) source: Source,
    /// That of a trusted proxy, or a new one.
    pub(crate) correlation_id: CorrelationId,
    /// The request id that was sent and not adopted; `[A-Za-z0-9._-]{1,64}`.
    pub(crate) claimed_request_id: Option<String>,
    /// The trace, when a trusted proxy sent it.
    pub(crate) trace_id: Option<TraceId>,
    /// The trace, when anybody else did.
    pub(crate) claimed_trace_id: Option<TraceId>,
}

/// Reads who sent a request from its headers and from the address at the other end of its connection.
pub(crate) fn read(headers: &impl HeaderLines, peer: Option<IpAddr>, proxies: &TrustedProxies) -> Client {
    let trusted = peer.is_some_and(|peer| proxies.trusts(peer));
    let mut source = Source::new();
    if let Some(address) = proxies.address(headers, peer) {
        source = source.ip(address);
    }
    if let Some(agent) = headers.lines("user-agent").next() {
        source = source.user_agent(String::from_utf8_lossy(agent));
    }
    if let Some(origin) = headers.lines("origin").next() {
        source = source.origin(String::from_utf8_lossy(origin));
    }
    let adopted = trusted.then(|| identifiers::request_id(headers)).flatten();
    let claimed_request_id = if adopted.is_some() { None } else { identifiers::claimed_request_id(headers) };
    let trace_id = identifiers::trace_id(headers);
    Client {
        source,
        correlation_id: adopted.unwrap_or_else(CorrelationId::random),
        claimed_request_id,
        trace_id: trace_id.filter(|_| trusted),
        claimed_trace_id: trace_id.filter(|_| !trusted),
    }
}
