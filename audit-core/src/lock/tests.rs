//! Every change, as it is found and as it reads.

use proptest::prelude::*;

use super::compare::Absences;
use super::samples::{bank, bank_with, catalogue, lock, opened, transfer};
use super::*;
use crate::catalogue::Catalogue;

/// The changes between the bank and the bank with something changed, as texts.
fn changes(change: impl FnOnce(&mut Catalogue)) -> Vec<String> {
    texts(&lock().compare(&bank_with(change), &["bank"]))
}

fn texts(changes: &[LockChange]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

/// Whether an update takes it, and that nothing is left to say then.
fn is_taken(lock: &Lock, catalogue: &Catalogue) -> bool {
    match lock.updated(catalogue, &["bank"]) {
        Ok(next) => {
            assert_eq!(next.compare(catalogue, &["bank"]), [], "an update leaves nothing to say");
            assert_eq!(next.to_string().parse::<Lock>().as_ref(), Ok(&next));
            true
        }
        Err(refused) => {
            assert!(!refused.is_empty());
            false
        }
    }
}

/// Asserts the one change, and that an update takes it or not.
#[track_caller]
fn one(change: impl Fn(&mut Catalogue), expected: &str, taken: bool) {
    assert_eq!(changes(&change), [expected]);
    assert_eq!(is_taken(&lock(), &bank_with(&change)), taken);
}

#[test]
fn the_same_is_no_change() {
    assert!(changes(|_| {}).is_empty());
    let shuffled = |bank: &mut Catalogue| {
        bank.actions.reverse();
        bank.actions.iter_mut().for_each(|action| action.fields.reverse());
        transfer(bank).doc = Some("Other words.".into());
        opened(bank).place.line = 99;
    };
    assert!(changes(shuffled).is_empty());
}

#[test]
fn an_action_is_added() {
    let added = |bank: &mut Catalogue| {
        let mut action = transfer(bank).clone();
        action.action = "account.close".into();
        action.place.item = "close".into();
        action.was.clear();
        bank.actions.push(action);
    };
    one(
        added,
        "harmless  account.close: added by function bank::api::close\n          \
         Records will carry this name for ever: read it once more.",
        true,
    );
}

#[test]
fn an_action_is_removed_and_retired() {
    let removed = |bank: &mut Catalogue| drop(bank.actions.remove(1));
    one(
        removed,
        "BREAKING  account.transfer: removed\n          \
         Nothing is recorded under this name any more; whoever searches for it finds only the past.\n          \
         Is it in another package, then update the lock of that first. Else write into the lock why:\n              \
         [package.bank.retired.\"account.transfer\"]\n              \
         reason = \"…\"",
        false,
    );
    let text = format!("{}\n[package.bank.retired.\"account.transfer\"]\nreason = \"sold\"\n", lock());
    let lock: Lock = text.parse().unwrap();
    let bank = bank_with(removed);
    assert_eq!(
        texts(&lock.compare(&bank, &["bank"])),
        ["notable   account.transfer: retired: sold\n          \
          Nothing is recorded under this name any more, and nothing ever may be."]
    );
    let next = lock.updated(&bank, &["bank"]).unwrap();
    let retired = &next.packages["bank"].retired["account.transfer"];
    assert_eq!((retired.reason.as_str(), &retired.was[..]), ("sold", &["account.send".to_owned()][..]));
    assert_eq!(next.compare(&bank, &["bank"]), []);
    for name in ["account.transfer", "account.send"] {
        let again = bank_with(|bank| {
            removed(bank);
            opened(bank).action = name.into();
        });
        let changes = next.compare(&again, &["bank"]);
        let reused = changes.iter().find(|change| change.severity() == LockSeverity::Forbidden).unwrap();
        assert_eq!(
            reused.to_string(),
            format!(
                "FORBIDDEN {name}: was retired in the section of bank: sold\n          \
                 Records of two meanings could not be told apart.\n          Take another name."
            )
        );
    }
}

#[test]
fn a_rename_is_guessed_by_place_and_by_fields() {
    let expected = |name: &str| {
        format!(
            "BREAKING  {name}: renamed, likely from account.transfer\n          \
             Whoever searches for the name before finds only the past, and alerts on it fall silent.\n          \
             Keep the name by `action = \"account.transfer\"`, or say by `was(\"account.transfer\")` that it was called \
             so; is it another action, then write into the lock why there is none of that name:\n              \
             [package.bank.retired.\"account.transfer\"]\n              \
             reason = \"…\""
        )
    };
    one(|bank| transfer(bank).action = "account.move".into(), &expected("account.move"), false);
    let by_module_and_fields = |bank: &mut Catalogue| {
        transfer(bank).action = "account.move".into();
        transfer(bank).place.item = "move_money".into();
    };
    one(by_module_and_fields, &expected("account.move"), false);
    let by_fields = |bank: &mut Catalogue| {
        by_module_and_fields(bank);
        transfer(bank).place.module = "bank::other".into();
    };
    one(by_fields, &expected("account.move"), false);
    let otherwise = |bank: &mut Catalogue| {
        by_fields(bank);
        transfer(bank).fields.clear();
    };
    assert_eq!(changes(otherwise).len(), 2, "one is removed, one is added");
}

#[test]
fn a_rename_that_says_so_is_taken_and_compared() {
    let renamed = |bank: &mut Catalogue| {
        transfer(bank).action = "account.move".into();
        transfer(bank).was.push("account.transfer".into());
    };
    one(
        renamed,
        "notable   account.move: renamed from account.transfer, as it says\n          \
         Whoever searches for the name before finds only the past, and alerts on it fall silent.",
        true,
    );
    let weakened = |bank: &mut Catalogue| {
        renamed(bank);
        transfer(bank).fields[2].mode = Some("plain".into());
    };
    assert!(!is_taken(&lock(), &bank_with(weakened)), "a new name does not hide what else changed");
    let next = lock().updated(&bank_with(renamed), &["bank"]).unwrap();
    let back = next.compare(&bank(), &["bank"]);
    assert!(
        texts(&back).iter().any(|text| text.contains("is the former name of account.move of the package bank")),
        "{back:?}"
    );
}

#[test]
fn a_former_name_stays() {
    one(
        |bank| transfer(bank).was.clear(),
        "BREAKING  account.transfer: former name account.send: removed\n          \
         Nobody will find out that records under the former name are of this action.\n          \
         Undo it, or write into the lock why:\n              \
         [package.bank.accept.\"account.transfer: former name account.send: removed\"]\n              \
         reason = \"…\"",
        false,
    );
    one(
        |bank| opened(bank).was.push("account.new".into()),
        "harmless  account.opened: former name account.new: added\n          \
         The name can never stand for anything else.",
        true,
    );
}

#[test]
fn a_field_is_added_removed_or_of_another_type() {
    one(
        |bank| drop(transfer(bank).fields.pop()),
        "BREAKING  account.transfer: field note: removed\n          \
         Records will no longer tell this.\n          \
         Undo it, or write into the lock why:\n              \
         [package.bank.accept.\"account.transfer: field note: removed\"]\n              \
         reason = \"…\"",
        false,
    );
    one(
        |bank| {
            let mut field = transfer(bank).fields[2].clone();
            field.key = "memo".into();
            transfer(bank).fields.push(field);
        },
        "harmless  account.transfer: field memo: added (String, drop)\n          \
         Records will show one thing more: look at how it is redacted.",
        true,
    );
    one(
        |bank| transfer(bank).fields[1].ty = Some("Payment".into()),
        "BREAKING  account.transfer: field body: of the type Transfer -> Payment\n          \
         Records may show the field in another form, and other marks may hold for it.\n          \
         Undo it, or write into the lock why:\n              \
         [package.bank.accept.\"account.transfer: field body: of the type Transfer -> Payment\"]\n              \
         reason = \"…\"",
        false,
    );
}

#[test]
fn redaction_is_weakened_or_tightened() {
    one(
        |bank| transfer(bank).fields[2].mode = Some("plain".into()),
        "BREAKING  account.transfer: field note: drop -> plain\n          \
         Records may show what they hid before.\n          \
         Undo it, or write into the lock why:\n              \
         [package.bank.accept.\"account.transfer: field note: drop -> plain\"]\n              \
         reason = \"…\"",
        false,
    );
    one(
        |bank| opened(bank).fields[0].mode = Some("drop".into()),
        "harmless  account.opened: field by: hash, class pii, scope staff -> drop, class pii, scope staff\n          \
         Records show less than before.",
        true,
    );
    let without_class = changes(|bank| opened(bank).fields[0].class = None);
    assert!(
        without_class[0].starts_with("BREAKING  account.opened: field by: hash, class pii, scope staff -> hash, scope")
    );
    let in_a_type = changes(|bank| bank.types[0].fields[1].mode = None);
    assert!(in_a_type[0].starts_with("BREAKING  type bank::api::Transfer: field memo: drop -> as its type says\n"));
}

#[test]
fn an_accepted_weakening_is_history_and_accepts_no_other() {
    let weak = bank_with(|bank| transfer(bank).fields[2].mode = Some("plain".into()));
    let key = "account.transfer: field note: drop -> plain";
    let with_reason = |lock: &Lock, reason: &str| -> Lock {
        format!("{lock}\n[package.bank.accept.\"{key}\"]\nreason = \"{reason}\"\n").parse().unwrap()
    };
    let next = with_reason(&lock(), "law").updated(&weak, &["bank"]).unwrap();
    assert_eq!(next.packages["bank"].accepted[key].reasons, ["law"]);
    assert!(next.packages["bank"].accept.is_empty());
    assert_eq!(next.compare(&weak, &["bank"]), []);
    let tight = next.updated(&bank(), &["bank"]).unwrap();
    assert!(!is_taken(&tight, &weak), "a reason is for once");
    let again = with_reason(&tight, "again").updated(&weak, &["bank"]).unwrap();
    assert_eq!(again.packages["bank"].accepted[key].reasons, ["law", "again"]);
    assert_eq!(
        texts(&with_reason(&again, "in advance").compare(&weak, &["bank"])),
        [format!(
            "notable   accept {key:?}: no change of this build is called so\n          \
             It would let a later change pass that nobody has read. An update takes it away."
        )]
    );
    assert!(with_reason(&again, "in advance").updated(&weak, &["bank"]).unwrap().packages["bank"].accept.is_empty());
}

#[test]
fn the_policy_is_weakened_or_strengthened() {
    one(
        |bank| transfer(bank).policy = Some("fail_open".into()),
        "BREAKING  account.transfer: policy: fail_closed, intent -> fail_open, intent\n          \
         Calls may go on, or break off, that leave no record.\n          \
         Undo it, or write into the lock why:\n              \
         [package.bank.accept.\"account.transfer: policy: fail_closed, intent -> fail_open, intent\"]\n              \
         reason = \"…\"",
        false,
    );
    assert!(changes(|bank| transfer(bank).intent = false)[0].starts_with("BREAKING  account.transfer: policy:"));
    one(
        |bank| transfer(bank).transaction = true,
        "harmless  account.transfer: policy: fail_closed, intent -> fail_closed, intent, transaction\n          \
         More is promised of its records than before.",
        true,
    );
    let within = lock().updated(&bank_with(|bank| transfer(bank).transaction = true), &["bank"]).unwrap();
    let changes = texts(&within.compare(&bank_with(|_| {}), &["bank"]));
    assert!(changes[0].contains("as successes whose transaction is rolled back"), "{changes:?}");
    one(
        |bank| opened(bank).policy = Some("fail_closed".into()),
        "harmless  account.opened: policy: none -> fail_closed\n          \
         More is promised of its records than before.",
        true,
    );
}

#[test]
fn surface_since_and_shared_change() {
    one(
        |bank| opened(bank).surface = None,
        "notable   account.opened: recorded from cli -> everywhere\n          \
         Widened: it can be recorded from everywhere.",
        true,
    );
    one(
        |bank| transfer(bank).surface = Some("cli".into()),
        "notable   account.transfer: recorded from everywhere -> cli\n          \
         Narrowed: what records it from elsewhere has to stop.",
        true,
    );
    one(
        |bank| opened(bank).since = None,
        "harmless  account.opened: since 1.2 -> nothing\n          Records stay as they are.",
        true,
    );
    one(
        |bank| opened(bank).shared = true,
        "notable   account.opened: shared now\n          Other places may record under this name.",
        true,
    );
}

#[test]
fn what_is_locked_is_not_unlocked_in_silence() {
    one(
        |bank| opened(bank).unlocked = true,
        "BREAKING  account.opened: `unlocked` now\n          \
         Nobody will be told when its name, its fields or its redaction change.\n          \
         Undo it, or write into the lock why:\n              \
         [package.bank.accept.\"account.opened: `unlocked` now\"]\n              \
         reason = \"…\"",
        false,
    );
    let text = format!("{}\n[package.bank.accept.\"account.opened: `unlocked` now\"]\nreason = \"trial\"\n", lock());
    assert!(is_taken(&text.parse().unwrap(), &bank_with(|bank| opened(bank).unlocked = true)));
}

#[test]
fn a_key_is_one_line_whatever_a_type_is_made_of() {
    let odd = |bank: &mut Catalogue| transfer(bank).fields[2].key = "a\nb\u{1b}\"\\".into();
    let odd_lock = Lock::of(&bank_with(odd), &["bank"]);
    let weak = bank_with(|bank| {
        odd(bank);
        transfer(bank).fields[2].mode = Some("plain".into());
    });
    let message = odd_lock.compare(&weak, &["bank"])[0].to_string();
    let pasted = message.split_once("why:\n").unwrap().1;
    assert_eq!(pasted.lines().count(), 2, "{message}");
    let text = format!("{odd_lock}\n{}\n", pasted.replace('…', "law"));
    assert!(is_taken(&text.parse().unwrap(), &weak), "the lines of the message do, with a reason");
}

#[test]
fn errors_and_types_come_go_and_move() {
    one(
        |bank| bank.errors[0].reasons.push("too_late".into()),
        "harmless  error bank::api::BankError: reason too_late: added\n          \
         Records may carry it: alerts may have to know it.",
        true,
    );
    one(
        |bank| bank.errors[0].codes.clear(),
        "notable   error bank::api::BankError: code ledger: removed\n          Alerts on it fall silent.",
        true,
    );
    one(
        |bank| bank.errors[0].module = "bank".into(),
        "harmless  error bank::BankError: moved from bank::api::BankError to bank::BankError\n          \
         Records stay as they are.",
        true,
    );
    one(
        |bank| bank.types[0].name = "Payment".into(),
        "harmless  type bank::api::Payment: moved from bank::api::Transfer to bank::api::Payment\n          \
         Records stay as they are.",
        true,
    );
    let moved_and_weakened = |bank: &mut Catalogue| {
        bank.types[0].name = "Payment".into();
        bank.types[0].fields[1].mode = Some("plain".into());
    };
    assert!(!is_taken(&lock(), &bank_with(moved_and_weakened)), "a new name does not hide a lost mark");
    assert!(!is_taken(&lock(), &bank_with(|bank| bank.types.clear())), "nor does a lost derive");
    one(
        |bank| bank.errors.clear(),
        "notable   error bank::api::BankError: removed\n          Its reasons and codes come in no record any more.",
        true,
    );
}

#[test]
fn an_action_moves_within_its_package_and_to_another() {
    one(
        |bank| transfer(bank).place.module = "bank::v2".into(),
        "harmless  account.transfer: moved from function bank::api::transfer to function bank::v2::transfer\n          \
         Records stay as they are.",
        true,
    );
    let moved = bank_with(|bank| {
        transfer(bank).place.package = "ledger".into();
        transfer(bank).place.module = "ledger".into();
    });
    let both = ["bank", "ledger"];
    let found = texts(&lock().compare(&moved, &both));
    assert!(found[0].starts_with("notable   account.transfer: moved here from the package bank\n"), "{found:?}");
    assert!(
        found[1].starts_with("harmless  account.transfer: moved from function bank::api::transfer to"),
        "{found:?}"
    );
    assert_eq!(found.len(), 2);
    let next = lock().updated(&moved, &both).unwrap();
    assert!(!next.packages["bank"].actions.contains_key("account.transfer"), "it goes with it");
    assert_eq!(next.compare(&moved, &both), []);
}

#[test]
fn places_collide_unless_they_share() {
    let with_other = |shared: bool| {
        bank_with(|bank| {
            let mut other = transfer(bank).clone();
            (other.place.package, other.place.module, other.shared) = ("shop".into(), "shop".into(), shared);
            transfer(bank).shared = shared;
            bank.actions.push(other);
        })
    };
    assert_eq!(
        texts(&lock().compare(&with_other(false), &["bank"])),
        ["FORBIDDEN account.transfer: declared twice, by bank::api::transfer of bank (src/api.rs:7) and by \
          shop::transfer of shop (src/api.rs:7)\n          \
          Records of the two could not be told apart.\n          \
          Give one another name; or declare both `shared`, with the same fields, policy and surface."]
    );
    assert!(is_taken(&lock(), &with_other(true)));
    let mut apart = with_other(true);
    apart.actions[2].fields.pop();
    assert!(!is_taken(&lock(), &apart), "shared, but with other fields");
    assert!(lock().compare(&with_other(false), &["nobody"]).is_empty(), "those who collide are not asked for");
}

#[test]
fn ten_thousand_actions_take_no_time() {
    let action = |number: usize| {
        format!(
            r#"{{ "action": "a.n{number}", "origin": "function", "package": "big", "module": "big", "item": "f{number}",
               "file": "f", "line": 1, "fields": [{{ "key": "k{number}", "mode": "drop" }}, {{ "key": "x" }}] }}"#
        )
    };
    let all = |from: usize| {
        let actions: Vec<_> = (from..from + 10_000).map(action).collect();
        catalogue(&format!(r#"{{ "actions": [{}] }}"#, actions.join(",")))
    };
    let (one, other) = (all(0), all(10_000));
    let started = std::time::Instant::now();
    let lock: Lock = Lock::of(&one, &["big"]).to_string().parse().unwrap();
    assert_eq!(lock.compare(&one, &["big"]), []);
    assert_eq!(lock.compare(&other, &["big"]).len(), 20_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

fn few() -> impl Strategy<Value = String> {
    "[ab]"
}

prop_compose! {
    fn field()(key in few(), ty in prop::option::of(few()), class in prop::option::of(few()),
               mode in prop::option::of(prop_oneof![Just("drop"), Just("plain"), Just("hash"), Just("with = x")]),
               scope in prop::option::of(few())) -> LockedField {
        LockedField { key, ty, mode: mode.map(Into::into), class, scope }
    }
}

prop_compose! {
    fn action()(from in prop::collection::vec(few(), 1..3), policy in prop::option::of(prop_oneof![Just("fail_open"), Just("fail_closed")]),
                surface in prop::option::of(few()), since in prop::option::of(few()), was in prop::collection::vec("[a-f]", 0..2),
                intent: bool, transaction: bool, shared: bool, fields in prop::collection::vec(field(), 0..3)) -> LockedAction {
        LockedAction { from, policy: policy.map(Into::into), surface, since, was, intent, transaction, shared, fields }
    }
}

prop_compose! {
    fn package()(actions in prop::collection::btree_map("[a-f]", action(), 0..4),
                 types in prop::collection::btree_map("[ab](::[ab])?", prop::collection::vec(field(), 0..3), 0..3),
                 errors in prop::collection::btree_map("[ab](::[ab])?", prop::collection::vec(few(), 0..3), 0..3),
                 codes in prop::collection::vec(few(), 0..2)) -> LockedPackage {
        LockedPackage {
            actions,
            types: types.into_iter().map(|(name, fields)| (name, LockedType { fields })).collect(),
            errors: errors.into_iter().map(|(name, reasons)| {
                (name, LockedErrorType { reasons, codes: codes.clone() })
            }).collect(),
            ..LockedPackage::default()
        }
    }
}

fn locks() -> impl Strategy<Value = Lock> {
    prop::collection::btree_map("[pq]", package(), 2).prop_map(|packages| {
        let mut lock = Lock { packages };
        lock.sort();
        lock
    })
}

proptest! {
    /// Nothing passes unseen, nothing is made up, and what an update takes needs no second one.
    #[test]
    fn every_difference_is_a_change(old in locks(), new in locks()) {
        let none = catalogue("{}");
        let unforbidden = |lock: &Lock, new: &Lock| {
            let mut changes = lock.changes(new, &none, Absences::Count);
            // A name that two have is forbidden however it is locked.
            changes.retain(|change| !matches!(change.difference, LockDifference::Reused(_)));
            changes
        };
        prop_assert_eq!(unforbidden(&old, &new).is_empty(), old == new);
        prop_assert!(unforbidden(&new, &new).is_empty());
        // As if each had its reason.
        let mut reasoned = old.clone();
        for change in unforbidden(&old, &new) {
            if let Some(key) = change.key() {
                let package = reasoned.packages.get_mut(&change.package).unwrap();
                package.accept.insert(key, LockAccept { reason: "r".into() });
            }
        }
        let changes = unforbidden(&reasoned, &new);
        if let Ok(next) = reasoned.taking(new.clone(), changes, Absences::Count) {
            prop_assert!(next.packages.values().all(|package| package.accept.is_empty()));
            for (name, package) in &new.packages {
                let empty = LockedPackage::default();
                let next = next.packages.get(name).unwrap_or(&empty);
                prop_assert_eq!(
                    (&next.actions, &next.types, &next.errors),
                    (&package.actions, &package.types, &package.errors)
                );
            }
        }
    }

    /// An incomplete build takes nothing away.
    #[test]
    fn what_may_be_off_is_kept(old in locks()) {
        let none = Lock { packages: old.packages.keys().map(|name| (name.clone(), LockedPackage::default())).collect() };
        let changes = old.changes(&none, &catalogue("{}"), Absences::MayBeOff);
        prop_assert!(changes.iter().all(LockChange::is_absence));
        let mut kept = old.taking(none, changes, Absences::MayBeOff).unwrap();
        let mut whole = old;
        for lock in [&mut kept, &mut whole] {
            lock.packages.retain(|_, package| *package != LockedPackage::default());
        }
        prop_assert_eq!(kept, whole);
    }
}
