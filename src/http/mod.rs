//! What goes around the handlers of HTTP services.
//!
//! `handled`, `delivery`, `denial`, `coverage`, `status` and `client` say what is recorded of a request and when, what becomes of
//! its answer, and who sent it, for whichever framework. `actix` is what a service of actix-web needs, the rest what a
//! stack of tower does.

mod client;
mod coverage;
mod delivery;
mod denial;
mod handled;
mod request;
mod status;

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "tower")]
mod body;
#[cfg(feature = "tonic")]
mod grpc;
#[cfg(feature = "tower")]
mod layer;
#[cfg(feature = "tower")]
mod response;
#[cfg(feature = "tower")]
mod service;

#[cfg(feature = "actix")]
pub use actix::{AuditMessageBody, AuditMiddleware, AuditMiddlewareService, NoAuditMiddleware};
#[cfg(feature = "tower")]
pub use body::AuditBody;
pub use client::{ForwardedHeader, InvalidTrustedProxies, MAX_FORWARDED_HOPS, TrustedProxies};
pub use coverage::CoverageMode;
pub use denial::DenialStatus;
#[cfg(feature = "tower")]
pub use layer::AuditLayer;
pub use request::AuditRequest;
#[cfg(feature = "axum")]
pub use request::NoAuditLayer;
#[cfg(feature = "tower")]
pub use service::{AuditFuture, AuditService};
