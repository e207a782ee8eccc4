//! What goes around the handlers of HTTP services.
//!
//! `handled`, `delivery`, `denial`, `coverage` and `client` say what is recorded of a request and when, what becomes of
//! its answer, and who sent it, for whichever framework. The rest is what a stack of tower needs.

#[cfg_attr(not(feature = "tower"), allow(dead_code))]
mod client;
#[cfg(feature = "tower")]
mod coverage;
#[cfg(feature = "tower")]
mod delivery;
#[cfg(feature = "tower")]
mod denial;
#[cfg(feature = "tower")]
mod handled;
#[cfg(feature = "tower")]
mod request;

#[cfg(feature = "tower")]
mod body;
#[cfg(feature = "tower")]
mod layer;
#[cfg(feature = "tower")]
mod response;
#[cfg(feature = "tower")]
mod service;

#[cfg(feature = "tower")]
pub use body::AuditBody;
pub use client::{ForwardedHeader, InvalidTrustedProxies, MAX_FORWARDED_HOPS, TrustedProxies};
#[cfg(feature = "tower")]
pub use coverage::CoverageMode;
#[cfg(feature = "tower")]
pub use denial::DenialStatus;
#[cfg(feature = "tower")]
pub use layer::AuditLayer;
#[cfg(feature = "tower")]
pub use request::AuditRequest;
#[cfg(feature = "axum")]
#[cfg(feature = "tower")]
pub use request::NoAuditLayer;
#[cfg(feature = "tower")]
pub use service::{AuditFuture, AuditService};
