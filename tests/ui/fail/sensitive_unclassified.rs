use std::collections::BTreeMap;
use std::net::IpAddr;

use audited::Sensitive;

#[derive(Sensitive)]
struct Named {
    id: u64,
    name: String,
    by_id: BTreeMap<u64, Vec<f64>>,
}

#[derive(Sensitive)]
struct Tuple(u64, IpAddr);

#[derive(Sensitive)]
enum Enum {
    Newtype(char),
}

fn main() {}
