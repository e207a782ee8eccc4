//! Errors and futures inside of other types.

use std::future::Future;
use std::pin::Pin;

use audited::{Deny, Verdict, audited};

struct Unclassified;

struct Error;

impl Deny for Error {
    fn deny(&self) -> Verdict {
        Verdict::failure("error")
    }
}

#[audited]
fn nested() -> Result<Result<u8, Unclassified>, Error> {
    Ok(Err(Unclassified))
}

#[audited]
async fn optional() -> Option<Result<u8, Unclassified>> {
    None
}

#[audited]
fn borrowed(result: &Result<u8, Unclassified>) -> &Result<u8, Unclassified> {
    result
}

type Later = Pin<Box<dyn Future<Output = u8> + Send>>;

#[audited]
fn future() -> Result<Later, Error> {
    Ok(Box::pin(async { 1 }))
}

fn main() {
    let _ = (nested(), optional(), borrowed(&Ok(1)), future());
}
