//! A captured value that nobody has classified is an error at the expression.

use audited::audited;

struct Body {
    text: String,
}

#[audited(fields(text))]
fn field(text: String) {}

#[audited(fields(number, size = body.text.len()))]
async fn unnamed(number: u64, body: Body) {}

#[audited(fields(number, text = body.text))]
async fn named_field(number: u64, body: Body) {}

#[audited(fields(body))]
fn own_type(body: &Body) {}

#[audited(actor = user)]
fn actor(user: &str) {}

#[audited(subject = user.clone())]
async fn subject(user: String) {}

#[audited(resource("order", id), tenant = org)]
async fn resource(id: String, org: &str) {}

#[audited(fields(map = plain(body)))]
fn plain_without_serialize(body: Body) {}

#[audited(fields(map = mask(body, first = 1), own = with(body, Nothing)))]
fn modes_without_their_traits(body: &Body) {}

struct Nothing;

fn main() {}
