//! What is known without a derive.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::marker::PhantomData;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroU128, NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use uuid::Uuid;

use super::SensitiveSchema;
use crate::identity::{ActorId, ResourceId, SessionId, SubjectId, TenantId};
use crate::{Action, Code, RecordId, Timestamp};

macro_rules! known {
    ($([$($generics:tt)*] $ty:ty => $recorded:ty;)*) => {
        $(impl<$($generics)*> SensitiveSchema for $ty {
            type Recorded = $recorded;
        })*
    };
}

macro_rules! themselves {
    ($($ty:ty)*) => {
        known! { $([] $ty => $ty;)* }
    };
}

themselves! { () bool u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize }
themselves! { NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128 NonZeroUsize }
themselves! { NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128 NonZeroIsize }

known! {
    [] Uuid => UuidText;
    [] RecordId => UuidText;
    [] Timestamp => TimeText;
    [] jiff::Timestamp => TimeText;
    [] Action => String;
    [] Code => String;
    [] ActorId => String;
    [] SubjectId => String;
    [] ResourceId => String;
    [] TenantId => String;
    [] SessionId => String;
    [T: ?Sized] PhantomData<T> => ();
    [T: SensitiveSchema + ?Sized] &T => T::Recorded;
    [T: SensitiveSchema + ?Sized] &mut T => T::Recorded;
    [T: SensitiveSchema + ?Sized] Box<T> => T::Recorded;
    [T: SensitiveSchema + ?Sized] Rc<T> => T::Recorded;
    [T: SensitiveSchema + ?Sized] Arc<T> => T::Recorded;
    [T: SensitiveSchema + ToOwned + ?Sized] Cow<'_, T> => T::Recorded;
    [T: SensitiveSchema] Option<T> => Option<T::Recorded>;
    [T: SensitiveSchema] [T] => Vec<T::Recorded>;
    [T: SensitiveSchema, const N: usize] [T; N] => Vec<T::Recorded>;
    [T: SensitiveSchema] Vec<T> => Vec<T::Recorded>;
    [T: SensitiveSchema] VecDeque<T> => Vec<T::Recorded>;
    // Of items that differ a record may show the same.
    [T: SensitiveSchema] BTreeSet<T> => Vec<T::Recorded>;
    [T: SensitiveSchema, S] HashSet<T, S> => Vec<T::Recorded>;
    // Of a key a record may show a part, with a number behind it.
    [K, V: SensitiveSchema] BTreeMap<K, V> => BTreeMap<String, V::Recorded>;
    [K, V: SensitiveSchema, S] HashMap<K, V, S> => BTreeMap<String, V::Recorded>;
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {
        known! { $([$($name: SensitiveSchema),+] ($($name,)+) => ($($name::Recorded,)+);)* }
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

/// The text of a UUID.
#[derive(Debug)]
pub struct UuidText;

/// The text of a time.
#[derive(Debug)]
pub struct TimeText;

macro_rules! texts {
    ($($ty:ident: $format:literal;)*) => {
        $(impl JsonSchema for $ty {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $format.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format })
            }
        })*
    };
}

texts! { UuidText: "uuid"; TimeText: "date-time"; }
