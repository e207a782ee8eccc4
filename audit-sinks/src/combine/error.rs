//! What is no combination.

use audit_core::__private::debug_as_display;
use thiserror::Error;

/// Why a [`FanOut`](super::FanOut) cannot be built.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FanOutError {
    /// It has no sinks.
    #[error(
        "a fan-out without sinks keeps nothing: name one with `required(…)`, or more with `all`, `any` or `quorum`"
    )]
    NoMembers,
    /// A list of sinks is empty.
    #[error("`{group}([])` asks for nothing: leave it out, or list its sinks")]
    Empty {
        /// What the list is of.
        group: &'static str,
    },
    /// A quorum that is no quorum.
    #[error("`quorum({needed}, […])` of {members} sinks can never hold or always does: ask for 1 to {members} of them")]
    Quorum {
        /// How many were asked for.
        needed: usize,
        /// How many there are.
        members: usize,
    },
}

debug_as_display!(FanOutError);
