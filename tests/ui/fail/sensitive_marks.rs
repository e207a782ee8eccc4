use audited::Sensitive;

#[derive(Sensitive)]
struct Marks {
    #[sensitive(hahs)]
    slip: String,
    #[sensitive(encrypt)]
    unknown: String,
    #[sensitive(plain, hash)]
    two: String,
    #[sensitive]
    #[sensitive(hash)]
    conflict: String,
    #[sensitive]
    #[sensitive]
    twice: String,
    #[sensitive()]
    empty: String,
    #[sensitive = "drop"]
    value: String,
    #[sensitive(drop)]
    word: String,
    #[sensitive(hash = 5)]
    worded: String,
    #[sensitive(hash, reason = "why not")]
    reason: String,
    #[sensitive(plain, reason = 7)]
    no_text: String,
    #[sensitive(class = "pii", class = "account")]
    two_classes: String,
    #[sensitive(hash, class = "PII")]
    no_class: String,
    #[sensitive(class = pii)]
    no_text_of_a_class: String,
    #[sensitive(debug)]
    of_the_type: String,
    #[sensitive(hash, first = 2)]
    of_the_mask: String,
    #[sensitive(hash, scope = "email")]
    of_the_hash: String,
}

#[derive(Sensitive)]
#[sensitive(hash)]
struct Container(u8);

#[derive(Sensitive)]
#[sensitive(crat = audited)]
struct Slip(u8);

#[derive(Sensitive)]
#[sensitive]
#[sensitive(class = "", debug = true)]
struct Type(u8);

#[derive(Sensitive)]
enum Variant {
    #[sensitive]
    Marked { id: u64 },
}

fn capture<T: Sensitive>(_: T) {}

fn main() {
    // Classified and with a `Debug` nevertheless: nothing follows from the mistakes above.
    capture(Slip(1));
    println!("{:?}", Type(1));
}
