//! Records in the transaction of what they are about.

#![allow(
    clippy::elidable_lifetime_names,
    clippy::items_after_statements,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    clippy::unused_self,
    reason = "functions of every shape are tried, the clumsy ones too"
)]

mod bank;
mod builder;
#[cfg(feature = "testing")]
mod canary;
mod dropping;
mod endings;
mod intents;
#[cfg(feature = "postgres")]
mod postgres;
mod refusing;
mod shapes;
#[cfg(feature = "sqlite")]
mod sqlite;
