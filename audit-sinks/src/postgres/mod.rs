//! Records in PostgreSQL.

mod arrived;
mod check;
mod entry;
mod error;
mod filter;
mod insert;
mod inspect;
mod known;
mod names;
mod options;
mod pool;
mod position;
mod read;
mod retention;
mod runtime;
mod set_up;
mod store;
mod text;
mod tls;
mod transaction;
mod writer;

pub use self::check::{MAX_POSTGRES_DAMAGE_LISTED, PostgresCheck, PostgresDamage};
pub use self::error::PostgresError;
pub use self::inspect::PostgresInspection;
pub use self::options::{
    DEFAULT_POSTGRES_CONNECT_TIMEOUT, DEFAULT_POSTGRES_CONNECTIONS, DEFAULT_POSTGRES_STATEMENT_TIMEOUT, PostgresOptions,
};
pub use self::retention::{PostgresRetained, PostgresRetention};
pub use self::set_up::{PostgresPeriod, PostgresSetUp};
pub use self::store::PostgresStore;
pub use self::transaction::PostgresTransaction;
