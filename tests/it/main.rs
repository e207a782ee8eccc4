//! The promises of `audited`, through its public API. One binary, a module per area.

#[cfg(feature = "actix")]
mod actix;
mod attribute;
#[cfg(feature = "testing")]
mod canary;
mod catalogue;
mod child;
#[cfg(feature = "cli")]
mod cli;
mod combine;
mod context;
mod contract;
#[cfg(feature = "testing")]
mod corpus;
mod coverage;
mod crash;
mod deny;
mod errors;
mod event;
#[cfg(feature = "testing")]
mod faithful;
mod forward;
#[cfg(feature = "tonic")]
mod grpc;
#[cfg(all(feature = "actix", feature = "axum", feature = "tonic"))]
mod handlers;
#[cfg(feature = "axum")]
mod http;
mod journal;
mod listings;
mod lock;
mod model;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod recorder;
mod retention;
#[cfg(feature = "schemars")]
mod schema;
mod sensitive;
#[cfg(any(feature = "nats", feature = "postgres"))]
mod servers;
mod sinks;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "testing")]
mod stores;
mod support;
mod surface;
mod systems;
mod transaction;
#[cfg(feature = "tonic")]
#[path = "../../examples/tonic_service/transfers.rs"]
mod transfers;
mod ui;
mod vocabulary;
