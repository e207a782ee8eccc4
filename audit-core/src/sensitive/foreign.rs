//! What is classified without a derive.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::marker::PhantomData;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroU128, NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use super::{Encoder, Sensitive};
use crate::identity::{ActorId, Identity, ResourceId, SessionId, SubjectId, TenantId};
use crate::{Action, Code, RecordId, Timestamp};

macro_rules! integers {
    ($($int:ty)*) => {
        $(impl Sensitive for $int {
            #[inline]
            fn write(&self, encoder: &mut Encoder<'_>) {
                encoder.integer(*self);
            }
        })*
    };
}

integers! { u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 }

macro_rules! through {
    ($($int:ty => $get:expr;)*) => {
        $(impl Sensitive for $int {
            fn write(&self, encoder: &mut Encoder<'_>) {
                let get: fn($int) -> _ = $get;
                get(*self).write(encoder);
            }
        })*
    };
}

through! {
    usize => |int| int as u64;
    isize => |int| int as i64;
    NonZeroU8 => NonZeroU8::get;
    NonZeroU16 => NonZeroU16::get;
    NonZeroU32 => NonZeroU32::get;
    NonZeroU64 => NonZeroU64::get;
    NonZeroU128 => NonZeroU128::get;
    NonZeroUsize => NonZeroUsize::get;
    NonZeroI8 => NonZeroI8::get;
    NonZeroI16 => NonZeroI16::get;
    NonZeroI32 => NonZeroI32::get;
    NonZeroI64 => NonZeroI64::get;
    NonZeroI128 => NonZeroI128::get;
    NonZeroIsize => NonZeroIsize::get;
}

impl Sensitive for bool {
    #[inline]
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.bool(*self);
    }
}

impl Sensitive for () {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.null();
    }
}

impl<T: ?Sized> Sensitive for PhantomData<T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.null();
    }
}

macro_rules! displayed {
    ($($ty:ty)*) => {
        $(impl Sensitive for $ty {
            fn write(&self, encoder: &mut Encoder<'_>) {
                encoder.name(&self.to_string());
            }
        })*
    };
}

displayed! { Uuid RecordId Timestamp Action Code jiff::Timestamp }

macro_rules! identities {
    ($($ty:ident)*) => {
        $(impl Sensitive for $ty {
            fn write(&self, encoder: &mut Encoder<'_>) {
                self.0.write(encoder);
            }
        })*
    };
}

identities! { ActorId SubjectId ResourceId TenantId SessionId }

impl Sensitive for Identity {
    fn write(&self, encoder: &mut Encoder<'_>) {
        match self.shown() {
            Some(text) => encoder.name(text),
            None => encoder.hashed(self.secret()),
        }
    }
}

macro_rules! pointers {
    ($($ty:ty)*) => {
        $(impl<T: Sensitive + ?Sized> Sensitive for $ty {
            fn write(&self, encoder: &mut Encoder<'_>) {
                (**self).write(encoder);
            }

            fn plain_text(&self) -> Option<&str> {
                (**self).plain_text()
            }
        })*
    };
}

pointers! { &T &mut T Box<T> Rc<T> Arc<T> }

impl<T: Sensitive + ToOwned + ?Sized> Sensitive for Cow<'_, T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        (**self).write(encoder);
    }
}

impl<T: Sensitive> Sensitive for Option<T> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        match self {
            Some(value) => value.write(encoder),
            None => encoder.null(),
        }
    }
}

fn sequence<'a, T: Sensitive + 'a>(items: impl IntoIterator<Item = &'a T>, encoder: &mut Encoder<'_>) {
    encoder.array(|array| items.into_iter().for_each(|item| array.value(item)));
}

impl<T: Sensitive> Sensitive for [T] {
    fn write(&self, encoder: &mut Encoder<'_>) {
        sequence(self, encoder);
    }
}

impl<T: Sensitive, const N: usize> Sensitive for [T; N] {
    fn write(&self, encoder: &mut Encoder<'_>) {
        sequence(self, encoder);
    }
}

macro_rules! sequences {
    ($($ty:ty)*) => {
        $(impl<T: Sensitive> Sensitive for $ty {
            fn write(&self, encoder: &mut Encoder<'_>) {
                sequence(self, encoder);
            }
        })*
    };
}

sequences! { Vec<T> VecDeque<T> BTreeSet<T> }

impl<T: Sensitive, S> Sensitive for HashSet<T, S> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        sequence(self, encoder);
    }
}

/// Writes a map; a key that is no string in JSON becomes one, as `serde_json` does it. Keys of which redaction leaves
/// the same are numbered, so that no entry hides another.
fn map<'a, K: Sensitive + 'a, V: Sensitive + 'a>(
    entries: impl IntoIterator<Item = (&'a K, &'a V)>,
    encoder: &mut Encoder<'_>,
) {
    let Some(frame) = encoder.open_frame('{', '}') else { return };
    for (key, value) in entries {
        let (mut text, redacted) =
            Encoder::text_of(encoder.redaction, key).unwrap_or_else(|| ("null".to_owned(), false));
        if redacted && !text.starts_with("hash:") {
            text = format!("{text} {}", encoder.entry() + 1);
        }
        let mut write = |encoder: &mut Encoder<'_>| value.write(encoder);
        if encoder.is_root(&frame) {
            encoder.field(&text, None, None, true, &mut write);
            if redacted {
                encoder.note_redacted();
            }
            continue;
        }
        let policy = if redacted || encoder.is_bare() { None } else { encoder.redaction.of_key(&text) };
        encoder.push_free_key(&text);
        if redacted {
            encoder.note_redacted();
        }
        encoder.one_value_by(policy, None, &mut write);
    }
    encoder.close_frame(&frame);
}

impl<K: Sensitive, V: Sensitive> Sensitive for BTreeMap<K, V> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        map(self, encoder);
    }
}

impl<K: Sensitive, V: Sensitive, S> Sensitive for HashMap<K, V, S> {
    fn write(&self, encoder: &mut Encoder<'_>) {
        map(self, encoder);
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {
        $(impl<$($name: Sensitive),+> Sensitive for ($($name,)+) {
            #[allow(non_snake_case)]
            fn write(&self, encoder: &mut Encoder<'_>) {
                let ($($name,)+) = self;
                encoder.array(|array| { $(array.value($name);)+ });
            }
        })*
    };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
