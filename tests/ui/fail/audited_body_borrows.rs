//! What the borrow checker finds is where it would be without the attribute.

use audited::audited;

#[audited]
fn used_after_move(text: String) -> usize {
    drop(text);
    text.len()
}

#[audited]
async fn used_after_move_async(text: String) -> usize {
    drop(text);
    text.len()
}

#[audited]
fn not_mutable(numbers: Vec<u32>) {
    numbers.push(1);
}

#[audited]
async fn not_mutable_async(numbers: Vec<u32>) {
    numbers.push(1);
}

#[audited]
async fn borrowed_twice(mut numbers: Vec<u32>) -> usize {
    let first = &numbers[0];
    numbers.clear();
    *first as usize
}

#[audited]
fn returns_a_local() -> &'static str {
    let text = String::new();
    &text
}

#[audited]
async fn returns_a_local_async() -> &'static str {
    let text = String::new();
    &text
}

#[audited(action = "text.first")]
async fn wrong_lifetime<'a>(first: &'a str, second: &str) -> &'a str {
    let _ = first;
    second
}

fn main() {}
