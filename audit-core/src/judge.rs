//! What a returned value says, chosen by its type at the place where the attribute stands.
//!
//! Method resolution by autoref takes the first of these that fits: a future, which is a mistake; a `Result` around or
//! inside of something else; a plain `Result`, whose error must say what it is; a value with a decision of its own;
//! anything else is data. In a generic function only the bounds in scope count.
//!
//! What is chosen is a [`Judging`] of its own type, not of the function's, so that it is compiled once for each type of
//! values. Generated code calls `(&&&&&returned_by(&body)).choose()`. What is called a result is no future: there it calls
//! `(&&&&returned_by(&body)).choose()`, with the traits that are left, since each step costs the compiler time.

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use crate::decision::{Decide, Deny, Verdict};
use crate::refusal::Refusal;
use crate::sensitive::Sensitive;

/// Reads the verdict from a returned value of this type, and makes one of a refusal.
pub trait Judging<T> {
    /// What the value says.
    fn verdict(&self, value: &T, told: &mut dyn Told) -> Verdict;

    /// What the caller gets instead, where the call can be refused.
    fn refuse(&self, _: Refusal) -> T {
        unreachable!("only a `fail_closed` call, or one with a guard, is refused")
    }
}

/// Who is told more of a value than its verdict.
pub trait Told {
    /// Takes what a record may show of the error.
    fn error(&mut self, detail: &dyn Sensitive);

    /// Takes fields of the detail, with their keys in one text, and commas between them.
    fn fields(&mut self, keys: &str, values: &[&dyn Sensitive]);

    /// Takes a field of the detail.
    fn field(&mut self, key: &str, value: &dyn Sensitive) {
        self.fields(key, &[value]);
    }
}

/// The type of a returned value.
pub struct Judge<T>(PhantomData<fn(T)>);

impl<T> fmt::Debug for Judge<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").finish_non_exhaustive()
    }
}

/// The type that a future ends with.
pub const fn returned_by<F: Future>(_: &F) -> Judge<F::Output> {
    Judge(PhantomData)
}

/// The type of a value.
pub const fn type_of<T>(_: &T) -> Judge<T> {
    Judge(PhantomData)
}

/// Reads the verdict by a closure.
#[derive(Clone, Copy)]
pub struct By<C>(C);

/// Reads what a future ends with by a closure.
pub const fn by<F: Future, C: Fn(&F::Output, &mut dyn Told) -> Verdict>(_: &F, closure: C) -> By<C> {
    By(closure)
}

impl<T, C: Fn(&T, &mut dyn Told) -> Verdict> Judging<T> for By<C> {
    fn verdict(&self, value: &T, told: &mut dyn Told) -> Verdict {
        (self.0)(value, told)
    }
}

/// With a closure that makes a value of a refusal.
#[derive(Clone, Copy)]
pub struct Refusing<J, R>(pub J, pub R);

impl<T, J: Judging<T>, R: Fn(Refusal) -> T> Judging<T> for Refusing<J, R> {
    fn verdict(&self, value: &T, told: &mut dyn Told) -> Verdict {
        self.0.verdict(value, told)
    }

    fn refuse(&self, refusal: Refusal) -> T {
        (self.1)(refusal)
    }
}

impl<C> fmt::Debug for By<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("By").finish_non_exhaustive()
    }
}

impl<J, R> fmt::Debug for Refusing<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusing").finish_non_exhaustive()
    }
}

/// A future. It has not run yet, so that nothing is known; this is what does not compile.
pub trait ReturnsFuture<T> {
    /// Never.
    fn choose(&self) -> Data
    where
        T: Finished;
}

impl<T: Future> ReturnsFuture<T> for &&&&Judge<T> {
    fn choose(&self) -> Data
    where
        T: Finished,
    {
        Data
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
    /// Reads it.
    fn choose(&self) -> Decided;
}

impl<T: Decide> ByDecision for &Judge<T> {
    fn choose(&self) -> Decided {
        Decided
    }
}

/// Reads a value's own decision.
#[derive(Clone, Copy, Debug)]
pub struct Decided;

impl<T: Decide> Judging<T> for Decided {
    fn verdict(&self, value: &T, _: &mut dyn Told) -> Verdict {
        value.decide()
    }
}

/// A result whose value has a decision of its own.
pub trait ByResultOfDecision {
    /// Reads both.
    fn choose(&self) -> ResultOfDecided;
}

impl<T: Decide, E: Deny> ByResultOfDecision for &&&Judge<Result<T, E>> {
    fn choose(&self) -> ResultOfDecided {
        ResultOfDecided
    }
}

/// Reads a value's own decision, or the error.
#[derive(Clone, Copy, Debug)]
pub struct ResultOfDecided;

impl<T: Decide, E: Deny> Judging<Result<T, E>> for ResultOfDecided {
    fn verdict(&self, value: &Result<T, E>, told: &mut dyn Told) -> Verdict {
        match value {
            Ok(value) => value.decide(),
            Err(error) => of_error(error, told),
        }
    }
}

/// A result inside of something else: both errors must say what they are.
pub trait ByNestedResult<E, D> {
    /// Reads both.
    fn choose(&self) -> Nested
    where
        E: Deny,
        D: Deny;
}

/// Reads the error of a result inside of something else.
#[derive(Clone, Copy, Debug)]
pub struct Nested;

impl<T, E, D> ByNestedResult<E, D> for &&&Judge<Result<Result<T, E>, D>> {
    fn choose(&self) -> Nested
    where
        E: Deny,
        D: Deny,
    {
        Nested
    }
}

impl<T, E> ByNestedResult<E, Infallible> for &&&Judge<&Result<T, E>> {
    fn choose(&self) -> Nested
    where
        E: Deny,
    {
        Nested
    }
}

impl<T, E> ByNestedResult<E, Infallible> for &&&Judge<Box<Result<T, E>>> {
    fn choose(&self) -> Nested
    where
        E: Deny,
    {
        Nested
    }
}

impl<T, E> ByNestedResult<E, Infallible> for &&&Judge<Option<Result<T, E>>> {
    fn choose(&self) -> Nested
    where
        E: Deny,
    {
        Nested
    }
}

impl<T, E: Deny, D: Deny> Judging<Result<Result<T, E>, D>> for Nested {
    fn verdict(&self, value: &Result<Result<T, E>, D>, told: &mut dyn Told) -> Verdict {
        match value {
            Ok(inner) => of_result(inner, told),
            Err(error) => of_error(error, told),
        }
    }
}

impl<T, E: Deny> Judging<&Result<T, E>> for Nested {
    fn verdict(&self, value: &&Result<T, E>, told: &mut dyn Told) -> Verdict {
        of_result(value, told)
    }
}

impl<T, E: Deny> Judging<Box<Result<T, E>>> for Nested {
    fn verdict(&self, value: &Box<Result<T, E>>, told: &mut dyn Told) -> Verdict {
        of_result(value, told)
    }
}

impl<T, E: Deny> Judging<Option<Result<T, E>>> for Nested {
    fn verdict(&self, value: &Option<Result<T, E>>, told: &mut dyn Told) -> Verdict {
        value.as_ref().map_or(Verdict::success(), |result| of_result(result, told))
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

/// A future inside of a result: it has not run either.
pub trait ByResultOfFuture<T> {
    /// Never.
    fn choose(&self) -> Data
    where
        T: Finished;
}

impl<T: Future, E> ByResultOfFuture<T> for &&&Judge<Result<T, E>> {
    fn choose(&self) -> Data
    where
        T: Finished,
    {
        Data
    }
}

/// A result. Where nothing classifies its error, this is what does not compile.
pub trait ByResult<E> {
    /// Reads it.
    fn choose(&self) -> OfResult
    where
        E: Deny;
}

impl<T, E> ByResult<E> for &&Judge<Result<T, E>> {
    fn choose(&self) -> OfResult
    where
        E: Deny,
    {
        OfResult
    }
}

/// Reads the error of a result.
#[derive(Clone, Copy, Debug)]
pub struct OfResult;

impl<T, E: Deny> Judging<Result<T, E>> for OfResult {
    fn verdict(&self, value: &Result<T, E>, told: &mut dyn Told) -> Verdict {
        of_result(value, told)
    }
}

/// Anything else: data.
pub trait AsData {
    /// Allowed, and a success.
    fn choose(&self) -> Data;
}

impl<T> AsData for Judge<T> {
    fn choose(&self) -> Data {
        Data
    }
}

/// Takes the value for data.
#[derive(Clone, Copy, Debug)]
pub struct Data;

impl<T> Judging<T> for Data {
    /// Where the type was a parameter, a result can come here unseen: then nobody knows how the call ended.
    fn verdict(&self, _: &T, _: &mut dyn Told) -> Verdict {
        if type_name::<T>().starts_with("core::result::Result<") { Verdict::unknown() } else { Verdict::success() }
    }
}

/// A returned value, of which what is good is captured.
pub struct Returned<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> fmt::Debug for Returned<'_, T> {
    /// Nothing of the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").finish_non_exhaustive()
    }
}

/// What is good of a result: its value.
pub trait OkOfResult<'a, T> {
    /// The value, unless it is an error.
    fn good(&self) -> Option<&'a T>;
}

impl<'a, T, E> OkOfResult<'a, T> for &Returned<'a, Result<T, E>> {
    fn good(&self) -> Option<&'a T> {
        self.0.as_ref().ok()
    }
}

/// What is good of anything else: all of it.
pub trait OkOfData<'a, T: ?Sized> {
    /// The value.
    fn good(&self) -> Option<&'a T>;
}

impl<'a, T: ?Sized> OkOfData<'a, T> for Returned<'a, T> {
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
        fn fields(&mut self, _: &str, _: &[&dyn Sensitive]) {}
    }

    macro_rules! verdict {
        ($value:expr) => {
            (&&&&&type_of(&$value)).choose().verdict(&$value, &mut Nobody)
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
