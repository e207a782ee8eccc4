//! `audit.lock`: what a workspace records, in a file that is reviewed.

mod actions;
mod change;
mod check;
mod collide;
mod compare;
mod display;
mod fields;
mod file;
#[cfg(test)]
mod holes;
mod known;
mod model;
mod pair;
mod parse;
mod redaction;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod update;
mod write;

pub use change::{FormerUse, LockChange, LockDifference, LockItem, LockSeverity};
pub use check::assert_locked;
pub use check::{LockCheck, LockFailure, LockMode, LockReport};
pub use file::{LOCK_FILE, LockError};
pub use model::{
    Lock, LockAccept, LockAccepted, LockRetired, LockedAction, LockedErrorType, LockedField, LockedPackage, LockedType,
};
pub use parse::InvalidLock;
