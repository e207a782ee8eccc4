//! Actions, codes and kinds follow their rule, and a method has an action of its own.

use audited::audited;

#[audited(action = "order placed")]
fn with_a_space() {}

#[audited(action = "9.lives")]
fn with_a_digit_first() {}

#[audited(action = "")]
fn empty() {}

#[audited(action = order)]
fn not_a_literal() {}

#[audited(action)]
fn no_value() {}

#[audited(action = )]
fn no_value_after_all() {}

#[audited]
fn größe() {}

struct Shelf;

impl Shelf {
    #[audited]
    fn take(&self) {}
}

#[audited(errors = failure("not found"))]
fn bad_code() -> Result<(), ()> {
    Ok(())
}

#[audited(resource("my order", 1_u32))]
fn bad_kind() {}

#[audited(action = "order.ship", since = " ")]
fn no_version() {}

fn main() {
    with_a_space();
    with_a_digit_first();
    empty();
    not_a_literal();
    no_value();
    no_value_after_all();
    größe();
    Shelf.take();
    let _ = bad_code();
    bad_kind();
    no_version();
}
