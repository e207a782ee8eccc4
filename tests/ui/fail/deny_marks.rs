use audited::Deny;

#[derive(Deny)]
enum Marks {
    #[denied]
    #[failed]
    Both,
    #[denied]
    #[denied("x")]
    Twice,
    #[denied(transparant)]
    Slip(u8),
    #[denied(missing_scope)]
    Word,
    #[denied(crate = audited)]
    Crate,
}

#[derive(Deny)]
enum Transparent {
    #[failed(transparent)]
    Failed(u8),
    #[denied("code", transparent)]
    Code(u8),
    #[denied(transparent)]
    Two(u8, u8),
    #[denied(transparent)]
    Unit,
}

#[derive(Deny)]
#[denied(transparent)]
enum Container {
    One(u8),
}

#[derive(Deny)]
enum Unclassified {
    #[denied(transparent)]
    Io(std::io::Error),
}

fn deny<E: Deny>(_: &E) {}

fn main() {
    // Classified nevertheless: nothing follows from the mistakes above.
    deny(&Marks::Both);
}
