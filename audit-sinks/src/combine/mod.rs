//! Sinks made of sinks. They know of each other's trait only.

mod ballot;
mod batch;
mod breaker;
mod clock;
mod discard;
mod error;
mod failover;
mod fan_out;
mod filter;
mod lane;
mod ledger;
mod map;
mod member;
mod poll;
mod rate_limit;
mod retry;
mod room;
mod seat;
mod timeout;

pub use self::batch::{Batch, BatchBuilder, DEFAULT_BATCH_BYTES, DEFAULT_BATCH_DELAY, DEFAULT_BATCH_RECORDS};
pub use self::breaker::FailoverState;
pub use self::discard::DiscardCounted;
pub use self::error::FanOutError;
pub use self::failover::{DEFAULT_FAILOVER_FAILURES, DEFAULT_FAILOVER_PAUSE, Failover, FailoverBuilder};
pub use self::fan_out::{FanOut, FanOutBuilder};
pub use self::filter::Filter;
pub use self::ledger::MemberStats;
pub use self::map::{Map, MapBuilder};
pub use self::member::{DEFAULT_MEMBER_BYTES, DEFAULT_MEMBER_DEADLINE, DEFAULT_MEMBER_RECORDS, Member};
pub use self::rate_limit::{DEFAULT_RATE_LIMIT_WAIT, RateLimit, RateLimitStats};
pub use self::retry::{DEFAULT_RETRY_ATTEMPTS, DEFAULT_RETRY_TOTAL, Retry};
pub use self::timeout::Timeout;
