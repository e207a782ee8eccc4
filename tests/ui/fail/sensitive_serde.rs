use audited::Sensitive;
use serde::{Serialize, Serializer};

#[derive(Serialize, Sensitive)]
struct Inner {
    id: u64,
}

fn shout<S: Serializer>(_: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("!")
}

#[derive(Serialize, Sensitive)]
struct Fields {
    #[serde(flatten)]
    inner: Inner,
    #[sensitive]
    #[serde(flatten)]
    dropped: Inner,
    #[serde(serialize_with = "shout")]
    with: u64,
    #[sensitive(plain)]
    #[serde(serialize_with = "shout")]
    plain_with: u64,
}

#[derive(Clone, Serialize, Sensitive)]
#[serde(into = "u64")]
struct Into(u64);

impl From<Into> for u64 {
    fn from(value: Into) -> u64 {
        value.0
    }
}

#[derive(Serialize, Sensitive)]
#[serde(tag = "type")]
enum Tagged {
    Inner(Inner),
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "Inner")]
struct Remote {
    id: u64,
}

#[derive(Serialize, Sensitive)]
enum Variants {
    #[serde(serialize_with = "shout")]
    With(u64),
}

fn main() {}
