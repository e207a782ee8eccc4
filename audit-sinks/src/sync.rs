//! Locks whose every interleaving can be tried: `RUSTFLAGS="--cfg loom" cargo test -p audit-sinks --release --lib loom`.

pub(crate) use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use loom::sync::atomic::AtomicUsize;
#[cfg(loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::AtomicUsize;
#[cfg(not(loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
