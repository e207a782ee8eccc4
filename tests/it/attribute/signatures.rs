//! What a signature can say.

use std::sync::{Mutex, MutexGuard};

use audited::{Verdict, audited};

use super::{Error, call, run};

#[audited(outcome = |_| Verdict::success())]
fn generic<T: Clone>(value: &T) -> T
where
    T: PartialEq,
{
    value.clone()
}

#[audited(outcome = |_| Verdict::success())]
async fn generic_async<T: Clone + Send>(value: T) -> T
where
    T: PartialEq,
{
    value.clone()
}

#[audited]
async fn const_generic<const N: usize>(bytes: [u8; N]) -> usize {
    bytes.len()
}

#[test]
fn generics() {
    assert_eq!(call(|| generic(&3)), 3);
    assert_eq!(run(generic_async("x")), "x");
    assert_eq!(run(const_generic([0; 5])), 5);
}

#[audited]
fn explicit<'a>(first: &'a str, _second: &str) -> &'a str {
    first
}

#[audited]
async fn explicit_async<'a>(first: &'a str, _second: &str) -> &'a str {
    first
}

#[audited]
fn elided(text: &str) -> &str {
    text
}

#[audited]
async fn elided_async(text: &str) -> &str {
    text
}

#[test]
fn lifetimes() {
    let text = String::from("x");
    assert_eq!(call(|| explicit(&text, "y")), "x");
    assert_eq!(run(explicit_async(&text, &String::from("y"))), "x");
    assert_eq!(run(elided_async(&text)), "x");
    let pointer: for<'a> fn(&'a str) -> &'a str = elided;
    assert_eq!(call(|| pointer(&text)), "x");
    let by_trait = |take: &dyn for<'a> Fn(&'a str) -> &'a str| take("z").to_owned();
    assert_eq!(call(|| by_trait(&elided)), "z");
}

struct Shelf {
    books: Vec<u32>,
    lent: Mutex<u32>,
}

impl Shelf {
    fn new() -> Self {
        Self { books: vec![1, 2, 3], lent: Mutex::new(0) }
    }

    #[audited(action = "shelf.take", unlocked)]
    fn take(&mut self, at: usize) -> &mut u32 {
        &mut self.books[at]
    }

    #[audited(action = "shelf.take", unlocked)]
    async fn take_async(&mut self, at: usize) -> &mut u32 {
        &mut self.books[at]
    }

    #[audited(action = "shelf.first", unlocked)]
    fn first(&mut self) -> Option<&mut u32> {
        self.books.first_mut()
    }

    #[audited(action = "shelf.first", unlocked)]
    async fn first_async(&mut self) -> Option<&mut u32> {
        self.books.first_mut()
    }

    #[audited(action = "shelf.lock", unlocked)]
    fn lock(&self) -> MutexGuard<'_, u32> {
        self.lent.lock().unwrap()
    }

    #[audited(action = "shelf.lock", unlocked)]
    async fn lock_async(&self) -> MutexGuard<'_, u32> {
        self.lent.lock().unwrap()
    }

    #[audited(action = "shelf.iter", unlocked)]
    fn iter(&self) -> impl Iterator<Item = &u32> + '_ {
        self.books.iter()
    }

    #[audited(action = "shelf.iter", unlocked)]
    async fn iter_async(&self) -> impl Iterator<Item = &u32> {
        self.books.iter()
    }

    #[audited(action = "shelf.try_iter")]
    async fn try_iter_async(&self) -> Result<impl Iterator<Item = &u32>, Error> {
        if self.books.is_empty() {
            return Err(Error::Broken);
        }
        Ok(self.books.iter())
    }
}

#[test]
fn borrowed_returns() {
    let mut shelf = Shelf::new();
    *call(|| shelf.take(0)) = 10;
    *run(shelf.take_async(1)) = 20;
    *call(|| shelf.first()).unwrap() += 1;
    *run(shelf.first_async()).unwrap() += 1;
    assert_eq!(shelf.books, [12, 20, 3]);
    *call(|| shelf.lock()) += 1;
    *run(shelf.lock_async()) += 1;
    assert_eq!(*shelf.lent.lock().unwrap(), 2);
    assert_eq!(call(|| shelf.iter()).count(), 3);
    assert_eq!(run(shelf.iter_async()).count(), 3);
    assert_eq!(run(shelf.try_iter_async()).unwrap().count(), 3);
}

trait Lend {
    type Out<'a>
    where
        Self: 'a;

    fn lend(&mut self) -> Self::Out<'_>;
}

impl Lend for Shelf {
    type Out<'a> = &'a mut u32;

    #[audited(action = "shelf.lend")]
    fn lend(&mut self) -> Self::Out<'_> {
        &mut self.books[0]
    }
}

#[audited]
fn impl_argument(text: impl Into<String>) -> usize {
    text.into().len()
}

#[audited]
async fn impl_argument_async(text: impl Into<String>) -> usize {
    text.into().len()
}

#[audited]
async fn gives_closure(add: u32) -> impl Fn(u32) -> u32 {
    move |number| number + add
}

#[audited]
async fn tries_closure(add: u32) -> Result<impl Fn(u32) -> u32, Error> {
    if add == 0 {
        return Err(Error::Forbidden);
    }
    Ok(move |number| number + add)
}

#[audited]
async fn higher_ranked(map: for<'a> fn(&'a str) -> &'a str, measure: &(dyn Fn(&str) -> usize + Sync)) -> usize {
    measure(map("abc"))
}

#[audited]
fn precise<'a, T>(value: &'a T) -> impl Sized + use<'a, T> {
    value
}

#[audited]
async fn precise_async<'a, T: Sync>(value: &'a T) -> impl Sized + use<'a, T> {
    value
}

#[test]
fn opaque_higher_ranked_and_associated_types() {
    assert_eq!(*call(|| *Shelf::new().lend()).to_string(), *"1");
    assert_eq!(call(|| impl_argument("ab")), 2);
    assert_eq!(run(impl_argument_async("ab")), 2);
    assert_eq!(run(gives_closure(2))(3), 5);
    assert_eq!(run(tries_closure(2)).unwrap()(3), 5);
    assert_eq!(run(tries_closure(0)).err(), Some(Error::Forbidden));
    assert_eq!(run(higher_ranked(|text| &text[1..], &str::len)), 2);
    call(|| drop(precise(&1)));
    run(async { drop(precise_async(&1).await) });
}

#[test]
fn a_future_is_send_unless_what_it_holds_is_not() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&elided_async("x"));
    is_send(&generic_async(1));
    is_send(&impl_argument_async("x"));
    is_send(&Shelf::new().take_async(0));
    is_send(&higher_ranked(|text| text, &str::len));
}

#[track_caller]
#[audited]
fn located() -> u32 {
    std::panic::Location::caller().line()
}

/// The body of a function that is not async lies in a closure, which has no caller's location to give.
#[test]
fn track_caller_gives_a_line_of_the_function() {
    let line = call(located);
    assert!((line!() - 12..line!() - 6).contains(&line), "{line}");
}
