//! What stands around a captured value.

use audited::audited;

#[audited(fields(a = plain(), b = plain(text, 2), c = len(text, first = 2), d = drop(text, text)))]
fn words(text: &str) {}

#[audited(fields(a = mask(text), b = mask(text, first = 0), c = mask(text, frist = 2), d = mask(text, last = 33)))]
fn masks(text: &str) {}

#[audited(fields(a = truncate(text), b = truncate(text, 0), c = hash(text, scope = ""), d = hash(text, 5)))]
fn others(text: &str) {}

#[audited(fields(a = with(text), b = with(text, "Type"), c = with(text, Missing)))]
fn redactors(text: &str) {}

#[audited(fields(a = mask(text first = 2)))]
fn no_comma(text: &str) {}

#[audited(resource("order", truncate(id)), actor = mask(id))]
fn elsewhere(id: &str) {}

fn main() {
    words("");
    masks("");
    others("");
    redactors("");
    no_comma("");
    elsewhere("");
}
