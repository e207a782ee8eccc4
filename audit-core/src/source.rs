//! Where a call came from.

use std::net::IpAddr;

/// The most characters of a user agent that are kept.
pub const MAX_USER_AGENT_CHARS: usize = 256;

/// Where a call came from.
///
/// `user_agent` and `origin` are what the client says and can be forged by it. `ip` is as good as whoever set
/// it: take the peer's address, or a forwarded one only when a trusted proxy wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub(crate) ip: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    pub(crate) origin: Option<String>,
}

impl Source {
    /// Knows nothing yet.
    pub const fn new() -> Self {
        Self { ip: None, user_agent: None, origin: None }
    }

    /// Sets the client's address.
    #[must_use]
    pub fn ip(mut self, ip: IpAddr) -> Self {
        self.ip = Some(ip);
        self
    }

    /// Sets the user agent, cut at [`MAX_USER_AGENT_CHARS`] characters.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl AsRef<str>) -> Self {
        self.user_agent = Some(user_agent.as_ref().chars().take(MAX_USER_AGENT_CHARS).collect());
        self
    }

    /// Sets the origin (the site that sent the browser), cut like the user agent.
    #[must_use]
    pub fn origin(mut self, origin: impl AsRef<str>) -> Self {
        self.origin = Some(origin.as_ref().chars().take(MAX_USER_AGENT_CHARS).collect());
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ip.is_none() && self.user_agent.is_none() && self.origin.is_none()
    }
}
