use audited::Sensitive;

#[derive(Sensitive)]
struct Marks {
    #[sensitive(hahs)]
    slip: String,
    #[sensitive(mask(first = 1))]
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
}

#[derive(Sensitive)]
#[sensitive(hash)]
struct Container(u8);

#[derive(Sensitive)]
#[sensitive(crat = audited)]
struct Slip(u8);

#[derive(Sensitive)]
enum Variant {
    #[sensitive]
    Marked { id: u64 },
}

fn capture<T: Sensitive>(_: T) {}

fn main() {
    // Classified nevertheless: nothing follows from the mistakes above.
    capture(Slip(1));
}
