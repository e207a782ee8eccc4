//! `require`, `ok_fields` and `intent`.

use audited::{Deny, Refusal, audited};

#[derive(Deny)]
#[failed]
enum Error {
    Refused(Refusal),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[audited(require = may)]
fn no_guard(may: u32) -> Result<(), Error> {
    Ok(())
}

#[audited(require = check(may))]
async fn no_guard_async(may: &str) -> Result<(), Error> {
    Ok(())
}

fn check(may: &str) -> Option<()> {
    may.is_empty().then_some(())
}

#[audited(require = may)]
fn cannot_be_refused(may: bool) -> u32 {
    1
}

#[audited(require = may)]
async fn cannot_be_refused_either(may: bool) {}

#[audited(ok_fields(|text| text, length = text.len()))]
fn unclassified() -> Result<String, Error> {
    Ok(String::new())
}

#[audited(ok_fields(|text| missing = text.missing))]
async fn no_such_field() -> Result<String, Error> {
    Ok(String::new())
}

fn main() {}
