//! Control flow inside the body.

use std::error::Error as StdError;

use audited::{StoredOutcome, audited};

use super::{Error, Recorded, call, run};

#[audited]
fn unit() {}

#[audited]
async fn unit_async() {}

#[test]
fn units() {
    call(unit);
    run(unit_async());
}

#[audited]
fn question(text: &str) -> Result<u32, Error> {
    let number: u32 = text.parse()?;
    if number == 3 {
        return Err(Error::Forbidden);
    }
    Ok(number)
}

#[audited]
async fn question_async(text: &str) -> Result<u32, Error> {
    let number: u32 = text.parse()?;
    if number == 3 {
        return Err(Error::Forbidden);
    }
    Ok(number)
}

#[test]
fn question_marks_and_early_returns() {
    for (text, expected) in [("1", Ok(1)), ("3", Err(Error::Forbidden)), ("x", Err(Error::Broken))] {
        assert_eq!(call(|| question(text)), expected);
        assert_eq!(run(question_async(text)), expected);
    }
}

#[audited(errors = failure("bad_number"))]
async fn boxed(text: &str) -> Result<u32, Box<dyn StdError + Send + Sync>> {
    let number: u32 = text.parse()?;
    if number == 3 {
        Err("a text becomes an error")?;
    }
    Ok(number)
}

#[test]
fn question_marks_into_a_boxed_error_are_inferred() {
    let recorded = Recorded::new();
    assert!(recorded.run(boxed("x")).is_err());
    assert_eq!(recorded.only().outcome(), Some(StoredOutcome::Failure { code: "bad_number".into() }));
    assert_eq!(run(boxed("3")).unwrap_err().to_string(), "a text becomes an error");
    assert_eq!(run(boxed("4")).unwrap(), 4);
}

#[audited]
fn closures(numbers: Vec<u32>) -> u32 {
    let small = |number: u32| {
        if number > 2 {
            return 0;
        }
        number
    };
    numbers.into_iter().map(small).sum()
}

#[audited]
async fn async_closure(number: u32) -> u32 {
    let next = async |number: u32| {
        if number > 2 {
            return 0;
        }
        number + 1
    };
    next(number).await
}

#[test]
fn returns_inside_closures_are_the_closures_own() {
    assert_eq!(call(|| closures(vec![1, 2, 3])), 3);
    assert_eq!(run(async_closure(1)), 2);
    assert_eq!(run(async_closure(3)), 0);
}

#[audited]
async fn labelled(numbers: &[u32]) -> u32 {
    let found = 'search: {
        for number in numbers {
            if *number > 2 {
                break 'search *number;
            }
        }
        0
    };
    'outer: loop {
        loop {
            break 'outer;
        }
    }
    found
}

#[audited]
fn bindings(number: Option<u32>) -> u32 {
    let Some(number) = number else { return 0 };
    if let Some(rest) = number.checked_sub(2)
        && rest > 0
    {
        rest
    } else {
        number
    }
}

macro_rules! leave {
    ($value:expr) => {
        return $value
    };
}

#[audited]
async fn leaves_by_macro(early: bool) -> u32 {
    if early {
        leave!(1);
    }
    2
}

#[audited]
async fn inner_items() -> u32 {
    const ONE: u32 = 1;
    struct Wrapped(u32);
    fn one() -> u32 {
        ONE
    }
    Wrapped(one()).0 + ONE
}

#[test]
fn labels_bindings_macros_and_items() {
    assert_eq!(run(labelled(&[1, 3, 5])), 3);
    assert_eq!(call(|| bindings(None)), 0);
    assert_eq!(call(|| bindings(Some(5))), 3);
    assert_eq!(run(leaves_by_macro(true)), 1);
    assert_eq!(run(leaves_by_macro(false)), 2);
    assert_eq!(run(inner_items()), 2);
}

#[audited]
fn never(really: bool) -> ! {
    assert!(!really, "never");
    loop {
        std::thread::yield_now();
        todo!()
    }
}

#[audited]
async fn never_async() -> ! {
    panic!("never")
}

#[audited]
fn unfinished() -> u32 {
    todo!()
}

#[audited]
async fn unfinished_async() -> Result<u32, Error> {
    todo!()
}

#[test]
fn what_never_returns_panics_as_it_did() {
    for diverging in [|| never(true), || _ = unfinished()] {
        let recorded = Recorded::new();
        let panic = std::panic::catch_unwind(|| recorded.call(diverging as fn()));
        assert!(panic.is_err());
        assert_eq!(recorded.only().stage(), Some(audited::Stage::Panicked));
    }
    let recorded = Recorded::new();
    let panicking = std::panic::AssertUnwindSafe(|| recorded.run(async { _ = unfinished_async().await }));
    assert!(std::panic::catch_unwind(panicking).is_err());
    let panicking = std::panic::AssertUnwindSafe(|| recorded.run(async { never_async().await }));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_eq!(recorded.records().len(), 2);
}

#[audited]
fn factorial(of: u64) -> u64 {
    if of == 0 { 1 } else { of * factorial(of - 1) }
}

#[audited]
async fn factorial_async(of: u64) -> u64 {
    if of == 0 { 1 } else { of * Box::pin(factorial_async(of - 1)).await }
}

#[test]
fn recursion_leaves_a_record_a_call_each_with_its_parent() {
    let recorded = Recorded::new();
    assert_eq!(recorded.call(|| factorial(4)), 24);
    assert_eq!(recorded.run(factorial_async(4)), 24);
    let records = recorded.records();
    assert_eq!(records.len(), 10);
    for family in records.chunks(5) {
        for pair in family.windows(2) {
            assert_eq!(pair[0].parent(), pair[1].id());
        }
        assert_eq!(family[4].parent(), None);
    }
}
