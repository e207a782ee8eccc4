use audited::Sensitive;
use serde::{Serialize, Serializer};

pub fn shout<S: Serializer>(_: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("!")
}

mod shouting {
    pub use super::shout as serialize;
}

#[derive(Serialize, Sensitive)]
struct Fields {
    #[serde(serialize_with = "shout")]
    unmarked: u64,
    #[serde(with = "shouting")]
    unmarked_too: u64,
    #[sensitive(plain)]
    #[serde(serialize_with = "shout")]
    marked: u64,
}

#[derive(Clone, Serialize, Sensitive)]
#[serde(into = "Plain")]
struct Converted {
    #[sensitive(hash)]
    marked: String,
    // Nothing of it is written.
    unmarked: String,
    password: String,
}

#[derive(Serialize, Sensitive)]
struct Plain(u64);

impl From<Converted> for Plain {
    fn from(_: Converted) -> Self {
        Self(1)
    }
}

#[derive(Serialize, Sensitive)]
enum Variants {
    #[serde(serialize_with = "shout")]
    With(u64),
}

#[derive(Serialize, Sensitive)]
#[serde(tag = "type")]
enum Tagged {
    Newtype(Plain),
    Tuple(u64, u64),
}

fn main() {}
