//! Foreign types, described as for serde.

use audited::Sensitive;
use serde::Serialize;

use super::{record_of, written};

const SECRET: &str = "kX9-Zq7-canary";
const DROPPED: &str = r#""<redacted>""#;

/// Types that nothing can be derived on.
mod bank {
    pub(super) struct Account {
        pub(super) id: u64,
        iban: String,
    }

    impl Account {
        pub(super) fn new(id: u64, iban: &str) -> Self {
            Self { id, iban: iban.to_owned() }
        }

        pub(super) fn iban(&self) -> &String {
            &self.iban
        }

        pub(super) fn digits(&self) -> usize {
            self.iban.len()
        }
    }

    pub(super) enum State<T> {
        Open,
        Blocked { reason: T },
        Moved(u64, T),
    }

    #[derive(Clone, Copy, Debug)]
    #[non_exhaustive]
    pub(super) enum Currency {
        Euro,
        Other,
    }

    pub(super) struct Cents(pub(super) u64);
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "bank::Account")]
struct AccountDef {
    id: u64,
    #[sensitive]
    #[serde(getter = "bank::Account::iban")]
    iban: String,
    #[serde(getter = "bank::Account::digits")]
    digits: usize,
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "bank::State", tag = "state", content = "with")]
enum StateDef<T> {
    Open,
    Blocked {
        reason: T,
    },
    #[serde(skip)]
    Moved(u64, T),
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "bank::State<String>")]
enum TextStateDef {
    Open,
    Blocked {
        #[sensitive]
        reason: String,
    },
    Moved(u64, #[sensitive] String),
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "bank::Currency", rename_all = "lowercase")]
#[non_exhaustive]
enum CurrencyDef {
    Euro,
}

#[derive(Serialize, Sensitive)]
#[serde(remote = "bank::Cents", transparent)]
struct CentsDef(u64);

#[derive(Serialize, Sensitive)]
struct Order {
    #[sensitive(with = AccountDef)]
    #[serde(with = "AccountDef")]
    account: bank::Account,
    #[sensitive(with = StateDef<u8>)]
    #[serde(with = "StateDef")]
    state: bank::State<u8>,
    #[sensitive(with = TextStateDef)]
    #[serde(with = "TextStateDef")]
    text: bank::State<String>,
    #[sensitive(with = CurrencyDef)]
    #[serde(with = "CurrencyDef")]
    currency: bank::Currency,
    #[sensitive(with = CentsDef)]
    #[serde(with = "CentsDef")]
    cents: bank::Cents,
}

fn order(state: bank::State<u8>, text: bank::State<String>, currency: bank::Currency) -> Order {
    Order { account: bank::Account::new(7, SECRET), state, text, currency, cents: bank::Cents(3) }
}

#[test]
fn a_described_type_is_written_as_described() {
    let value = order(bank::State::Blocked { reason: 1 }, bank::State::Moved(2, SECRET.into()), bank::Currency::Euro);
    let record = record_of(&Wrapped { order: value });
    let detail = record.detail().unwrap();
    assert!(!detail.contains(SECRET), "{detail}");
    assert!(
        detail.contains(&format!(
            concat!(
                r#"{{"account":{{"id":7,"iban":{DROPPED},"digits":14}},"state":{{"state":"Blocked","with":{{"reason":1}}}},"#,
                r#""text":{{"Moved":[2,{DROPPED}]}},"currency":"euro","cents":3}}"#
            ),
            DROPPED = DROPPED
        )),
        "{detail}"
    );
    assert_eq!(record.redacted(), ["v.order.account.iban", "v.order.text.Moved[]"]);
}

#[derive(Sensitive)]
struct Wrapped {
    order: Order,
}

#[derive(Sensitive)]
struct Described<T> {
    #[sensitive(with = StateDef<T>)]
    state: bank::State<T>,
    #[sensitive(with = CurrencyDef)]
    currency: bank::Currency,
}

#[test]
fn what_is_not_described_is_redacted() {
    let value = |state| Described { state, currency: bank::Currency::Other };
    assert_eq!(written(&value(bank::State::Moved(1, 2_u8))), format!(r#"{{"state":{DROPPED},"currency":{DROPPED}}}"#));
    assert_eq!(written(&value(bank::State::Open)), format!(r#"{{"state":{{"state":"Open"}},"currency":{DROPPED}}}"#));
}

#[derive(Serialize, Sensitive)]
struct FlatAccount {
    first: u8,
    #[sensitive(with = AccountDef)]
    #[serde(flatten, with = "AccountDef")]
    account: bank::Account,
}

#[derive(Serialize, Sensitive)]
#[serde(tag = "type")]
enum Owner {
    Account(
        #[sensitive(with = AccountDef)]
        #[serde(with = "AccountDef")]
        bank::Account,
    ),
}

#[test]
fn the_fields_of_a_described_type_can_stand_among_others() {
    let fields = format!(r#""id":7,"iban":{DROPPED},"digits":14}}"#);
    let account = || bank::Account::new(7, SECRET);
    assert_eq!(written(&FlatAccount { first: 1, account: account() }), format!(r#"{{"first":1,{fields}"#));
    assert_eq!(written(&Owner::Account(account())), format!(r#"{{"type":"Account",{fields}"#));
}
