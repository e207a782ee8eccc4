//! What `audited` itself answers.

use std::fmt;

use thiserror::Error;

use crate::decision::{Deny, Verdict};

/// The answer where a call is not carried out, or where nobody can prove that it was.
///
/// It tells the client nothing: the reason is in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The call was not allowed.
    #[error("denied")]
    Denied,
    /// The record could not be acknowledged.
    #[error("unavailable")]
    Unavailable {
        /// Whether the body had run.
        effect: Effect,
    },
}

impl Refusal {
    /// Whether the same call can be made again without doing its work twice.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable { effect: Effect::NotStarted })
    }
}

/// What a refused call may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing: the body did not run.
    NotStarted,
    /// Its work: the body ran, and its record is in doubt. Never retry on your own.
    MayHaveHappened,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "not started",
            Self::MayHaveHappened => "may have happened",
        })
    }
}

/// What it says of a call that passes on the refusal of another: denied, `forbidden`, or failed, `audit_unavailable`. So a
/// function may simply return `Result<T, Refusal>`.
#[diagnostic::do_not_recommend]
impl Deny for Refusal {
    fn deny(&self) -> Verdict {
        match self {
            Self::Denied => Verdict::denied("forbidden"),
            Self::Unavailable { .. } => Verdict::failure("audit_unavailable"),
        }
    }
}

/// A return type that can carry a [`Refusal`], as `fail_closed` and `require` need it.
///
/// A `Result` can, when its error has `From<Refusal>`; so can an HTTP response, with the feature `http`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a refusal",
    label = "this return type has no way to say that the call was refused",
    note = "a `Result` has, when there is an `impl From<audited::Refusal>` for its error",
    note = "another type has, when there is an `impl audited::Refuse` for it"
)]
pub trait Refuse {
    /// The value that says so.
    fn refuse(refusal: Refusal) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Refusal>> Refuse for Result<T, E> {
    fn refuse(refusal: Refusal) -> Self {
        Err(refusal.into())
    }
}

#[diagnostic::do_not_recommend]
impl Refuse for Refusal {
    fn refuse(refusal: Refusal) -> Self {
        refusal
    }
}
