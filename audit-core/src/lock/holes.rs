//! What once passed an update and must not.

use super::samples::{bank_with, lock, opened, transfer};
use super::*;
use crate::catalogue::Catalogue;

/// The worst of what an update of the bank has to say of a change.
fn worst(lock: &Lock, new: &Catalogue) -> Option<LockSeverity> {
    lock.compare(new, &["bank"]).iter().map(LockChange::severity).max()
}

/// A lock that accepts all that is breaking, which has to be enough.
fn accepting(lock: &Lock, new: &Catalogue, packages: &[&str]) -> Lock {
    let mut lock = lock.clone();
    for change in lock.compare(new, packages) {
        if let Some(key) = change.key() {
            let package = lock.packages.entry(change.package).or_default();
            package.accept.insert(key, LockAccept { reason: "r".into() });
        }
    }
    let next = lock.updated(new, packages).unwrap();
    assert_eq!(next.compare(new, packages), [], "an update leaves nothing to say");
    next
}

#[test]
fn another_type_is_breaking_where_it_decides_what_is_shown() {
    let body = bank_with(|bank| transfer(bank).fields[1].ty = Some("PlainTransfer".into()));
    assert_eq!(worst(&lock(), &body), Some(LockSeverity::Breaking));
    accepting(&lock(), &body, &["bank"]);
    let masked = bank_with(|bank| transfer(bank).fields[2].ty = Some("Text".into()));
    assert_eq!(worst(&lock(), &masked), Some(LockSeverity::Notable));
    let plain = |ty: &str| {
        bank_with(|bank| {
            transfer(bank).fields[2].ty = Some(ty.into());
            transfer(bank).fields[2].mode = Some("plain".into());
        })
    };
    assert_eq!(worst(&Lock::of(&plain("Short"), &["bank"]), &plain("Long")), Some(LockSeverity::Breaking));
    let in_a_type = |ty: Option<&str>| bank_with(|bank| bank.types[0].fields[0].ty = ty.map(Into::into));
    assert_eq!(worst(&lock(), &in_a_type(Some("Cents"))), Some(LockSeverity::Harmless), "it is only told now");
    let told = Lock::of(&in_a_type(Some("Cents")), &["bank"]);
    assert_eq!(worst(&told, &in_a_type(Some("Card"))), Some(LockSeverity::Breaking));
    assert_eq!(worst(&told, &in_a_type(None)), Some(LockSeverity::Breaking), "nobody knows what it is now");
}

#[test]
fn a_name_that_is_gone_is_not_used_again_by_what_is_unlocked() {
    let with = |name: &str, package: &str| {
        bank_with(|bank| {
            let mut other = opened(bank).clone();
            (other.action, other.place.package, other.unlocked) = (name.into(), package.into(), true);
            bank.actions.push(other);
        })
    };
    let retired: Lock =
        format!("{}\n[package.bank.retired.\"account.sold\"]\nreason = \"sold\"\n", lock()).parse().unwrap();
    for name in ["account.send", "account.sold"] {
        assert_eq!(worst(&retired, &with(name, "bank")), Some(LockSeverity::Forbidden), "{name}");
        assert_eq!(worst(&retired, &with(name, "nobody")), None, "that package is not asked for");
    }
    assert_eq!(worst(&retired, &with("account.trial", "bank")), None);
}

#[test]
fn an_action_that_swallows_another_is_breaking_and_loses_nothing_of_it_in_silence() {
    let swallowed = |bank: &mut Catalogue| {
        opened(bank).was.push("account.transfer".into());
        bank.actions.remove(1);
    };
    let whole = bank_with(|bank| {
        swallowed(bank);
        opened(bank).was.push("account.send".into());
    });
    let found: Vec<_> = lock().compare(&bank_with(swallowed), &["bank"]).iter().filter_map(LockChange::key).collect();
    assert_eq!(
        found,
        [
            "account.opened: merged with account.transfer, as it says",
            "account.opened: field body: removed",
            "account.opened: field note: removed",
            "account.opened: field resource account: removed",
            "account.opened: policy: fail_closed, intent -> none",
            "account.opened: former name account.send: removed",
        ]
    );
    let keys: Vec<_> = lock().compare(&whole, &["bank"]).iter().filter_map(LockChange::key).collect();
    assert_eq!(keys, found[..5]);
    let next = accepting(&lock(), &whole, &["bank"]);
    assert_eq!(next.packages["bank"].accepted.len(), 5);
    accepting(&lock(), &bank_with(swallowed), &["bank"]);
}

#[test]
fn two_that_become_one_new_action_are_both_compared() {
    let both = bank_with(|bank| {
        opened(bank).action = "account.change".into();
        opened(bank).was = vec!["account.opened".into(), "account.transfer".into(), "account.send".into()];
        bank.actions.remove(1);
    });
    let keys: Vec<_> = lock().compare(&both, &["bank"]).iter().filter_map(LockChange::key).collect();
    assert!(keys.contains(&"account.change: policy: fail_closed, intent -> none".to_owned()), "{keys:?}");
}

/// The bank with three doors of one action: an event and two functions.
fn doors(change: impl FnOnce(&mut Catalogue)) -> Catalogue {
    bank_with(|bank| {
        let mut other = transfer(bank).clone();
        other.place.item = "transfer_by_mail".into();
        let mut event = transfer(bank).clone();
        (event.origin, event.policy, event.intent) = (crate::Origin::Event, None, false);
        event.place.item = "Event::Transferred".into();
        bank.actions.splice(1..1, [event]);
        bank.actions.push(other);
        bank.actions[1..].iter_mut().for_each(|door| door.shared = true);
        change(bank);
    })
}

#[test]
fn a_shared_action_promises_what_its_weakest_function_does() {
    let lock = Lock::of(&doors(|_| {}), &["bank"]);
    assert_eq!(lock.packages["bank"].actions["account.transfer"].policy.as_deref(), Some("fail_closed"));
    assert!(lock.packages["bank"].actions["account.transfer"].intent, "an event has none, and promises none");
    assert_eq!(worst(&lock, &doors(|_| {})), None);
    for number in [2, 3] {
        let open = doors(|bank| bank.actions[number].policy = Some("fail_open".into()));
        let policy = "account.transfer: policy: fail_closed, intent -> fail_open, intent".to_owned();
        assert!(lock.compare(&open, &["bank"]).iter().any(|change| change.key() == Some(policy.clone())));
        assert_eq!(worst(&lock, &open), Some(LockSeverity::Forbidden), "the two functions differ");
        let unsure = doors(|bank| bank.actions[number].intent = false);
        let policy = "account.transfer: policy: fail_closed, intent -> fail_closed".to_owned();
        assert!(lock.compare(&unsure, &["bank"]).iter().any(|change| change.key() == Some(policy.clone())));
    }
}

#[test]
fn functions_of_other_packages_are_compared_with_each_other() {
    let elsewhere = |open: bool| {
        doors(|bank| {
            bank.actions[2].place.package = "shop".into();
            bank.actions[3].place.package = "desk".into();
            if open {
                bank.actions[3].policy = Some("fail_open".into());
            }
        })
    };
    let lock = Lock::of(&elsewhere(false), &["bank"]);
    assert_eq!(worst(&lock, &elsewhere(false)), None);
    assert_eq!(worst(&lock, &elsewhere(true)), Some(LockSeverity::Forbidden));
}

#[test]
fn a_type_with_fields_does_not_go_in_silence_even_without_marks() {
    let unmarked = |bank: &mut Catalogue| bank.types[0].fields[1].mode = None;
    let lock = Lock::of(&bank_with(unmarked), &["bank"]);
    let renamed_and_less = bank_with(|bank| {
        unmarked(bank);
        bank.types[0].name = "Payment".into();
        bank.types[0].fields.pop();
    });
    assert_eq!(worst(&lock, &renamed_and_less), Some(LockSeverity::Breaking));
    accepting(&lock, &renamed_and_less, &["bank"]);
    let renamed = bank_with(|bank| {
        unmarked(bank);
        bank.types[0].name = "Payment".into();
    });
    assert_eq!(worst(&lock, &renamed), Some(LockSeverity::Harmless));
    let empty = Lock::of(&bank_with(|bank| bank.types[0].fields.clear()), &["bank"]);
    assert_eq!(worst(&empty, &bank_with(|bank| bank.types.clear())), Some(LockSeverity::Notable));
}

/// The bank as it is in another package.
fn in_package(package: &str, change: impl FnOnce(&mut Catalogue)) -> Catalogue {
    bank_with(|bank| {
        for action in &mut bank.actions {
            action.place.module = action.place.module.replacen("bank", package, 1);
            action.place.package = package.into();
        }
        for ty in &mut bank.types {
            (ty.package, ty.module) = (package.into(), ty.module.replacen("bank", package, 1));
        }
        bank.errors.clear();
        change(bank);
    })
}

#[test]
fn nothing_is_taken_from_a_package_that_is_not_asked_for() {
    let shop = in_package("shop", |shop| shop.types.clear());
    let keys: Vec<_> = lock().compare(&shop, &["shop"]).iter().filter_map(LockChange::key).collect();
    assert_eq!(
        keys,
        ["account.opened: moved here from the package bank", "account.transfer: moved here from the package bank"]
    );
    assert!(lock().updated(&shop, &["shop"]).is_err());
    let next = accepting(&lock(), &shop, &["shop"]);
    assert!(next.packages["bank"].actions.is_empty(), "with a reason, it goes with it");
    assert_eq!(next.packages["shop"].accepted.len(), 2);
    assert!(next.packages["shop"].accept.is_empty());
}

#[test]
fn a_type_of_another_package_does_not_come_here_without_its_marks() {
    let shop = |change: &dyn Fn(&mut Catalogue)| {
        in_package("shop", |shop| {
            shop.actions.clear();
            change(shop);
        })
    };
    let keys =
        |new: &Catalogue| -> Vec<_> { lock().compare(new, &["shop"]).iter().filter_map(LockChange::key).collect() };
    assert!(keys(&shop(&|_| {})).is_empty());
    let weak = shop(&|shop| shop.types[0].fields[1].mode = None);
    assert_eq!(
        keys(&weak),
        ["type shop::api::Transfer: added, and shows more than bank::api::Transfer of the package bank"]
    );
    let next = accepting(&lock(), &weak, &["shop"]);
    assert_eq!(next.packages["bank"].types.len(), 1, "the other one is as it was");
    let other_fields = shop(&|shop| {
        shop.types[0].fields[1].mode = None;
        shop.types[0].fields.remove(0);
    });
    assert!(keys(&other_fields).is_empty());
}

#[test]
fn a_field_that_shows_more_does_not_come_in_beside_one_that_is_hidden() {
    // Two types of one name, inside different functions of a module.
    let two = |mode: &str| {
        bank_with(|bank| {
            let mut other = bank.types[0].clone();
            other.fields[1].mode = Some(mode.into());
            bank.types.push(other);
        })
    };
    let lock = Lock::of(&two("drop"), &["bank"]);
    let keys: Vec<_> = lock.compare(&two("plain"), &["bank"]).iter().filter_map(LockChange::key).collect();
    assert_eq!(keys, ["type bank::api::Transfer: field memo: added (plain) beside one that shows less"]);
    accepting(&lock, &two("plain"), &["bank"]);
    let plain = Lock::of(&bank_with(|bank| bank.types[0].fields[1].mode = Some("plain".into())), &["bank"]);
    let tighter = bank_with(|bank| {
        let mut other = bank.types[0].clone();
        other.fields[1].mode = Some("plain".into());
        bank.types.push(other);
    });
    assert_eq!(worst(&plain, &tighter), Some(LockSeverity::Harmless));
}
