//! What the tests compare.

use super::Lock;
use crate::catalogue::{Catalogue, CatalogueAction};

/// The smallest bank: a function, an event, a type and an error.
const BANK: &str = r#"{
    "actions": [
        {
            "action": "account.opened", "origin": "event",
            "package": "bank", "module": "bank", "item": "Event::Opened", "file": "src/lib.rs", "line": 3,
            "doc": "It was opened.", "since": "1.2", "surface": "cli",
            "fields": [{ "key": "by", "type": "String", "mode": "hash", "class": "pii", "scope": "staff" }]
        },
        {
            "action": "account.transfer", "origin": "function",
            "package": "bank", "module": "bank::api", "item": "transfer", "file": "src/api.rs", "line": 7,
            "was": ["account.send"], "policy": "fail_closed", "intent": true,
            "fields": [
                { "key": "resource account", "type": "AccountId" },
                { "key": "body", "type": "Transfer" },
                { "key": "note", "type": "String", "mode": "drop" }
            ]
        }
    ],
    "types": [
        { "package": "bank", "module": "bank::api", "name": "Transfer",
          "fields": [{ "key": "cents" }, { "key": "memo", "mode": "drop" }] }
    ],
    "errors": [
        { "package": "bank", "module": "bank::api", "name": "BankError",
          "reasons": ["missing_scope"], "codes": ["ledger"] }
    ]
}"#;

/// Reads a catalogue of which empty lists may be left out.
pub(super) fn catalogue(json: &str) -> Catalogue {
    let mut value: serde_json::Value = serde_json::from_str(json).unwrap();
    for list in ["actions", "types", "errors", "exemptions"] {
        value.as_object_mut().unwrap().entry(list).or_insert_with(|| serde_json::json!([]));
    }
    serde_json::from_value(value).unwrap()
}

pub(super) fn bank() -> Catalogue {
    catalogue(BANK)
}

pub(super) fn lock() -> Lock {
    Lock::of(&bank(), &["bank"])
}

/// The bank with something changed.
pub(super) fn bank_with(change: impl FnOnce(&mut Catalogue)) -> Catalogue {
    let mut bank = bank();
    change(&mut bank);
    bank
}

/// The event.
pub(super) fn opened(catalogue: &mut Catalogue) -> &mut CatalogueAction {
    &mut catalogue.actions[0]
}

/// The function.
pub(super) fn transfer(catalogue: &mut Catalogue) -> &mut CatalogueAction {
    &mut catalogue.actions[1]
}
