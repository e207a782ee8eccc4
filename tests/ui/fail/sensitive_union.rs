use audited::Sensitive;

#[derive(Sensitive)]
union Either {
    number: u32,
    bytes: [u8; 4],
}

fn main() {}
