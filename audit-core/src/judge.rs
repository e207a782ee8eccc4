//! What a returned value says, chosen by its type at the place where the attribute stands.
//!
//! Method resolution by autoref takes the first of these that fits: a future, which is a mistake; a `Result` around or
//! inside of something else; a plain `Result`, whose error must say what it is; a value with a decision of its own;
//! anything else is data. In a generic function only the bounds in scope count.
//!
//! What is chosen is a function over that type, compiled once for each. Generated code calls `(&&&&&returned_by(&body)).choose()`. What is called a result is no future: there it calls
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

/// What reads the verdict from a value of this type.
pub struct Chosen<T>(fn(&T, &mut dyn Told) -> Verdict);

impl<T> Judging<T> for Chosen<T> {
    fn verdict(&self, value: &T, told: &mut dyn Told) -> Verdict {
        (self.0)(value, told)
    }
}

impl<T> fmt::Debug for Chosen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chosen").finish_non_exhaustive()
    }
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
    fn choose(&self) -> Chosen<T>
    where
        T: Finished;
}

impl<T: Future> ReturnsFuture<T> for &&&&Judge<T> {
    fn choose(&self) -> Chosen<T>
    where
        T: Finished,
    {
        Chosen(|_, _| Verdict::unknown())
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
pub trait ByDecision<T> {
    /// Reads it.
    fn choose(&self) -> Chosen<T>;
}

impl<T: Decide> ByDecision<T> for &Judge<T> {
    fn choose(&self) -> Chosen<T> {
        Chosen(|value, _| value.decide())
    }
}

/// A result whose value has a decision of its own.
pub trait ByResultOfDecision<V> {
    /// Reads both.
    fn choose(&self) -> Chosen<V>;
}

impl<T: Decide, E: Deny> ByResultOfDecision<Result<T, E>> for &&&Judge<Result<T, E>> {
    fn choose(&self) -> Chosen<Result<T, E>> {
        Chosen(|value, told| match value {
            Ok(value) => value.decide(),
            Err(error) => of_error(error, told),
        })
    }
}

/// A result inside of something else: both errors must say what they are.
pub trait ByNestedResult<V, E, D> {
    /// Reads both.
    fn choose(&self) -> Chosen<V>
    where
        E: Deny,
        D: Deny;
}

impl<T, E, D> ByNestedResult<Result<Result<T, E>, D>, E, D> for &&&Judge<Result<Result<T, E>, D>> {
    fn choose(&self) -> Chosen<Result<Result<T, E>, D>>
    where
        E: Deny,
        D: Deny,
    {
        Chosen(|value, told| match value {
            Ok(inner) => of_result(inner, told),
            Err(error) => of_error(error, told),
        })
    }
}

impl<'a, T, E> ByNestedResult<&'a Result<T, E>, E, Infallible> for &&&Judge<&'a Result<T, E>> {
    fn choose(&self) -> Chosen<&'a Result<T, E>>
    where
        E: Deny,
    {
        Chosen(|value, told| of_result(value, told))
    }
}

impl<T, E> ByNestedResult<Box<Result<T, E>>, E, Infallible> for &&&Judge<Box<Result<T, E>>> {
    fn choose(&self) -> Chosen<Box<Result<T, E>>>
    where
        E: Deny,
    {
        Chosen(|value, told| of_result(value, told))
    }
}

impl<T, E> ByNestedResult<Option<Result<T, E>>, E, Infallible> for &&&Judge<Option<Result<T, E>>> {
    fn choose(&self) -> Chosen<Option<Result<T, E>>>
    where
        E: Deny,
    {
        Chosen(|value, told| value.as_ref().map_or(Verdict::success(), |result| of_result(result, told)))
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
pub trait ByResultOfFuture<V, T> {
    /// Never.
    fn choose(&self) -> Chosen<V>
    where
        T: Finished;
}

impl<T: Future, E> ByResultOfFuture<Result<T, E>, T> for &&&Judge<Result<T, E>> {
    fn choose(&self) -> Chosen<Result<T, E>>
    where
        T: Finished,
    {
        Chosen(|_, _| Verdict::unknown())
    }
}

/// A result. Where nothing classifies its error, this is what does not compile.
pub trait ByResult<V, E> {
    /// Reads it.
    fn choose(&self) -> Chosen<V>
    where
        E: Deny;
}

impl<T, E> ByResult<Result<T, E>, E> for &&Judge<Result<T, E>> {
    fn choose(&self) -> Chosen<Result<T, E>>
    where
        E: Deny,
    {
        Chosen(of_result)
    }
}

/// Anything else: data.
pub trait AsData<T> {
    /// Allowed, and a success.
    fn choose(&self) -> Chosen<T>;
}

impl<T> AsData<T> for Judge<T> {
    /// Where the type was a parameter, a result can come here unseen: then nobody knows how the call ended.
    fn choose(&self) -> Chosen<T> {
        let unseen = type_name::<T>().starts_with("core::result::Result<");
        if unseen { Chosen(|_, _| Verdict::unknown()) } else { Chosen(|_, _| Verdict::success()) }
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
