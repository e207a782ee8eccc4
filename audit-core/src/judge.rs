//! What a returned value says, chosen by its type at the place where the attribute stands.
//!
//! Method resolution by autoref takes the first of these that fits: a future, which is a mistake; a `Result` around or
//! inside of something else; a plain `Result`, whose error must say what it is; a value with a decision of its own;
//! anything else is data. In a generic function only the bounds in scope count.
//!
//! Generated code calls `(&&&&&Judge(&value)).verdict(call)`. What is called a result is no future: there it calls
//! `(&&&&Judge(&value)).verdict(call)`, with the traits that are left, since each step costs the compiler time.

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;

use crate::decision::{Decide, Deny, Verdict};
use crate::sensitive::Sensitive;

/// Wraps a returned value.
pub struct Judge<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> fmt::Debug for Judge<'_, T> {
    /// Nothing of the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").finish_non_exhaustive()
    }
}

/// A future. It has not run yet, so that nothing is known; this is what does not compile.
pub trait ReturnsFuture<T> {
    /// Never.
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        T: Finished;
}

impl<T: Future> ReturnsFuture<T> for &&&&Judge<'_, T> {
    fn verdict(&self, _: &mut dyn Told) -> Verdict
    where
        T: Finished,
    {
        Verdict::unknown()
    }
}

/// No future has it.
#[diagnostic::on_unimplemented(
    message = "this function returns a future: its record would come before the future has run",
    label = "a future that the attribute does not recognise",
    note = "make it an `async fn`, or write the type out: `Pin<Box<dyn Future<Output = …> + Send + '_>>` or `impl Future<Output = …>`"
)]
pub trait Finished {}

/// A value with a decision of its own.
pub trait ByDecision {
    /// What it says.
    fn verdict(&self, told: &mut dyn Told) -> Verdict;
}

impl<T: Decide + ?Sized> ByDecision for &Judge<'_, T> {
    fn verdict(&self, _: &mut dyn Told) -> Verdict {
        self.0.decide()
    }
}

/// A result whose value has a decision of its own.
pub trait ByResultOfDecision {
    /// What it says.
    fn verdict(&self, told: &mut dyn Told) -> Verdict;
}

impl<T: Decide, E: Deny> ByResultOfDecision for &&&Judge<'_, Result<T, E>> {
    fn verdict(&self, told: &mut dyn Told) -> Verdict {
        match self.0 {
            Ok(value) => value.decide(),
            Err(error) => of_error(error, told),
        }
    }
}

/// A result inside of something else: both errors must say what they are.
pub trait ByNestedResult<E, D> {
    /// What it says.
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        E: Deny,
        D: Deny;
}

impl<T, E, D> ByNestedResult<E, D> for &&&Judge<'_, Result<Result<T, E>, D>> {
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        E: Deny,
        D: Deny,
    {
        match self.0 {
            Ok(inner) => of_result(inner, told),
            Err(error) => of_error(error, told),
        }
    }
}

impl<T, E> ByNestedResult<E, Infallible> for &&&Judge<'_, &Result<T, E>> {
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        E: Deny,
    {
        of_result(self.0, told)
    }
}

impl<T, E> ByNestedResult<E, Infallible> for &&&Judge<'_, Box<Result<T, E>>> {
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        E: Deny,
    {
        of_result(self.0, told)
    }
}

impl<T, E> ByNestedResult<E, Infallible> for &&&Judge<'_, Option<Result<T, E>>> {
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        E: Deny,
    {
        self.0.as_ref().map_or(Verdict::success(), |result| of_result(result, told))
    }
}

fn of_result<T, E: Deny>(result: &Result<T, E>, told: &mut dyn Told) -> Verdict {
    match result {
        Ok(_) => Verdict::success(),
        Err(error) => of_error(error, told),
    }
}

fn of_error<E: Deny>(error: &E, told: &mut dyn Told) -> Verdict {
    if let Some(detail) = error.detail() {
        told.error(detail);
    }
    error.deny()
}

/// Who is told what an error says besides its code.
pub trait Told {
    /// Takes what a record may show of the error.
    fn error(&mut self, detail: &dyn Sensitive);
}

/// A future inside of a result: it has not run either.
pub trait ByResultOfFuture<T> {
    /// Never.
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        T: Finished;
}

impl<T: Future, E> ByResultOfFuture<T> for &&&Judge<'_, Result<T, E>> {
    fn verdict(&self, _: &mut dyn Told) -> Verdict
    where
        T: Finished,
    {
        Verdict::unknown()
    }
}

/// A result. Where nothing classifies its error, this is what does not compile.
pub trait ByResult<E> {
    /// What it says.
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        E: Deny;
}

impl<T, E> ByResult<E> for &&Judge<'_, Result<T, E>> {
    fn verdict(&self, told: &mut dyn Told) -> Verdict
    where
        E: Deny,
    {
        of_result(self.0, told)
    }
}

/// Anything else: data.
pub trait AsData {
    /// Allowed, and a success.
    fn verdict(&self, told: &mut dyn Told) -> Verdict;
}

impl<T: ?Sized> AsData for Judge<'_, T> {
    /// Where the type was a parameter, a result can come here unseen: then nobody knows how the call ended.
    fn verdict(&self, _: &mut dyn Told) -> Verdict {
        if type_name::<T>().starts_with("core::result::Result<") { Verdict::unknown() } else { Verdict::success() }
    }
}

/// What is good of a result: its value.
pub trait OkOfResult<'a, T> {
    /// The value, unless it is an error.
    fn good(&self) -> Option<&'a T>;
}

impl<'a, T, E> OkOfResult<'a, T> for &Judge<'a, Result<T, E>> {
    fn good(&self) -> Option<&'a T> {
        self.0.as_ref().ok()
    }
}

/// What is good of anything else: all of it.
pub trait OkOfData<'a, T: ?Sized> {
    /// The value.
    fn good(&self) -> Option<&'a T>;
}

impl<'a, T: ?Sized> OkOfData<'a, T> for Judge<'a, T> {
    fn good(&self) -> Option<&'a T> {
        Some(self.0)
    }
}

/// Reads the verdict by a closure of the user's: `outcome = |value| …`.
pub fn judged<T: ?Sized, V: IntoVerdict>(value: &T, judge: impl FnOnce(&T) -> V) -> Verdict {
    judge(value).into_verdict()
}

/// What the closure may give.
#[diagnostic::on_unimplemented(
    message = "`outcome` gives a `Verdict`, a `Decision` or an `Outcome`, not `{Self}`",
    label = "this closure gives `{Self}`",
    note = "for example `outcome = |value| if value.is_done() {{ Verdict::success() }} else {{ Verdict::failure(\"not_done\") }}`"
)]
pub trait IntoVerdict {
    /// The verdict.
    fn into_verdict(self) -> Verdict;
}

#[diagnostic::do_not_recommend]
impl<V: Into<Verdict>> IntoVerdict for V {
    fn into_verdict(self) -> Verdict {
        self.into()
    }
}

/// What `errors = …` can be said of.
#[diagnostic::on_unimplemented(
    message = "`errors` needs a `Result`: `{Self}` has no errors",
    label = "not a `Result`",
    note = "say how the call ended from the value: `outcome = |value| …`"
)]
pub trait HasErrors<T> {
    /// The value, unless it is an error.
    fn value(&self) -> Option<&T>;
}

#[diagnostic::do_not_recommend]
impl<T, E> HasErrors<T> for Result<T, E> {
    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Decision;

    struct Error;

    impl Deny for Error {
        fn deny(&self) -> Verdict {
            Verdict::denied("no")
        }
    }

    struct Nobody;

    impl Told for Nobody {
        fn error(&mut self, _: &dyn Sensitive) {}
    }

    macro_rules! verdict {
        ($value:expr) => {
            (&&&&&Judge(&$value)).verdict(&mut Nobody)
        };
    }

    #[test]
    fn the_first_that_fits_decides() {
        assert_eq!(verdict!(Decision::deny("x")), Verdict::denied("x"));
        assert_eq!(verdict!(Ok::<_, Error>(Decision::deny("x"))), Verdict::denied("x"));
        assert_eq!(verdict!(Err::<Decision, _>(Error)), Verdict::denied("no"));
        assert_eq!(verdict!(Err::<u8, _>(Error)), Verdict::denied("no"));
        assert_eq!(verdict!(Ok::<_, Error>(1)), Verdict::success());
        assert_eq!(verdict!(false), Verdict::success());
        assert_eq!(verdict!(None::<u8>), Verdict::success());
        assert_eq!(verdict!(()), Verdict::success());
    }
}
