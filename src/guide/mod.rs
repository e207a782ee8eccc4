//! The guide: from nothing to production, a page for each step. [The front page](crate#guide) lists them in their order.

#[doc = include_str!("start.md")]
pub mod start {}

#[doc = include_str!("annotate.md")]
pub mod annotate {}

#[doc = include_str!("context.md")]
pub mod context {}

#[doc = include_str!("http.md")]
pub mod http {}

#[doc = include_str!("events.md")]
pub mod events {}

#[doc = include_str!("redaction.md")]
pub mod redaction {}

#[doc = include_str!("lock.md")]
pub mod lock {}

#[doc = include_str!("sinks.md")]
pub mod sinks {}

#[doc = include_str!("delivery.md")]
pub mod delivery {}

#[doc = include_str!("queries.md")]
pub mod queries {}

#[doc = include_str!("transactions.md")]
pub mod transactions {}

#[doc = include_str!("command_line.md")]
pub mod command_line {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("operations.md")]
pub mod operations {}

#[doc = include_str!("requirements.md")]
pub mod requirements {}

#[doc = include_str!("limits.md")]
pub mod limits {}
