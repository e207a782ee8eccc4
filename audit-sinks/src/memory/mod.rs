//! Records in memory: a sink for tests to look at, and a store for small tools.

mod kept;
mod sink;
mod store;

pub use self::sink::{DEFAULT_MEMORY_RECORDS, MemorySink, StillMissing};
pub use self::store::MemoryStore;
