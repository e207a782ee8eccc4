//! `require`, `ok_fields` and `intent` in the wrong form.

use audited::audited;

#[audited(require)]
fn no_guard() {}

#[audited(intent = true)]
fn intent_with_a_value() {}

#[audited(ok_fields(text, length = text.len()))]
fn nothing_bound() {}

#[audited(ok_fields)]
fn no_list() {}

#[audited(ok_fields(|text| text.len(), length = 1_u32, length = 2_u32))]
fn no_names() {}

#[audited(fail_closed(true), fail_open = false)]
fn policies_with_values() {}

fn main() {
    no_guard();
    intent_with_a_value();
    nothing_bound();
    no_list();
    no_names();
    policies_with_values();
}
