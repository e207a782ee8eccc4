//! A value together with what may be shown of it, where its type does not say so. None of these has a `Debug`: it would
//! be the value's.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use super::plain::{PlainError, PlainSerializer};
use super::{Encoder, Mode, Redactor, Sensitive};

/// Declared plain: through its own `Serialize`.
#[derive(Clone, Copy)]
pub struct Plain<'a, T: ?Sized>(pub &'a T);

impl<T: Serialize + ?Sized> Sensitive for Plain<'_, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.plain(self.0);
    }
}

/// A text, declared plain.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a str);

impl Sensitive for Text<'_> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.text(self.0);
    }

    fn plain_text(&self) -> Option<&str> {
        Some(self.0)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").finish_non_exhaustive()
    }
}

/// Dropped.
#[derive(Clone, Copy)]
pub struct Dropped<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Sensitive for Dropped<'_, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}

/// As a mode leaves it.
#[derive(Clone, Copy)]
pub struct Shown<'a, T: ?Sized> {
    value: &'a T,
    mode: Mode,
    scope: Option<&'static str>,
}

impl<'a, T: ?Sized> Shown<'a, T> {
    /// Takes a value and its mode.
    pub const fn new(value: &'a T, mode: Mode) -> Self {
        Self { value, mode, scope: None }
    }

    /// Sets what its hash can be compared with.
    #[must_use]
    pub const fn scope(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }
}

impl<T: Serialize + ?Sized> Sensitive for Shown<'_, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.by(self.mode, self.scope, &mut |encoder| encoder.plain(self.value));
    }
}

/// As a [`Redactor`] leaves it.
pub struct Custom<'a, R, T: ?Sized> {
    value: &'a T,
    redactor: PhantomData<fn() -> R>,
}

impl<'a, R, T: ?Sized> Custom<'a, R, T> {
    /// Takes a value.
    pub const fn new(value: &'a T) -> Self {
        Self { value, redactor: PhantomData }
    }
}

impl<R: Redactor<T>, T: ?Sized> Sensitive for Custom<'_, R, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        if !R::REMOTE {
            encoder.note_redacted();
        }
        R::redact(self.value, encoder);
    }
}

/// Declared plain, through a function that serde's attributes name.
#[derive(Clone, Copy)]
pub struct With<F>(pub F);

impl<F: Fn(PlainSerializer<'_, '_>) -> Result<(), PlainError>> Sensitive for With<F> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.serialized(|serializer| self.0(serializer).is_ok());
    }
}

/// Declared plain. A type that is classified keeps to its own marks nevertheless: the method of the type itself goes before
/// that of a trait, where its bounds hold. In a generic function only the bounds in scope count.
///
/// Generated code calls `Declared(&value).choose()`.
#[derive(Clone, Copy)]
pub struct Declared<'a, T: ?Sized>(pub &'a T);

impl<'a, T: Sensitive + ?Sized> Declared<'a, T> {
    /// Takes the type's own writer.
    #[inline]
    pub fn choose(&self) -> &'a T {
        self.0
    }
}

impl<'a> Declared<'a, String> {
    /// Takes the text: what is plain is text more often than not, and needs no serializer.
    #[inline]
    pub fn choose(&self) -> Text<'a> {
        Text(self.0)
    }
}

impl<'a> Declared<'a, &'a str> {
    /// As of a `String`.
    #[inline]
    pub fn choose(&self) -> Text<'a> {
        Text(self.0)
    }
}

/// Any type that is not classified: should it have no `Serialize`, that is what does not compile.
pub trait ViaSerialize<'a, T: ?Sized> {
    /// Takes the type's `Serialize`.
    fn choose(&self) -> Plain<'a, T>
    where
        T: Serialize;
}

impl<'a, T: ?Sized> ViaSerialize<'a, T> for Declared<'a, T> {
    #[inline]
    fn choose(&self) -> Plain<'a, T>
    where
        T: Serialize,
    {
        Plain(self.0)
    }
}

/// What holds a value says nothing of it.
macro_rules! silent {
    ($($name:ident<$($param:tt),*>)*) => {
        $(impl<T: ?Sized> fmt::Debug for $name<$($param),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

silent! { Plain<'_, T> Dropped<'_, T> Shown<'_, T> Declared<'_, T> }

impl<R, T: ?Sized> fmt::Debug for Custom<'_, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for OfError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfError").finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for With<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("With").finish_non_exhaustive()
    }
}

/// What a record may show of an error: the error itself, where its type is classified, otherwise nothing. Generated code
/// calls `(&OfError(self)).detail()`.
#[derive(Clone, Copy)]
pub struct OfError<'a, T>(pub &'a T);

/// A classified error.
pub trait ErrorIsSensitive<'a> {
    /// The error.
    fn detail(&self) -> Option<&'a dyn Sensitive>;
}

impl<'a, T: Sensitive> ErrorIsSensitive<'a> for OfError<'a, T> {
    fn detail(&self) -> Option<&'a dyn Sensitive> {
        Some(self.0)
    }
}

/// Any other error.
pub trait ErrorIsNot<'a> {
    /// Nothing.
    fn detail(&self) -> Option<&'a dyn Sensitive>;
}

impl<'a, T> ErrorIsNot<'a> for &OfError<'a, T> {
    fn detail(&self) -> Option<&'a dyn Sensitive> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let value = "s3cret";
        let shown = Shown::new(value, Mode::Hash);
        let debug = format!("{:?}{:?}{shown:?}{:?}", Plain(value), Dropped(value), Declared(value));
        assert!(!debug.contains(value), "{debug}");
        assert_eq!(format!("{:?}", Declared(&value.to_owned()).choose()), "Text { .. }");
        assert!(!format!("{:?}{:?}", OfError(&value), crate::judge::Returned(value)).contains(value));
    }
}
