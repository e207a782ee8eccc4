use audited::Sensitive;

struct Opaque;

#[derive(Sensitive)]
struct Named {
    #[sensitive(plain)]
    shown: Opaque,
    #[sensitive(hash)]
    hashed: Opaque,
}

fn main() {}
