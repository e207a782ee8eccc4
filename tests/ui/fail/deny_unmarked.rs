use audited::Deny;

#[derive(Deny)]
enum Partly {
    #[denied]
    MissingScope,
    Ledger,
    Other(u8),
}

#[derive(Deny)]
struct Struct;

#[derive(Deny)]
union Union {
    a: u8,
    b: i8,
}

fn main() {}
