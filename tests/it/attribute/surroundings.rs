//! Names around the function: raw, shadowed, like ours, made by macros.

use audited::audited;
use audited::audited as other_name;

use super::{Error, Recorded, call, run};

#[audited(fields(r#type))]
async fn r#match(r#type: u32) -> u32 {
    r#type
}

#[audited(fields(__value, __call))]
#[allow(non_snake_case)]
async fn names_like_ours(
    __value: u32,
    __body: u32,
    __call: u32,
    __arg0: u32,
    __begun: u32,
    SITE: u32,
    (__refusal,): (u32,),
) -> u32 {
    __value + __body + __call + __arg0 + __begun + SITE + __refusal
}

#[audited(fields(__value, __call))]
#[allow(non_snake_case)]
fn names_like_ours_sync(__value: u32, __call: u32, __begun: u32, SITE: u32) -> u32 {
    __value + __call + __begun + SITE
}

#[test]
fn raw_names_and_names_like_ours() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(r#match(3)), 3);
    let record = recorded.only();
    assert_eq!(record.detail(), Some(r#"{"type":3}"#));
    assert!(record.action().ends_with("surroundings.match"), "{}", record.action());
    assert_eq!(run(names_like_ours(1, 1, 1, 1, 1, 1, (1,))), 7);
    assert_eq!(call(|| names_like_ours_sync(1, 1, 1, 1)), 4);
}

mod shadowed {
    #![allow(dead_code, unused_macros)]

    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct Box;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Future;
    pub(super) mod std {}
    pub(super) mod core {}
    pub(super) mod audited {}
    pub(super) const SITE: u32 = 1;

    macro_rules! format {
        () => {};
    }
    macro_rules! env {
        () => {};
    }
    macro_rules! file {
        () => {};
    }

    #[::audited::audited(fields(number, two = 2_u32), resource("number", number), fail_closed)]
    pub(super) async fn asynchronous(number: u32) -> ::core::result::Result<u32, super::Error> {
        ::core::result::Result::Ok(number + SITE)
    }

    #[::audited::audited(fields(number, two = 2_u32), resource("number", number), fail_closed)]
    pub(super) fn synchronous(number: u32) -> ::core::result::Result<u32, super::Error> {
        ::core::result::Result::Ok(number + SITE)
    }
}

#[test]
fn everything_shadowed() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(shadowed::asynchronous(1)), Ok(2));
    assert_eq!(recorded.call(|| shadowed::synchronous(1)), Ok(2));
    assert_eq!(recorded.records().len(), 4);
}

macro_rules! make {
    ($name:ident, $action:literal, $ty:ty) => {
        #[audited(action = $action, fields(value))]
        async fn $name(value: $ty) -> $ty {
            value
        }
    };
}

make!(made, "made.by_macro", u64);

#[other_name]
async fn renamed() {}

use ::audited as lib;

#[lib::audited(crate = lib)]
async fn through_a_path() {}

#[cfg_attr(all(), audited)]
async fn configured() {}

#[test]
fn made_by_macros_and_under_other_names() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(made(3)), 3);
    assert_eq!(recorded.only().action(), "made.by_macro");
    run(renamed());
    run(through_a_path());
    run(configured());
}

#[audited]
async fn derived() -> Result<(), Error> {
    Ok(())
}

#[test]
fn without_an_action_the_path_is_the_action() {
    let recorded = Recorded::new();
    recorded.run(derived()).unwrap();
    assert_eq!(recorded.only().action(), "audited.attribute.surroundings.derived");
}
