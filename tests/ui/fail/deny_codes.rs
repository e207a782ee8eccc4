use audited::Deny;

#[derive(Deny)]
enum Codes {
    #[denied("missing scope")]
    Space,
    #[failed("a/b")]
    Slash,
    #[failed("")]
    Empty,
    #[denied]
    Verböten,
    #[denied("a", "b")]
    Two,
    #[denied = "a"]
    Value,
}

fn main() {}
