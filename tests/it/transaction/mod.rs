//! Records in the transaction of what they are about.

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
