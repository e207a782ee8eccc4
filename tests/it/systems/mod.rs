//! Systems that others have built by hand, rebuilt in `examples/`: each sentence of what they promise is a test.

mod admin_events;
mod event_schemas;
mod rpc_dispatch;
#[cfg(feature = "axum")]
mod service;
#[cfg(feature = "axum")]
mod token_lifecycle;
