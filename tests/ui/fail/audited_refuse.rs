//! `fail_closed` needs a return type that can carry the refusal.

use audited::{Deny, Verdict, audited};

struct Error;

impl Deny for Error {
    fn deny(&self) -> Verdict {
        Verdict::failure("broken")
    }
}

#[audited(fail_closed)]
fn number() -> u32 {
    1
}

#[audited(fail_closed)]
async fn number_async() -> u32 {
    1
}

#[audited(fail_closed)]
fn result() -> Result<u32, Error> {
    Ok(1)
}

#[audited(fail_closed)]
async fn result_async() -> Result<u32, Error> {
    Ok(1)
}

#[audited(fail_closed)]
fn unit() {}

#[audited(action = "unit.async", fail_closed)]
async fn unit_async() {}

#[audited(fail_closed)]
fn future() -> std::pin::Pin<Box<dyn Future<Output = Result<u32, Error>>>> {
    Box::pin(async { Ok(1) })
}

#[audited(fail_closed)]
#[must_use]
async fn kept_async() -> Option<u32> {
    None
}

fn main() {}
