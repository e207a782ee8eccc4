//! Every mistake in the attribute is reported, each at its own tokens, and the function is still there.

use audited::audited;

#[audited(acton = "order.place")]
fn unknown_key() -> u32 {
    1
}

#[audited(zebra)]
fn unlike_any_key() {}

#[audited(action = "order.place", action = "order.change")]
fn twice() {}

#[audited(actor = 1_u32, actor = 2_u32, fail_open, fail_open, resource("a", 1_u32), resource("b", 2_u32))]
fn others_twice() {}

#[audited(acton = "order.place", feilds(number), fail_open, fail_closed, fields(number, number), 7)]
fn several(number: u32) -> u32 {
    number
}

#[audited(fail_open, fail_closed)]
fn both_policies() {}

#[audited(errors = failure("code"), outcome = |_| audited::Verdict::success())]
fn both_verdicts() -> Result<(), ()> {
    Ok(())
}

#[audited(fields(number, r#number = number + 1, plain(text), text = 1_u32))]
fn captured_twice(number: u32, text: &str) {}

#[audited = "order.place"]
fn not_a_list() {}

#[audited(action = "order.place" fail_closed)]
fn no_comma() {}

fn main() {
    let _: u32 = unknown_key();
    unlike_any_key();
    twice();
    others_twice();
    let _: u32 = several(1);
    both_policies();
    let _ = both_verdicts();
    captured_twice(1, "");
    not_a_list();
    no_comma();
}
