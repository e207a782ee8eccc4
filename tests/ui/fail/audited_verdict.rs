//! Nothing is guessed about how a call ended.

use std::pin::Pin;

use audited::audited;

struct Error;

#[audited]
fn silent() -> Result<u32, Error> {
    Err(Error)
}

#[audited]
async fn silent_async() -> Result<u32, Error> {
    Err(Error)
}

#[audited]
async fn text() -> Result<(), String> {
    Ok(())
}

#[audited]
fn generic<T: Clone>(value: &T) -> T {
    value.clone()
}

#[audited]
async fn generic_error<E>(error: E) -> Result<(), E> {
    Err(error)
}

type Later<'a> = Pin<Box<dyn Future<Output = u32> + Send + 'a>>;

#[audited]
fn later(number: &u32) -> Later<'_> {
    Box::pin(async move { *number })
}

#[audited(outcome = |value| value)]
fn no_verdict() -> u32 {
    1
}

#[audited(errors = failure("broken"))]
fn no_errors() -> u32 {
    1
}

fn main() {}
