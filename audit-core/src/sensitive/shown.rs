//! A value together with what may be shown of it, where no type says so: `plain(…)`, `hash(…)` and `drop(…)` in the
//! attribute.

use serde::Serialize;

use super::{Encoder, Sensitive};

/// Declared plain.
#[derive(Clone, Copy)]
pub struct Plain<'a, T: ?Sized>(pub &'a T);

/// Kept as a keyed hash.
#[derive(Clone, Copy)]
pub struct Hashed<'a, T: ?Sized>(pub &'a T);

/// Dropped.
#[derive(Clone, Copy)]
pub struct Dropped<'a, T: ?Sized>(pub &'a T);

impl<T: Serialize + ?Sized> Sensitive for Plain<'_, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.plain(self.0);
    }
}

impl<T: Serialize + ?Sized> Sensitive for Hashed<'_, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.hashed(self.0);
    }
}

impl<T: ?Sized> Sensitive for Dropped<'_, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}
