//! Types that are written as another one, or describe another one.

use audited::{Sensitive, audited};
use serde::Serialize;

mod bank {
    #[derive(serde::Serialize)]
    pub struct Text {
        pub text: String,
    }

    pub struct Account {
        pub id: u64,
        pub iban: String,
    }
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "bank::Account")]
struct AccountDef {
    id: u64,
    #[sensitive]
    iban: String,
}

#[derive(Serialize, Sensitive)]
#[sensitive(debug)]
#[serde(remote = "bank::Account")]
struct DebugDef {
    id: u64,
    #[sensitive]
    iban: String,
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "bank::Account")]
struct UnclassifiedDef {
    id: u64,
    iban: String,
}

#[derive(Sensitive)]
struct Order {
    unmarked: bank::Account,
    #[sensitive(with = AccountDef)]
    another: u64,
}

#[audited(fields(def))]
fn definition(def: AccountDef) {}

#[derive(Clone, Serialize, Sensitive)]
#[serde(into = "String")]
struct Text(String);

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

#[derive(Serialize, Sensitive)]
struct Flat {
    #[serde(flatten)]
    unclassified: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize, Sensitive)]
#[serde(tag = "type")]
enum Tagged {
    Newtype(bank::Text),
}

fn main() {}
