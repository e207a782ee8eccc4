//! Audited functions of every kind under every lint of clippy: none fires that would not at the plain function.

#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    clippy::as_conversions,
    clippy::clone_on_ref_ptr,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::semicolon_outside_block,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::str_to_string,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

use std::pin::Pin;

use async_trait::async_trait;
use audited::{Deny, Encoder, Redactor, Refusal, Sensitive, Verdict, audited};
use serde::{Serialize, Serializer};

use super::Recorded;

#[derive(Clone, Copy, Debug, Deny, PartialEq, Eq)]
enum Error {
    #[denied]
    Empty,
    #[failed]
    Refused(Refusal),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[derive(Clone, Debug, Sensitive)]
struct Order {
    items: u32,
    #[sensitive]
    note: String,
}

#[derive(Clone, Serialize, Sensitive)]
#[sensitive(class = "pii", debug)]
struct Marked<T> {
    #[sensitive(mask(first = 1, last = 2))]
    mask: String,
    #[sensitive(truncate(3))]
    truncate: Vec<T>,
    #[sensitive(hash(scope = "device"))]
    hash: T,
    #[sensitive(len)]
    len: String,
    #[sensitive(with = Redacts)]
    with: T,
    #[sensitive(plain)]
    plain: T,
    #[serde(flatten)]
    flat: MarkedEnum,
    #[sensitive(plain)]
    #[serde(serialize_with = "serialize")]
    function: u128,
}

#[derive(Clone, Debug, Serialize, Sensitive)]
enum MarkedEnum {
    Unit,
    Newtype(#[sensitive(present)] String),
    Tuple(u8, #[sensitive(plain)] String),
    Struct {
        #[sensitive(plain)]
        text: String,
    },
}

struct Redacts;

impl<T> Redactor<T> for Redacts {
    fn redact(_: &T, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}

fn serialize<S: Serializer>(_: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_none()
}

#[audited(action = "lints.marked", unlocked, actor = hash, resource("order", plain), fields(mask, with, drop, user = len(user)))]
fn marked(
    #[sensitive] drop: &str,
    #[sensitive(mask(first = 1))] mask: String,
    #[sensitive(hash(scope = "a"))] hash: &str,
    #[sensitive(with = Redacts)] with: f64,
    #[sensitive(plain)] plain: &str,
    user: &str,
) {
}

#[audited(action = "lints.marked", unlocked, fields(mask, with, drop, marked = plain(marked), user = mask(user, first = 1)))]
async fn marked_async(
    #[sensitive] drop: &str,
    #[sensitive(mask(first = 1))] mask: String,
    #[sensitive(with = Redacts)] with: f64,
    marked: &Marked<u8>,
    user: &str,
) {
}

#[audited(action = "lints.seen", unlocked, actor = user, subject = user, resource("order", order.items), fields(order, note = drop(order.note)))]
fn seen(user: u64, order: &Order) {}

#[audited(action = "lints.seen", unlocked, tenant = user, resource("order", order.items), fields(order, note = hash(order.note)))]
async fn seen_async(user: u64, order: &Order, _unused: u32) {}

#[audited(action = "lints.place", unlocked, fields(order), ok_fields(|items| items), require = order.items > 0, fail_closed)]
fn place(mut order: Order) -> Result<u32, Error> {
    if order.note.is_empty() {
        return Err(Error::Empty);
    }
    order.items += 1;
    Ok(order.items)
}

#[audited(action = "lints.place", unlocked, fields(order), ok_fields(|items| items), require = order.items > 0, fail_closed)]
async fn place_async(mut order: Order) -> Result<u32, Error> {
    std::future::ready(()).await;
    if order.note.is_empty() {
        return Err(Error::Empty);
    }
    order.items += 1;
    Ok(order.items)
}

#[audited(action = "lints.boxed", intent)]
fn boxed(items: &u32) -> Pin<Box<dyn Future<Output = u32> + Send + '_>> {
    Box::pin(async move { *items })
}

#[audited(action = "lints.opaque", errors = failure("none"))]
fn opaque(items: Option<u32>) -> impl Future<Output = Result<u32, ()>> {
    std::future::ready(items.ok_or(()))
}

#[must_use]
#[audited(action = "lints.generic", outcome = |_| Verdict::success())]
async fn generic<'a, T: Sync, const N: usize>(items: &'a [T; N], _unused: &str) -> Option<&'a T> {
    std::future::ready(items.first()).await
}

#[audited(action = "lints.outcome", outcome = |items| if items.is_some() { Verdict::success() } else { Verdict::failure("none") })]
fn outcome(items: Option<u32>) -> Option<u32> {
    items.map(|number| number + 1)
}

#[audited(action = "lints.inside", unlocked)]
fn allowed_inside() -> u32 {
    #![allow(unused_variables)]
    let unused = 1;
    2
}

#[audited(action = "lints.inside", unlocked)]
async fn allowed_inside_async() -> u32 {
    #![allow(unused_variables, clippy::unused_async)]
    let unused = 1;
    2
}

#[audited(action = "lints.never")]
async fn never(really: bool) -> ! {
    loop {
        if really {
            std::future::pending::<()>().await;
        }
        std::future::ready(()).await;
    }
}

#[audited(action = "lints.patterns")]
async fn patterns((mut first, _): (u32, u32), Order { items, .. }: Order, _: u32) -> u32 {
    first += items;
    std::future::ready(first).await
}

trait Shelf: Sized {
    #[audited(action = "lints.first")]
    fn first_mut(&mut self) -> &mut Self {
        self
    }

    async fn take(self, at: usize) -> Option<u32>;
}

impl Shelf for Vec<u32> {
    #[audited(action = "lints.take", fields(at))]
    async fn take(mut self, at: usize) -> Option<u32> {
        self.push(1);
        std::future::ready(self.get(at).copied()).await
    }
}

#[async_trait]
trait Boxed {
    async fn open(&self, key: &str) -> Result<usize, Error>;
}

#[async_trait]
impl Boxed for Order {
    #[audited(action = "lints.open", fields(key = plain(key)), fail_closed)]
    async fn open(&self, key: &str) -> Result<usize, Error> {
        std::future::ready(self.note.find(key)).await.ok_or(Error::Empty)
    }
}

#[test]
fn they_run() {
    let recorded = Recorded::new();
    let order = Order { items: 1, note: "note".to_owned() };
    recorded.call(|| seen(1, &order));
    recorded.run(seen_async(1, &order, 2));
    assert_eq!(recorded.call(|| place(order.clone())), Ok(2));
    assert_eq!(recorded.run(place_async(order.clone())), Ok(2));
    assert_eq!(recorded.run(boxed(&3)), 3);
    assert_eq!(recorded.run(opaque(None)), Err(()));
    assert_eq!(recorded.run(generic(&[4], "")), Some(&4));
    assert_eq!(recorded.call(|| outcome(Some(4))), Some(5));
    assert_eq!(recorded.call(allowed_inside), 2);
    assert_eq!(recorded.run(allowed_inside_async()), 2);
    drop(recorded.call(|| never(true)));
    assert_eq!(recorded.run(patterns((1, 2), order.clone(), 3)), 2);
    assert_eq!(recorded.call(|| vec![1].first_mut().len()), 1);
    assert_eq!(recorded.run(vec![1].take(1)), Some(1));
    assert_eq!(recorded.run(order.open("t")), Ok(2));
    recorded.call(|| marked("", String::new(), "", 1.0, "", ""));
    let variants = [
        MarkedEnum::Unit,
        MarkedEnum::Newtype(String::new()),
        MarkedEnum::Tuple(1, String::new()),
        MarkedEnum::Struct { text: String::new() },
    ];
    for flat in variants {
        let (mask, len) = (String::new(), String::new());
        let value = Marked { mask, truncate: Vec::new(), hash: 1, len, with: 2, plain: 3, flat, function: 4 };
        recorded.run(marked_async("", String::new(), 1.0, &value, ""));
        assert!(format!("{value:?}").starts_with("Marked"));
    }
}
