//! Layers around the handlers of HTTP services.

#[allow(dead_code)]
mod client;
#[cfg(feature = "tower")]
mod coverage;

pub use client::{ForwardedHeader, InvalidTrustedProxies, MAX_FORWARDED_HOPS, TrustedProxies};
#[cfg(feature = "tower")]
pub use coverage::{CoverageFuture, CoverageLayer, CoverageMode, CoverageService};
