//! Group commit: many callers, one thread that writes, one sync for all of them.
//!
//! Callers put what they have into the [`queue`]; the thread takes [rounds](round) from it, and answers for each as
//! one ([`settle`]).

pub(crate) mod queue;
pub(crate) mod round;
pub(crate) mod settle;
pub(crate) mod thread;
