//! The user's own lints fire in the body, at the user's tokens, as without the attribute.

#![deny(
    dead_code,
    unreachable_code,
    unused_assignments,
    unused_braces,
    unused_must_use,
    unused_mut,
    unused_parens,
    unused_variables,
    unfulfilled_lint_expectations
)]

use audited::audited;

#[audited]
fn unused(parameter: u32, mut changed: u32) {
    let variable = 1;
    let mut number = 2;
    fails();
    (number);
}

#[audited]
async fn unused_async(parameter: u32, mut changed: u32) {
    let variable = 1;
    let mut number = 2;
    fails();
    (number);
}

#[audited]
fn unreachable() -> u32 {
    return 1;
    fails();
}

#[audited]
async fn unreachable_async() -> u32 {
    return 1;
    fails();
}

#[audited]
fn overwritten() -> u32 {
    let mut number = 1;
    number = 2;
    number
}

#[audited]
async fn overwritten_async() -> u32 {
    let mut number = 1;
    number = 2;
    number
}

#[audited]
fn never_called() {}

#[audited]
async fn never_called_async() {}

#[audited]
#[must_use]
fn important() -> u32 {
    1
}

#[audited]
#[must_use]
async fn important_async() -> u32 {
    1
}

#[must_use]
#[audited]
async fn important_before() -> u32 {
    1
}

#[audited]
async fn braces() {
    { important_async() }.await;
}

#[audited]
async fn not_awaited() {
    braces();
}

fn fails() -> Result<(), ()> {
    Err(())
}

/// What the lints must leave alone.
#[expect(unused_variables, unused_mut)]
#[audited]
fn expected(parameter: u32, mut changed: u32) {}

#[audited]
#[expect(unused_variables, unused_mut)]
async fn expected_async(parameter: u32, mut changed: u32) {}

#[audited]
fn expected_parameter(#[expect(unused_variables)] parameter: u32) {
    #[expect(unused_variables)]
    let variable = 1;
}

#[audited]
async fn expected_parameter_async(#[expect(unused_variables)] parameter: u32) {
    #[expect(unused_variables)]
    let variable = 1;
}

#[audited]
fn one_expression(number: u32) -> u32 { number }

#[audited]
async fn one_expression_async(number: u32) -> u32 { number }

async fn calls() {
    unused(1, 1);
    unused_async(1, 1).await;
    unreachable();
    unreachable_async().await;
    overwritten();
    overwritten_async().await;
    important();
    important_async().await;
    important_before().await;
    not_awaited().await;
    expected(1, 1);
    expected_async(1, 1).await;
    expected_parameter(1);
    expected_parameter_async(1).await;
    one_expression(1);
    one_expression_async(1).await;
}

fn main() {
    drop(calls());
}
