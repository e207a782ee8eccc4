//! Modes whose arguments are missing, or show more than a mode may.

use audited::Sensitive;

#[derive(Sensitive)]
struct Mask {
    #[sensitive(mask)]
    bare: String,
    #[sensitive(mask())]
    empty: String,
    #[sensitive(mask(first = 0))]
    zero: String,
    #[sensitive(mask(first = 0, last = 0))]
    zeros: String,
    #[sensitive(mask(first = 99))]
    large: String,
    #[sensitive(mask(first = -1, last = "2"))]
    no_numbers: String,
    #[sensitive(mask(fist = 1))]
    slip: String,
    #[sensitive(mask(last = 1, last = 2))]
    twice: String,
    #[sensitive(mask = 2)]
    value: String,
    #[sensitive(mask(first = 1), mask(last = 1))]
    two: String,
}

#[derive(Sensitive)]
struct Truncate {
    #[sensitive(truncate)]
    bare: String,
    #[sensitive(truncate(0))]
    zero: String,
    #[sensitive(truncate(1025))]
    large: String,
    #[sensitive(truncate("8"))]
    text: String,
    #[sensitive(truncate = 8)]
    value: String,
}

#[derive(Sensitive)]
struct Words {
    #[sensitive(len = 3)]
    len: String,
    #[sensitive(present(true))]
    present: String,
    #[sensitive(len, present)]
    both: String,
}

#[derive(Sensitive)]
struct Hash {
    #[sensitive(hash())]
    empty: String,
    #[sensitive(hash(scope = ""))]
    no_scope: String,
    #[sensitive(hash(scope = email))]
    no_text: String,
    #[sensitive(hash(key = "k1"))]
    unknown: String,
}

#[derive(Sensitive)]
struct With {
    #[sensitive(with)]
    bare: String,
    #[sensitive(with = "path::Type")]
    text: String,
    #[sensitive(with = 5)]
    number: String,
    #[sensitive(with = [u8; 4])]
    no_path: String,
    #[sensitive(with(Type))]
    list: String,
}

fn main() {}
