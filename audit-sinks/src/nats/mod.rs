//! NATS `JetStream`: a log for fleets, written by many services and read into a store by one.
//!
//! # From records to a store
//!
//! A [`link`] holds the connection on a thread with a runtime of its own, and knows whether the [`stream`] at its end is
//! fit to keep records. The [`sink`] waits for room in a window and hands records over; [`publish`] sends each as a
//! message, under a [`subject`] of its tenant and action, and answers once the stream has acknowledged all. On the other
//! side, the [`feed`] takes messages from a durable consumer and hands them to a store.

mod error;
mod feed;
mod link;
mod options;
mod publish;
mod sink;
mod stream;
mod subject;
mod tls;

pub use self::error::{NatsError, NatsStreamFault};
pub use self::feed::{NatsFeed, NatsFeedBuilder, NatsFeedError, NatsFeedLag, NatsFeedStats};
pub use self::options::{
    DEFAULT_NATS_DUPLICATE_WINDOW, DEFAULT_NATS_WINDOW_BYTES, DEFAULT_NATS_WINDOW_RECORDS, NatsOptions,
};
pub use self::sink::NatsSink;
