//! Whether it was allowed, and how it ended.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use crate::sensitive::Sensitive;

/// The most characters of a code that are kept.
pub const MAX_CODE_CHARS: usize = 128;

/// A stable, plain code: why something was denied, how it failed.
///
/// It comes from a literal or an enum, so that nothing a client sent can become one by accident; what is known
/// only at run time goes through [`Code::custom`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// Takes a literal.
    pub const fn new(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// Takes a code known only at run time, cut at [`MAX_CODE_CHARS`] characters.
    ///
    /// It is written as it is: never pass the text of an error or anything that a client sent.
    pub fn custom(code: impl AsRef<str>) -> Self {
        Self(Cow::Owned(code.as_ref().chars().take(MAX_CODE_CHARS).collect()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Code {
    fn from(code: &'static str) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether it was allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It was.
    Allow,
    /// It was not.
    Deny {
        /// Why, for the record alone; an answer never tells.
        reason: Code,
    },
}

impl Decision {
    /// Denies for a reason.
    pub fn deny(reason: impl Into<Code>) -> Self {
        Self::Deny { reason: reason.into() }
    }
}

/// How it ended; separate from the decision, since an allowed call can fail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It did what it was asked.
    Success,
    /// It did not.
    Failure {
        /// How, as a stable code.
        code: Code,
    },
    /// Nobody can tell: it was cancelled, or the process died.
    Unknown,
}

impl Outcome {
    /// Fails with a code.
    pub fn failure(code: impl Into<Code>) -> Self {
        Self::Failure { code: code.into() }
    }
}

/// What a returned value says about its call: the decision and the outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    pub(crate) decision: Decision,
    pub(crate) outcome: Outcome,
}

impl Verdict {
    /// Allowed, and it did what it was asked.
    pub const fn success() -> Self {
        Self { decision: Decision::Allow, outcome: Outcome::Success }
    }

    /// Allowed, but it failed.
    pub fn failure(code: impl Into<Code>) -> Self {
        Self { decision: Decision::Allow, outcome: Outcome::failure(code) }
    }

    /// Denied; the outcome is a failure with the reason as its code.
    pub fn denied(reason: impl Into<Code>) -> Self {
        let reason = reason.into();
        Self { decision: Decision::Deny { reason: reason.clone() }, outcome: Outcome::Failure { code: reason } }
    }

    /// Allowed, and nobody can tell how it ended.
    pub const fn unknown() -> Self {
        Self { decision: Decision::Allow, outcome: Outcome::Unknown }
    }

    /// Whether it was allowed.
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// How it ended.
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl From<Decision> for Verdict {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::success(),
            Decision::Deny { reason } => Self::denied(reason),
        }
    }
}

impl From<Outcome> for Verdict {
    /// Allowed, and ended so.
    fn from(outcome: Outcome) -> Self {
        Self { decision: Decision::Allow, outcome }
    }
}

/// A returned value that carries a decision of its own: an HTTP response, a [`Decision`], a type of yours.
///
/// Values without it are data: allowed, and a success.
pub trait Decide {
    /// What this value says about the call that returned it.
    fn decide(&self) -> Verdict;
}

impl Decide for Decision {
    fn decide(&self) -> Verdict {
        self.clone().into()
    }
}

impl Decide for Verdict {
    fn decide(&self) -> Verdict {
        self.clone()
    }
}

impl<T: Decide + ?Sized> Decide for &T {
    fn decide(&self) -> Verdict {
        (**self).decide()
    }
}

impl<T: Decide + ?Sized> Decide for Box<T> {
    fn decide(&self) -> Verdict {
        (**self).decide()
    }
}

/// What is not there decides nothing: allowed, and a success.
impl<T: Decide> Decide for Option<T> {
    fn decide(&self) -> Verdict {
        self.as_ref().map_or(Verdict::success(), Decide::decide)
    }
}

/// An error that says which of its values are denials, with what reason, and which are failures, with what code.
///
/// Usually derived:
///
/// ```
/// # use audit_core as audited;
/// use audited::{Deny, Verdict};
///
/// enum TransferError { MissingScope, Ledger }
///
/// impl Deny for TransferError {
///     fn deny(&self) -> Verdict {
///         match self {
///             Self::MissingScope => Verdict::denied("missing_scope"),
///             Self::Ledger => Verdict::failure("ledger_unavailable"),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing says which values of `{Self}` are denials and which are failures",
    label = "this error is not classified",
    note = "derive it: `#[derive(Deny)]` on the error, with `#[denied]` or `#[failed]` on each variant",
    note = "or at the attribute, for every error alike: `errors = failure(\"code\")`",
    note = "or at the attribute, from the value: `outcome = |result| …` giving a `Verdict`"
)]
pub trait Deny {
    /// What this error says about the call that it ended.
    fn deny(&self) -> Verdict;

    /// What a record may show of this error besides its code, under the key `error` of the detail. Never what `Display`
    /// says: nobody has classified that.
    ///
    /// By default nothing; derived, the error itself where its type is [`Sensitive`].
    fn detail(&self) -> Option<&dyn Sensitive> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl Deny for Infallible {
    fn deny(&self) -> Verdict {
        match *self {}
    }
}

#[diagnostic::do_not_recommend]
impl<E: Deny + ?Sized> Deny for Box<E> {
    fn deny(&self) -> Verdict {
        (**self).deny()
    }

    fn detail(&self) -> Option<&dyn Sensitive> {
        (**self).detail()
    }
}

#[diagnostic::do_not_recommend]
impl<E: Deny + ?Sized> Deny for &E {
    fn deny(&self) -> Verdict {
        (**self).deny()
    }

    fn detail(&self) -> Option<&dyn Sensitive> {
        (**self).detail()
    }
}

/// What `require = …` of the attribute takes: a guard that lets a call pass or denies it.
///
/// A `bool` (`false` denies, with the reason `forbidden`), a [`Decision`], a [`Verdict`], or a `Result` of one of them
/// or of `()`. An error denies whatever it is: with its reason, or with its code where it says that it is a failure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether the call may pass",
    label = "not a guard",
    note = "`require = …` takes a `bool`, a `Decision`, a `Verdict`, or a `Result` of these or of `()` whose error implements `Deny`"
)]
pub trait Guard {
    /// Lets the call pass, or says why not.
    ///
    /// # Errors
    ///
    /// The reason of the denial.
    fn guard(self) -> Result<(), Code>;
}

impl Guard for () {
    fn guard(self) -> Result<(), Code> {
        Ok(())
    }
}

impl Guard for bool {
    fn guard(self) -> Result<(), Code> {
        if self { Ok(()) } else { Err(Code::new("forbidden")) }
    }
}

impl Guard for Decision {
    fn guard(self) -> Result<(), Code> {
        match self {
            Self::Allow => Ok(()),
            Self::Deny { reason } => Err(reason),
        }
    }
}

impl Guard for Verdict {
    fn guard(self) -> Result<(), Code> {
        match (self.decision, self.outcome) {
            (Decision::Deny { reason }, _) => Err(reason),
            (Decision::Allow, Outcome::Success) => Ok(()),
            (Decision::Allow, Outcome::Failure { code }) => Err(code),
            (Decision::Allow, Outcome::Unknown) => Err(Code::new("unknown")),
        }
    }
}

impl<G: Guard, E: Deny> Guard for Result<G, E> {
    fn guard(self) -> Result<(), Code> {
        match self {
            Ok(guard) => guard.guard(),
            Err(error) => match error.deny() {
                // An error that claims success has not let anybody pass.
                verdict if verdict == Verdict::success() => Err(Code::new("unknown")),
                verdict => verdict.guard(),
            },
        }
    }
}
