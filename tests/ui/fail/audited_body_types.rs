//! A type error in the body is an error at the user's own tokens, as without the attribute.

use audited::audited;

#[audited]
fn wrong_tail() -> u32 {
    "text"
}

#[audited]
async fn wrong_tail_async() -> u32 {
    "text"
}

#[audited]
fn wrong_return(early: bool) -> u32 {
    if early {
        return "text";
    }
    1
}

#[audited]
async fn wrong_return_async(early: bool) -> u32 {
    if early {
        return "text";
    }
    1
}

#[audited]
async fn no_value() -> u32 {
    let _number = 1;
}

#[audited]
fn no_value_sync() -> u32 {
    let _number = 1;
}

#[audited]
async fn wrong_error(text: &str) -> Result<u32, std::fmt::Error> {
    let number = text.parse()?;
    Ok(number)
}

#[audited]
async fn unknown_name() -> u32 {
    unknown + 1
}

#[audited]
async fn unit_with_a_value() {
    1_u32
}

#[audited(fields(missing))]
fn unknown_capture() {}

fn main() {}
