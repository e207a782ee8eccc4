//! Kinds of functions: unsafe, extern, in traits, returning futures.
#![allow(unsafe_code, reason = "unsafe functions are among them")]

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use audited::{Stage, StoredOutcome, audited};

use super::{Error, Recorded, call, run};

#[audited]
unsafe fn reads(pointer: *const u32) -> u32 {
    unsafe { *pointer }
}

#[audited]
async unsafe fn reads_async(pointer: *const u32) -> u32 {
    unsafe { *pointer }
}

#[audited]
extern "C" fn for_c(number: u32) -> u32 {
    number + 1
}

#[test]
fn unsafe_and_extern() {
    let number = 7;
    assert_eq!(call(|| unsafe { reads(&raw const number) }), 7);
    assert_eq!(run(unsafe { reads_async(&raw const number) }), 7);
    let pointer: extern "C" fn(u32) -> u32 = for_c;
    assert_eq!(call(|| pointer(1)), 2);
}

trait Greeter {
    async fn greet(&self, name: &str) -> String;

    #[audited(action = "greeter.default", unlocked)]
    fn by_default(&self) -> u32 {
        1
    }

    #[audited(action = "greeter.default", unlocked)]
    async fn by_default_async(&self) -> u32
    where
        Self: Sync,
    {
        2
    }
}

struct Polite;

impl Greeter for Polite {
    #[audited(action = "greeter.greet", fields(length = name.len()))]
    async fn greet(&self, name: &str) -> String {
        format!("Dear {name}")
    }
}

#[test]
fn async_functions_in_traits() {
    assert_eq!(run(Polite.greet("Ann")), "Dear Ann");
    assert_eq!(call(|| Polite.by_default()), 1);
    assert_eq!(run(Polite.by_default_async()), 2);
}

#[async_trait]
trait Boxed: Sync {
    async fn greet(&self, name: &str) -> Result<String, Error>;

    #[audited(action = "boxed.default", fields(length = name.len()))]
    async fn by_default(&self, name: &str) -> usize {
        name.len()
    }
}

struct Curt;

#[async_trait]
impl Boxed for Curt {
    #[audited(action = "boxed.greet", fields(length = name.len()), fail_closed)]
    async fn greet(&self, name: &str) -> Result<String, Error> {
        tokio::task::yield_now().await;
        if name.is_empty() {
            return Err(Error::Forbidden);
        }
        Ok(format!("Dear {name}"))
    }
}

#[test]
fn async_trait_methods_are_recorded_when_they_end() {
    let recorded = Recorded::new();
    let boxed: &dyn Boxed = &Curt;
    assert_eq!(recorded.run(boxed.greet("Ann")), Ok("Dear Ann".into()));
    assert_eq!(recorded.run(boxed.greet("")), Err(Error::Forbidden));
    assert_eq!(recorded.run(boxed.by_default("Ann")), 3);
    let stages: Vec<_> = recorded.records().iter().filter_map(|record| record.stage()).collect();
    use Stage::{Completed, Intent};
    assert_eq!(stages, [Intent, Completed, Intent, Completed, Completed]);
    assert_eq!(recorded.records()[3].outcome(), Some(StoredOutcome::Failure { code: "missing_scope".into() }));
}

#[audited(fields(number))]
fn opaque(number: u32) -> impl Future<Output = u32> {
    let next = number + 1;
    async move {
        tokio::task::yield_now().await;
        next
    }
}

#[audited(fields(length = text.len()))]
fn pinned<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + 'a>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        if text.is_empty() { Err(Error::Broken) } else { Ok(text.len()) }
    })
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[audited]
fn aliased(number: u32) -> BoxFuture<'static, u32> {
    Box::pin(async move { number })
}

#[test]
fn functions_that_return_a_future_are_recorded_when_it_ends() {
    let recorded = Recorded::new();
    let mut future = recorded.call(|| Box::pin(opaque(1)));
    assert!(recorded.records().is_empty());
    assert_eq!(recorded.run(&mut future), 2);
    assert_eq!(recorded.only().detail(), Some(r#"{"number":1}"#));
    assert_eq!(run(pinned("abc")), Ok(3));
    assert_eq!(run(pinned("")), Err(Error::Broken));
    assert_eq!(run(aliased(3)), 3);
}

#[test]
fn a_returned_future_that_is_never_polled_leaves_nothing() {
    let recorded = Recorded::new();
    recorded.call(|| drop(opaque(1)));
    assert!(recorded.records().is_empty());
}

#[audited]
fn panics_while_making_the_future(number: u32) -> BoxFuture<'static, u32> {
    assert_ne!(number, 0, "before there is a future");
    Box::pin(async move { number })
}

#[test]
fn a_panic_while_the_future_is_made_is_recorded() {
    let recorded = Recorded::new();
    let panic = std::panic::catch_unwind(|| recorded.call(|| drop(panics_while_making_the_future(0))));
    assert!(panic.is_err());
    assert_eq!(recorded.only().stage(), Some(Stage::Panicked));
}
