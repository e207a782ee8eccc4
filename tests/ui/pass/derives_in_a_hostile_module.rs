//! What the derives generate takes nothing for granted: no prelude, no name, no lint level.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]
#![no_implicit_prelude]

extern crate audited as real;

use real::{AuditEvent, Deny, Sensitive};

/// Stands in the way.
#[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
pub mod shadows {
    pub struct Option;
    pub struct Result;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct String;
    pub struct str;
    pub struct u64;
    pub trait Clone {}
    pub trait Copy {}
    pub trait Debug {}
    pub trait Serialize {}
    pub trait Encoder {}
    pub mod core {}
    pub mod std {}
    pub mod audited {}
    pub mod serde {}
    pub mod inventory {}
}
#[allow(unused_imports)]
use shadows::*;

/// A struct of every mark.
#[derive(Sensitive)]
pub struct Named<T> {
    id: ::core::primitive::u64,
    generic: T,
    #[sensitive]
    password: ::std::string::String,
    #[sensitive(hash)]
    device: ::std::string::String,
    #[sensitive(plain)]
    currency: ::std::string::String,
    #[sensitive(plain, reason = "a number of things")]
    token_count: ::core::primitive::u64,
}

/// Shown through a type that nobody else sees.
#[derive(Sensitive)]
pub struct Outer<T> {
    inner: Inner<T>,
    boxed: ::std::boxed::Box<Inner<T>>,
}

#[derive(Sensitive)]
struct Inner<T> {
    value: T,
}

/// A unit.
#[derive(Sensitive)]
pub struct Unit;

/// A tuple.
#[derive(Sensitive)]
pub struct Tuple(::core::primitive::u64, #[sensitive] ::std::string::String);

/// A newtype.
#[derive(Sensitive)]
pub struct Newtype(#[sensitive] ::std::string::String);

/// Nothing at all.
#[derive(Sensitive)]
pub enum Never {}

/// An enum of every kind of variant.
#[derive(Sensitive)]
pub enum Shapes {
    /// Nothing.
    Unit,
    /// One.
    Newtype(#[sensitive] ::std::string::String),
    /// Two.
    Tuple(::core::primitive::u64, #[sensitive] ::std::string::String),
    /// Named.
    Named {
        /// Shown.
        id: ::core::primitive::u64,
        /// Not shown.
        #[sensitive]
        memo: ::std::string::String,
    },
    /// Long gone.
    #[deprecated]
    Old {
        /// Not shown.
        #[sensitive]
        memo: ::std::string::String,
    },
}

/// Of every mode.
#[derive(Sensitive)]
#[sensitive(class = "pii", debug)]
pub struct Modes<T, const N: ::core::primitive::usize> {
    #[sensitive(mask(first = 1, last = 2))]
    mask: ::std::string::String,
    #[sensitive(truncate(3))]
    truncate: ::std::vec::Vec<T>,
    #[sensitive(hash(scope = "device"), class = "device")]
    hash: T,
    #[sensitive(len)]
    len: ::std::string::String,
    #[sensitive(present)]
    present: ::core::option::Option<T>,
    #[sensitive(with = Redacts<N>)]
    with: T,
    #[sensitive(plain)]
    plain: T,
}

/// Redacts.
#[derive(::core::fmt::Debug)]
pub struct Redacts<const N: ::core::primitive::usize>;

impl<T, const N: ::core::primitive::usize> real::Redactor<T> for Redacts<N> {
    fn redact(_: &T, encoder: &mut real::Encoder<'_>) {
        encoder.redacted();
    }
}

/// Of every shape of serde's.
#[derive(::serde::Serialize, Sensitive)]
#[sensitive(debug)]
pub struct Serde {
    #[serde(flatten)]
    flat: Flat,
    #[sensitive(plain)]
    #[serde(flatten)]
    plain: Flat,
    #[sensitive]
    #[serde(flatten)]
    dropped: Flat,
    #[sensitive(plain)]
    #[serde(serialize_with = "functions::serialize", skip_serializing_if = "functions::never")]
    function: ::core::primitive::u64,
    #[sensitive(hash)]
    #[serde(with = "functions")]
    hashed: ::core::primitive::u64,
    #[sensitive(with = ForeignDef)]
    #[serde(with = "ForeignDef")]
    foreign: foreign::Foreign,
    #[sensitive(with = ForeignDef)]
    #[serde(with = "ForeignDef", flatten)]
    flat_foreign: foreign::Foreign,
    converted: Converted,
    tagged: Tagged,
}

#[derive(::serde::Serialize, Sensitive)]
struct Flat {
    id: ::core::primitive::u64,
}

/// Written as another type.
#[derive(::core::clone::Clone, ::serde::Serialize, Sensitive)]
#[serde(into = "::core::primitive::u64")]
struct Converted {
    id: ::core::primitive::u64,
}

impl ::core::convert::From<Converted> for ::core::primitive::u64 {
    fn from(converted: Converted) -> Self {
        converted.id
    }
}

#[derive(::serde::Serialize, Sensitive)]
#[serde(tag = "type")]
enum Tagged {
    Flat(Flat),
}

mod functions {
    pub(super) fn serialize<S: ::serde::Serializer>(
        _: &::core::primitive::u64,
        serializer: S,
    ) -> ::core::result::Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }

    pub(super) fn never(_: &::core::primitive::u64) -> ::core::primitive::bool {
        false
    }
}

mod foreign {
    pub(super) struct Foreign(::core::primitive::u64);

    impl Foreign {
        pub(super) const fn new(id: ::core::primitive::u64) -> Self {
            Self(id)
        }

        pub(super) fn id(&self) -> ::core::primitive::u64 {
            self.0
        }
    }
}

#[derive(::serde::Serialize, Sensitive)]
#[serde(remote = "foreign::Foreign")]
struct ForeignDef {
    #[sensitive(plain)]
    #[serde(getter = "foreign::Foreign::id")]
    id: ::core::primitive::u64,
}

/// Marked.
#[real::audited(fields(password, masked, number = len(number)))]
pub fn marked(
    #[sensitive] password: ::std::string::String,
    #[sensitive(mask(last = 1))] masked: ::std::string::String,
    number: ::core::primitive::u64,
) {
}

/// Marked, too.
#[real::audited(fields(plain, with), actor = hashed)]
pub async fn marked_async(
    #[sensitive(plain)] plain: ::std::string::String,
    #[sensitive(with = Redacts<1>)] with: ::std::string::String,
    #[sensitive(hash(scope = "actor"))] hashed: ::core::primitive::u64,
) {
}

/// Where `audited` is re-exported.
pub mod reexport {
    pub extern crate audited;
}

/// Found elsewhere.
#[derive(Sensitive)]
#[sensitive(crate = reexport::audited)]
pub struct Elsewhere(::core::primitive::u64);

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum Private {
    Created {
        id: ::core::primitive::u64,
        #[sensitive]
        name: ::std::string::String,
    },
    #[event(was("user.named", "user.titled"), since = "1.2", only_from = "cli", shared)]
    Renamed(#[sensitive] ::std::string::String),
    #[event(denied, severity = "warning")]
    Moved(::core::primitive::u64, #[sensitive(hash)] ::std::string::String),
    #[event(failed("gone"), deprecated)]
    Deleted,
}

/// Of others.
#[derive(AuditEvent)]
#[event(prefix = "outer", unlocked, since = "1.0", only_from = "cli")]
pub enum Outermost<'a> {
    /// Its own.
    #[event(was("outer.mine"))]
    Own {
        /// Shown.
        id: ::core::primitive::u64,
    },
    /// Public.
    #[event(nested)]
    #[deprecated]
    Inner(Borrowed<'a>),
    /// Boxed.
    #[event(nested)]
    Boxed {
        /// Which.
        event: ::std::boxed::Box<Unmarked>,
    },
}

/// Nothing but another.
#[derive(AuditEvent)]
#[event(only_from = "cli")]
pub enum Wrapper {
    /// All.
    #[event(nested)]
    All(Outermost<'static>),
}

/// Borrows.
#[derive(AuditEvent)]
#[event(prefix = "borrowed")]
pub enum Borrowed<'a> {
    /// Said.
    Said(#[sensitive] &'a ::core::primitive::str),
}

/// Read back.
#[derive(::serde::Serialize, AuditEvent)]
#[event(prefix = "read", view(::core::fmt::Debug))]
#[non_exhaustive]
pub enum Read {
    /// Of every kind.
    Named {
        /// Shown.
        id: ::core::primitive::u64,
        /// Not shown.
        #[sensitive]
        memo: ::std::string::String,
        /// Not always there.
        #[serde(skip_serializing_if = "functions::never")]
        number: ::core::primitive::u64,
    },
    /// Two.
    Tuple(::core::primitive::u64, #[sensitive] ::std::string::String),
    /// None.
    #[deprecated]
    Unit,
    /// Others.
    #[event(nested)]
    Inner(ReadInner),
}

/// Inside.
#[derive(::serde::Serialize, AuditEvent)]
#[event(prefix = "read-inner", view(::core::fmt::Debug))]
pub enum ReadInner {
    /// One.
    Newtype(::core::primitive::u64),
}

/// Has no payload.
#[derive(::core::clone::Clone, ::core::marker::Copy, AuditEvent)]
#[event(prefix = "unmarked")]
#[non_exhaustive]
pub enum Unmarked {
    /// Happened.
    #[event(severity = "critical")]
    Happened,
}

/// Public.
#[derive(AuditEvent)]
#[event(crate = reexport::audited)]
#[non_exhaustive]
pub enum Public<T> {
    /// Created.
    #[event(action = "thing.created")]
    Created(T),
    /// Deleted.
    #[event(action = "thing.deleted")]
    #[deprecated]
    Deleted,
}

/// An error.
#[derive(Deny)]
#[denied(crate = reexport::audited)]
pub enum Error<E> {
    /// No.
    #[denied]
    MissingScope,
    /// Broken.
    #[failed("ledger_down")]
    Ledger {
        /// How.
        code: ::core::primitive::u64,
    },
    /// Inner.
    #[denied(transparent)]
    Inner(E),
    /// Long gone.
    #[deprecated]
    #[failed]
    Old,
}

/// A refusal.
#[derive(Deny)]
#[denied("no")]
pub struct No;

/// None.
#[derive(Deny)]
pub enum Nothing {}

fn locals() {
    #[derive(Sensitive)]
    struct Local(::core::primitive::u64);

    #[derive(AuditEvent)]
    #[event(prefix = "local")]
    enum LocalEvent {
        Happened,
    }

    let _ = Local(1);
    let _ = LocalEvent::Happened;
}

fn main() {
    let _ = Private::Created { id: 1, name: ::std::string::String::new() };
    let _ = Private::Renamed(::std::string::String::new());
    let _ = Private::Moved(1, ::std::string::String::new());
    let _ = Private::Deleted;
    let _ = Outer { inner: Inner { value: 1 }, boxed: ::std::boxed::Box::new(Inner { value: 1 }) };
    let _ = Serde {
        flat: Flat { id: 1 },
        plain: Flat { id: 1 },
        dropped: Flat { id: 1 },
        function: 1,
        hashed: 1,
        foreign: foreign::Foreign::new(1),
        flat_foreign: foreign::Foreign::new(1),
        converted: Converted { id: 1 },
        tagged: Tagged::Flat(Flat { id: 1 }),
    };
    locals();
}
