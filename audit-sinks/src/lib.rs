//! The sinks of the `audited` framework.
