//! Audited functions raise no warning.

#![deny(warnings, missing_docs, unsafe_code, unused, let_underscore, future_incompatible, nonstandard_style)]
#![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, missing_debug_implementations, trivial_casts)]
#![deny(trivial_numeric_casts, unreachable_pub, unused_import_braces, unused_lifetimes, unused_qualifications)]
#![deny(unused_results, variant_size_differences, single_use_lifetimes, meta_variable_misuse, noop_method_call)]
#![deny(keyword_idents, macro_use_extern_crate, missing_copy_implementations, non_ascii_idents, unit_bindings)]
#![deny(redundant_lifetimes, unnameable_types, unused_macro_rules, unused_extern_crates, ambiguous_negative_literals)]

use std::fmt::Debug;
use std::pin::Pin;

use audited::{
    AuditTransaction, Deny, Encoder, Record, Redactor, Refusal, Sensitive, SinkError, Verdict, audited,
};
use serde::{Serialize, Serializer};

/// An error.
#[derive(Clone, Copy, Debug, Deny)]
pub enum Error {
    /// It was denied.
    #[denied]
    Forbidden,
    /// It was not recorded.
    #[failed]
    Refused(Refusal),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What is ordered.
#[derive(Clone, Debug, Serialize, Sensitive)]
pub struct Order {
    /// How many.
    pub items: u32,
    /// What for.
    #[sensitive]
    pub note: String,
}

/// Of every mode.
#[derive(Clone, Copy, Serialize, Sensitive)]
#[sensitive(debug, class = "pii")]
#[repr(C, packed)]
pub struct Packed {
    /// Hashed.
    #[sensitive(hash(scope = "packed"))]
    pub hash: u64,
    /// Dropped.
    #[sensitive]
    pub drop: u8,
    /// Shown.
    #[sensitive(plain)]
    pub plain: f64,
    /// Left to a redactor.
    #[sensitive(with = Redacts)]
    pub with: u64,
}

/// Written as something else.
#[derive(Clone, Debug, Serialize, Sensitive)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shapes {
    /// Flat.
    Flat(Order),
    /// Named.
    Named {
        /// Flat.
        #[serde(flatten)]
        order: Order,
        /// By a function.
        #[sensitive(len)]
        #[serde(serialize_with = "nothing", skip_serializing_if = "String::is_empty")]
        text: String,
    },
}

/// Redacts.
#[derive(Clone, Copy, Debug)]
pub struct Redacts;

impl<T> Redactor<T> for Redacts {
    fn redact(_: &T, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}

fn nothing<S: Serializer>(_: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_none()
}

/// Captures what is marked.
#[audited(action = "order.marked", actor = user, fields(drop, mask, plain, with, own = truncate(user.trim(), 3)))]
pub fn marked(
    #[sensitive(hash)] user: &str,
    #[sensitive] drop: String,
    #[sensitive(mask(last = 2))] mask: &str,
    #[sensitive(plain)] mut with: String,
    #[sensitive(with = Redacts)] plain: f64,
) -> usize {
    with.push('!');
    user.len() + drop.len() + mask.len() + with.len() + usize::from(plain > 1.0)
}

/// Captures what is marked, later.
#[audited(action = "order.marked", actor = user, fields(drop, mask, plain, with, own = hash(user.trim(), scope = "a")))]
pub async fn marked_async(
    #[sensitive(hash)] user: &str,
    #[sensitive] drop: String,
    #[sensitive(mask(last = 2))] mask: &str,
    #[sensitive(plain)] mut with: String,
    #[sensitive(with = Redacts)] plain: f64,
) -> usize {
    with.push('!');
    user.len() + drop.len() + mask.len() + with.len() + usize::from(plain > 1.0)
}

/// Captures, in one expression.
#[audited(action = "order.items", actor = user, subject = user, resource("order", items), fields(items, note = drop(note)))]
pub fn captured(user: u64, items: u32, note: &str) -> usize { note.len() + usize::try_from(items + u32::from(user == 0)).unwrap_or(0) }

/// Captures, in one expression, later.
#[audited(action = "order.items", actor = user, subject = user, resource("order", items), fields(items, note = drop(note)))]
pub async fn captured_async(user: u64, items: u32, note: &str) -> usize { note.len() + usize::try_from(items + u32::from(user == 0)).unwrap_or(0) }

/// Captures only.
#[audited(action = "order.seen", fields(order))]
pub fn seen(order: &Order) {}

/// Captures only, later.
#[audited(action = "order.seen", fields(order))]
pub async fn seen_async(order: &Order) {}

/// Refuses.
#[audited(action = "order.place", fields(order), ok_fields(|items| items = *items), require = order.items > 0, fail_closed)]
pub fn place(mut order: Order) -> Result<u32, Error> {
    if order.note.is_empty() {
        return Err(Error::Forbidden);
    }
    order.items += 1;
    Ok(order.items)
}

/// Refuses, later.
#[audited(action = "order.place", fields(order), ok_fields(|items| items = *items), require = order.items > 0, fail_closed)]
pub async fn place_async(mut order: Order) -> Result<u32, Error> {
    if order.note.is_empty() {
        return Err(Error::Forbidden);
    }
    order.items += 1;
    Ok(order.items)
}

/// Returns a future.
#[audited(action = "order.later", intent)]
pub fn later(items: &u32) -> Pin<Box<dyn Future<Output = u32> + Send + '_>> {
    Box::pin(async move { *items })
}

/// Returns an opaque future.
#[audited(action = "order.opaque", errors = failure("none"))]
pub fn opaque(items: Option<u32>) -> impl Future<Output = Result<u32, ()>> {
    async move { items.ok_or(()) }
}

/// Beside an attribute that looks at it.
#[must_use]
#[audited(action = "order.generic", outcome = |_| Verdict::success())]
pub async fn generic<'a, T: Debug, const N: usize>(items: &'a [T; N], _unused: &str) -> Option<&'a T> {
    items.first()
}

/// Never returns.
#[audited(action = "order.never")]
pub fn never() -> ! {
    panic!("never")
}

/// Never returns, later.
#[audited(action = "order.never")]
pub async fn never_async() -> ! {
    panic!("never")
}

/// Is to be written.
#[audited(action = "order.unwritten")]
pub async fn unwritten() -> Result<u32, Error> {
    todo!()
}

/// A trait.
#[allow(async_fn_in_trait)]
pub trait Shelf: Debug + Sized {
    /// By default.
    #[audited(action = "shelf.default")]
    fn by_default(&self) -> &Self {
        self
    }

    /// By reference.
    async fn by_reference(&mut self, at: usize) -> Option<&mut u32>;

    /// By value.
    async fn by_value(self) -> usize;
}

impl Shelf for Vec<u32> {
    #[audited(action = "shelf.by_reference", fields(at))]
    async fn by_reference(&mut self, at: usize) -> Option<&mut u32> {
        self.get_mut(at)
    }

    #[audited(action = "shelf.by_value")]
    async fn by_value(mut self) -> usize {
        self.push(1);
        self.len()
    }
}

/// Patterns.
#[audited(action = "order.patterns")]
pub async fn patterns((mut first, _): (u32, u32), Order { items, .. }: Order, _: u32) -> u32 {
    first += items;
    first
}

/// Closures, too.
#[audited(action = "order.closures")]
pub async fn closures(items: impl Iterator<Item = u32> + Send) -> impl Fn(u32) -> u32 {
    let sum: u32 = items.sum();
    move |more| sum + more
}

/// A transaction.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tx {
    items: Vec<u32>,
}

impl AuditTransaction for Tx {
    async fn write(&self, _: &Record) -> Result<(), SinkError> {
        Ok(())
    }
}

/// In a transaction.
#[audited(action = "order.within", transaction = tx)]
pub async fn within(tx: &mut Tx, mut items: Vec<u32>) -> Result<usize, Error> {
    tx.items.append(&mut items);
    if tx.items.len() > 9 {
        return Err(Error::Forbidden);
    }
    Ok(tx.items.len())
}

/// In a transaction, and not async.
#[audited(action = "order.within_sync", transaction = tx, fail_closed)]
pub fn within_sync(tx: &mut Tx, mut items: Vec<u32>) -> Result<usize, Error> {
    tx.items.append(&mut items);
    if tx.items.len() > 9 {
        return Err(Error::Forbidden);
    }
    Ok(tx.items.len())
}

/// In a transaction, and nothing comes of it.
#[audited(action = "order.within_nothing", transaction = tx)]
pub fn within_nothing(tx: &Tx) {
    drop(tx.items.clone());
}

fn main() {}
