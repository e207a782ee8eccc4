use audited::{audited, not_audited};

#[not_audited]
fn without_a_reason() {}

#[not_audited(reason = " ")]
fn with_an_empty_one() {}

#[not_audited(raeson = "a slip")]
fn with_a_slip() {}

#[not_audited(reason = "both")]
#[audited(action = "both.ways")]
fn both() {}

#[not_audited(reason = "no function")]
struct NoFunction;

#[not_audited(reason = "constant")]
const fn constant() {}

fn main() {
    without_a_reason();
    with_an_empty_one();
    with_a_slip();
    both();
    constant();
    let _ = NoFunction;
}
