//! A type without marks looks in a record as it looks in the JSON that users know, to the byte.

#![allow(clippy::struct_field_names, clippy::trivially_copy_pass_by_ref, dead_code)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::marker::PhantomData;
use std::num::NonZeroU8;

use audited::Sensitive;
use serde::{Deserialize, Serialize};

use super::written;

/// Declares types that derive both.
macro_rules! types {
    ($($(#[$meta:meta])* { $($item:tt)* })*) => {
        $(
            #[derive(Serialize, Sensitive)]
            $(#[$meta])*
            $($item)*
        )*
    };
}

/// Compares each value with what `serde_json` writes of it.
macro_rules! same {
    ($($value:expr),* $(,)?) => {
        $(assert_eq!(written(&$value), serde_json::to_string(&$value).unwrap(), "{}", stringify!($value));)*
    };
}

types! {
    { struct Unit; }
    { struct Newtype(u64); }
    { struct NewtypeOfStruct(Named); }
    { struct NewtypeSkipped(#[serde(skip)] u64); }
    { struct NewtypeSkippedIf(#[serde(skip_serializing_if = "Option::is_none")] Option<u64>); }
    { struct Tuple(u8, bool, i64); }
    { struct EmptyTuple(); }
    { struct TupleSkips(u8, #[serde(skip)] u8, #[serde(skip_serializing_if = "Option::is_none")] Option<u8>); }
    #[derive(Clone)] { struct Named { id: u64, on: bool, maybe: Option<i32> } }
    { struct EmptyNamed {} }
    { struct Raw { r#type: u8, r#fn: u8 } }
    { struct Renamed { #[serde(rename = "ID")] id: u8, #[serde(rename(serialize = "out", deserialize = "in"))] way: u8,
        #[serde(rename(deserialize = "x"))] kept: u8 } }
    #[serde(rename_all = "camelCase")] { struct Camel { first_one: u8, #[serde(rename = "as_is")] second_one: u8 } }
    #[serde(rename_all(serialize = "SCREAMING-KEBAB-CASE", deserialize = "lowercase"))] { struct Scream { first_one: u8 } }
    #[serde(rename_all = "PascalCase")] { struct Pascal { first_one: u8, xy_: u8, _z: u8 } }
    #[serde(rename_all = "kebab-case", rename = "other")] { struct Kebab { first_one: u8 } }
    { struct Skips {
        #[serde(skip)] a: u8,
        #[serde(skip_serializing)] b: u8,
        #[serde(skip_serializing_if = "Option::is_none")] c: Option<u8>,
        #[serde(skip_serializing_if = "crate::sensitive::shapes::is_zero", default)] d: u8,
        #[serde(skip_deserializing, alias = "f")] e: u8,
    } }
    { struct AllSkipped { #[serde(skip)] a: u8 } }
    #[serde(transparent)] { struct Transparent { id: u64 } }
    #[serde(transparent)] { struct TransparentPhantom<T> { marker: PhantomData<T>, id: u64, #[serde(skip)] other: u8 } }
    #[serde(tag = "type")] { struct Tagged { id: u8 } }
    #[serde(tag = "type", rename = "renamed")] { struct TaggedRenamed { id: u8 } }

    { enum External { Unit, Newtype(u64), Inner(Named), Tuple(u8, bool), Empty(), Struct { id: u8, on: bool }, Nothing {} } }
    #[serde(rename_all = "snake_case", rename_all_fields = "camelCase")] {
        enum RenamedEnum {
            FirstOne,
            SecondOne { some_field: u8, #[serde(rename = "own")] other_field: u8 },
            #[serde(rename = "3rd")] Third(u8),
            #[serde(rename_all = "UPPERCASE")] Fourth { some_field: u8 },
        }
    }
    { enum VariantSkips { One(#[serde(skip)] u8), Two(u8, #[serde(skip)] u8), Three { #[serde(skip)] a: u8, b: u8 },
        Four { #[serde(skip_serializing_if = "Option::is_none")] a: Option<u8> },
        Five(#[serde(skip_serializing_if = "Option::is_none")] Option<u8>) } }
    #[serde(tag = "kind")] { enum Internal { Unit, Struct { id: u8 }, Nothing {}, #[serde(rename = "n")] Named { id: u8 }, Skipped(#[serde(skip)] u8) } }
    #[serde(tag = "t", content = "c")] { enum Adjacent { Unit, Newtype(u8), Tuple(u8, u8), Struct { id: u8 }, Maybe(Option<u8>), Skipped(#[serde(skip)] u8) } }
    #[serde(untagged)] { enum Untagged { Unit, Newtype(u8), Tuple(u8, u8), Struct { id: u8 }, Inner(Named) } }
    #[serde(tag = "kind")] { enum PartlyUntagged { Struct { id: u8 }, #[serde(untagged)] Other(u64) } }

    { struct Generic<T> { value: T, list: Vec<T>, marker: PhantomData<T> } }
    { struct Bounded<'a, T: Clone, const N: usize> where T: PartialEq { list: [Option<T>; 2], #[serde(skip)] rest: [T; N], text: Cow<'a, [u8]>, by_ref: &'a T } }
    { enum Either<L, R> { Left(L), Right { right: R } } }
    { struct Tree<T> { value: T, children: Vec<Tree<T>> } }
    { struct Chain { next: Option<Box<Chain>>, id: u8 } }
    { struct ByAssociated<I: Iterator> where I::Item: Serialize { first: Option<I::Item>, #[serde(skip)] _rest: PhantomData<I> } }
    { struct Containers {
        map: BTreeMap<u16, Named>, by_flag: BTreeMap<bool, u8>, set: BTreeSet<u8>, deque: VecDeque<Option<u8>>,
        array: [u8; 3], tuple: (u8, bool, (i8,)), boxed: Box<Named>, unit: (), zero: Option<()>,
        never_zero: NonZeroU8, nested: Vec<Vec<Vec<u8>>>, big: u128, small: i128, result: (Unit, Newtype),
    } }
    #[serde(rename_all = "lowercase")] #[derive(PartialEq, Eq, PartialOrd, Ord)] { enum Key { First, Second } }
    { struct ByKey { map: BTreeMap<Key, u8>, ids: BTreeMap<Id, u8> } }
    #[derive(PartialEq, Eq, PartialOrd, Ord)] { struct Id(u64); }
    { struct Plain { #[sensitive(plain)] text: String, #[sensitive(plain)] ratio: f64, #[sensitive(plain)] value: serde_json::Value } }
    { struct PlainWithin(#[sensitive(plain)] String, #[sensitive(plain)] char); }
    #[repr(C, packed)] { struct Packed { a: u8, b: u32 } }
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

fn named() -> Named {
    Named { id: u64::MAX, on: true, maybe: Some(-1) }
}

#[test]
fn structs() {
    same! {
        Unit, Newtype(1), NewtypeOfStruct(named()), NewtypeSkipped(2), NewtypeSkippedIf(None), NewtypeSkippedIf(Some(1)),
        Tuple(1, false, -2), EmptyTuple(), TupleSkips(1, 2, None), TupleSkips(1, 2, Some(3)),
        named(), Named { id: 0, on: false, maybe: None }, EmptyNamed {}, Packed { a: 1, b: 2 },
    }
}

#[test]
fn names() {
    same! {
        Raw { r#type: 1, r#fn: 2 }, Renamed { id: 1, way: 2, kept: 3 }, Camel { first_one: 1, second_one: 2 },
        Scream { first_one: 1 }, Pascal { first_one: 1, xy_: 2, _z: 3 }, Kebab { first_one: 1 },
    }
}

#[test]
fn skips() {
    same! {
        Skips { a: 1, b: 2, c: None, d: 0, e: 5 }, Skips { a: 1, b: 2, c: Some(3), d: 4, e: 5 }, AllSkipped { a: 1 },
        VariantSkips::One(1), VariantSkips::Two(1, 2), VariantSkips::Three { a: 1, b: 2 },
        VariantSkips::Four { a: None }, VariantSkips::Four { a: Some(1) }, VariantSkips::Five(None),
        VariantSkips::Five(Some(1)),
    }
}

#[test]
fn transparent_and_tagged_structs() {
    same! {
        Transparent { id: 1 }, TransparentPhantom::<String> { marker: PhantomData, id: 1, other: 2 }, Tagged { id: 1 },
        TaggedRenamed { id: 1 },
    }
}

#[test]
fn enums_however_they_are_tagged() {
    same! {
        External::Unit, External::Newtype(1), External::Inner(named()), External::Tuple(1, true), External::Empty(),
        External::Struct { id: 1, on: true }, External::Nothing {},
        RenamedEnum::FirstOne, RenamedEnum::SecondOne { some_field: 1, other_field: 2 }, RenamedEnum::Third(3),
        RenamedEnum::Fourth { some_field: 4 },
        Internal::Unit, Internal::Struct { id: 1 }, Internal::Nothing {}, Internal::Named { id: 1 }, Internal::Skipped(1),
        Adjacent::Unit, Adjacent::Newtype(1), Adjacent::Tuple(1, 2), Adjacent::Struct { id: 1 }, Adjacent::Maybe(None),
        Adjacent::Skipped(1),
        Untagged::Unit, Untagged::Newtype(1), Untagged::Tuple(1, 2), Untagged::Struct { id: 1 }, Untagged::Inner(named()),
        PartlyUntagged::Struct { id: 1 }, PartlyUntagged::Other(7),
    }
}

#[test]
fn generics() {
    let tree = Tree { value: 1_u8, children: vec![Tree { value: 2, children: Vec::new() }] };
    same! {
        Generic { value: 1_u8, list: vec![2], marker: PhantomData }, Generic { value: named(), list: vec![], marker: PhantomData },
        Bounded { list: [Some(1_u8), None], rest: [1_u8], text: Cow::Borrowed(&[1, 2]), by_ref: &3 },
        Either::<_, u8>::Left(1_u8), Either::<u8, _>::Right { right: named() }, tree,
        Chain { next: Some(Box::new(Chain { next: None, id: 2 })), id: 1 },
        ByAssociated::<std::vec::IntoIter<u8>> { first: Some(1), _rest: PhantomData },
    }
}

#[test]
fn containers() {
    same! {
        Containers {
            map: BTreeMap::from([(1, named()), (2, named())]),
            by_flag: BTreeMap::from([(true, 1)]),
            set: BTreeSet::from([3, 1]),
            deque: VecDeque::from([None, Some(1)]),
            array: [1, 2, 3],
            tuple: (1, true, (-1,)),
            boxed: Box::new(named()),
            unit: (),
            zero: Some(()),
            never_zero: NonZeroU8::MIN,
            nested: vec![vec![], vec![vec![1], vec![]]],
            big: u128::MAX,
            small: i128::MIN,
            result: (Unit, Newtype(1)),
        },
        ByKey { map: BTreeMap::from([(Key::First, 1), (Key::Second, 2)]), ids: BTreeMap::from([(Id(7), 1)]) },
    }
}

#[test]
fn plain_values_are_written_by_their_own_serializer() {
    same! {
        Plain { text: "a \"quoted\" 東京".into(), ratio: 0.1, value: serde_json::json!({"a": [1, null]}) },
        PlainWithin("x".into(), 'y'),
    }
}

/// A key that is a float, as those of some maps are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Eighth(u8);

impl Serialize for Eighth {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f32(f32::from(self.0) / 10.0)
    }
}

#[derive(Serialize, Sensitive)]
struct PlainKeys<K: Serialize>(#[sensitive(plain)] BTreeMap<K, u8>);

#[test]
fn keys_are_written_as_those_of_serde_json() {
    same! {
        PlainKeys([(u128::MAX, 1), (1, 2)].into()), PlainKeys([(i128::MIN, 1), (-1, 2)].into()),
        PlainKeys([(Eighth(1), 1), (Eighth(10), 2)].into()), PlainKeys([('\t', 1)].into()), PlainKeys([(true, 1)].into()),
        PlainKeys([(Key::Second, 1)].into()), PlainKeys([(Id(7), 1)].into()), PlainKeys([(-7_i8, 1)].into()),
    }
    assert!(serde_json::to_string(&PlainKeys([((1, 2), 1)].into())).is_err());
    let record = super::record_of(&PlainKeys([((1, 2), 1)].into()));
    assert_eq!(
        (record.detail(), &*record.flags()),
        (Some(r#"{"v":"<unencodable>"}"#), &["unencodable".to_owned()][..])
    );
}

#[derive(Deserialize, Serialize, Sensitive)]
#[serde(deny_unknown_fields, default, bound = "")]
struct Ignored {
    #[serde(deserialize_with = "Deserialize::deserialize")]
    id: u8,
}

impl Default for Ignored {
    fn default() -> Self {
        Self { id: 3 }
    }
}

#[test]
fn attributes_that_say_how_to_read_change_nothing() {
    same! { Ignored::default() }
}

#[derive(Sensitive)]
enum PartlySerializable {
    #[allow(dead_code)]
    Open { id: u8 },
}

#[test]
fn serde_is_not_needed() {
    assert_eq!(written(&PartlySerializable::Open { id: 1 }), r#"{"Open":{"id":1}}"#);
}

#[derive(Serialize, Sensitive)]
enum Refused {
    #[serde(skip)]
    #[allow(dead_code)]
    Never { text: String },
}

#[test]
fn a_variant_that_serde_refuses_is_written_as_redacted() {
    assert!(serde_json::to_string(&Refused::Never { text: "x".into() }).is_err());
    assert_eq!(written(&Refused::Never { text: "x".into() }), r#""<redacted>""#);
}
