//! Values of the wrong form: the message shows the right one.

use audited::audited;

#[audited(errors)]
fn errors_without_a_value() -> Result<(), ()> {
    Ok(())
}

#[audited(errors = "code")]
fn errors_with_a_literal() -> Result<(), ()> {
    Ok(())
}

#[audited(errors = broken("code"), fail_open)]
fn errors_of_no_kind() -> Result<(), ()> {
    Ok(())
}

#[audited(errors = failure(code))]
fn errors_without_a_literal() -> Result<(), ()> {
    Ok(())
}

#[audited(resource)]
fn resource_without_a_list() {}

#[audited(resource("order"))]
fn resource_without_an_id() {}

#[audited(resource(1_u32))]
fn resource_without_a_kind() {}

#[audited(resource("order" 1_u32))]
fn resource_without_a_comma() {}

#[audited(resource("order", 1_u32, 2_u32))]
fn resource_with_too_much() {}

#[audited(fields)]
fn fields_without_a_list() {}

#[audited(fields(order.len(), self, order = ))]
fn unnamed_fields(order: &[u32]) {}

#[audited(fields(order + 1, half = plain(1, 2)))]
fn more_unnamed_fields(order: u32) {}

#[audited(outcome, crate = "audited", actor)]
fn other_values() {}

fn main() {
    let _ = errors_without_a_value();
    let _ = errors_with_a_literal();
    let _ = errors_of_no_kind();
    let _ = errors_without_a_literal();
    resource_without_a_list();
    resource_without_an_id();
    resource_without_a_kind();
    resource_without_a_comma();
    resource_with_too_much();
    fields_without_a_list();
    unnamed_fields(&[]);
    more_unnamed_fields(1);
    other_values();
}
