//! Whose word on the client's address is believed.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

use super::HeaderLines;
use super::forwarded::{forwarded_from_right, x_forwarded_for_from_right};
use audit_core::__private::debug_as_display;

/// The most proxies that a request is followed through.
pub const MAX_FORWARDED_HOPS: usize = 32;

/// The networks of the proxies in front of a service, and the header in which they say where a request came from.
///
/// ```
/// use audited::{ForwardedHeader, TrustedProxies};
///
/// let proxies = TrustedProxies::new(["10.0.0.0/8", "::1"])?;
/// assert!(proxies.trusts([10, 1, 2, 3].into()));
///
/// let proxies = proxies.header(ForwardedHeader::Forwarded);
/// assert_eq!(
///     TrustedProxies::new(["10.0.0.0/33"]).unwrap_err().to_string(),
///     "\"10.0.0.0/33\" is neither an address nor a network, as in \"10.0.0.0/8\" or \"::1\"",
/// );
/// # Ok::<(), audited::InvalidTrustedProxies>(())
/// ```
///
/// # The address of a client
///
/// It is that of the peer, unless the peer is trusted. Then the header is read from the right, that is from the last
/// proxy on: each address in it that is trusted is passed over, and the first that is not is the client's. What is left
/// of that one the client may have written itself, so nobody reads it. Where a proxy does not tell the address
/// (`unknown`, `_hidden`), where an element is malformed, or after [`MAX_FORWARDED_HOPS`] of them, the walk ends, and
/// the address is that of the proxy which had the last word. An IPv4 address that is mapped into IPv6 counts, and is
/// recorded, as the IPv4 address. A connection without an address, such as that of a Unix socket, is not trusted.
///
/// Whoever is inside of a trusted network is believed: list the proxies, not the network of the clients.
///
/// # What else a trusted proxy may say
///
/// Its `x-request-id` becomes the correlation id, where it is one of `[A-Za-z0-9._-]{1,64}`, and the trace of its
/// `traceparent` that of the records. A proxy that passes on what clients send makes theirs of it: have it set these
/// headers anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

/// The header in which proxies say where a request came from.
///
/// One alone is read. A proxy adds to the one that it knows and passes the other on as it came, so that a client can
/// write into that whatever it likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: a list of addresses, and what most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded`, of RFC 7239.
    Forwarded,
}

/// Something that is no list of proxies.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidTrustedProxies {
    /// An entry cannot be read.
    #[error("{entry:?} is neither an address nor a network, as in \"10.0.0.0/8\" or \"::1\"")]
    NotANetwork {
        /// The entry.
        entry: String,
    },
    /// An entry holds every address there is: each client could choose its own.
    #[error("{entry:?} trusts everybody: list the networks of the proxies alone")]
    Everybody {
        /// The entry.
        entry: String,
    },
}

debug_as_display!(InvalidTrustedProxies);

impl TrustedProxies {
    /// Trusts these addresses and networks, and reads `X-Forwarded-For`.
    ///
    /// # Errors
    ///
    /// [`InvalidTrustedProxies`] names the entry that is neither an address nor a network, or that holds all of them.
    pub fn new<N: AsRef<str>>(networks: impl IntoIterator<Item = N>) -> Result<Self, InvalidTrustedProxies> {
        let networks = networks.into_iter().map(|entry| network(entry.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { networks, header: ForwardedHeader::default() })
    }

    /// Trusts nobody: the address of a client is that of the peer. The default.
    pub const fn none() -> Self {
        Self { networks: Vec::new(), header: ForwardedHeader::XForwardedFor }
    }

    /// Reads this header.
    #[must_use]
    pub const fn header(mut self, header: ForwardedHeader) -> Self {
        self.header = header;
        self
    }

    /// Whether this is the address of a trusted proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The address of the client.
    pub(super) fn address(&self, headers: &impl HeaderLines, peer: Option<IpAddr>) -> Option<IpAddr> {
        let peer = peer?.to_canonical();
        if !self.trusts(peer) {
            return Some(peer);
        }
        Some(match self.header {
            ForwardedHeader::XForwardedFor => {
                self.walk(peer, headers.lines("x-forwarded-for").rev().flat_map(x_forwarded_for_from_right))
            }
            ForwardedHeader::Forwarded => {
                self.walk(peer, headers.lines("forwarded").rev().flat_map(forwarded_from_right))
            }
        })
    }

    /// The first that is not trusted, or the last before the walk ends.
    fn walk(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut nearest = peer;
        for hop in hops.take(MAX_FORWARDED_HOPS) {
            let Some(address) = hop else { break };
            nearest = address.to_canonical();
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }
}

/// Reads an entry, and one of mapped IPv4 addresses as one of IPv4.
fn network(entry: &str) -> Result<IpNet, InvalidTrustedProxies> {
    let read = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
    let network = read.map_err(|_| InvalidTrustedProxies::NotANetwork { entry: entry.to_owned() })?;
    let network = match network {
        IpNet::V6(mapped) if mapped.prefix_len() >= 96 => {
            let narrow = mapped.network().to_ipv4_mapped().map(|base| Ipv4Net::new(base, mapped.prefix_len() - 96));
            narrow.and_then(Result::ok).map_or(network, IpNet::V4)
        }
        other => other,
    };
    if network.prefix_len() == 0 {
        return Err(InvalidTrustedProxies::Everybody { entry: entry.to_owned() });
    }
    Ok(network)
}
