//! `audited lock check`: a lock by itself, and beside what a program records.

use std::fs;
use std::path::Path;

use audited::{Catalogue, Lock};
use serde_json::json;
use tempfile::TempDir;

use super::{Ran, finish, program, run};

fn action(name: &str, fields: &serde_json::Value) -> serde_json::Value {
    json!({
        "action": name, "origin": "function", "package": "bank", "module": "bank", "item": name.replace('.', "_"),
        "file": "src/lib.rs", "line": 7, "policy": "fail_closed", "intent": true, "fields": fields,
    })
}

/// A directory with a catalogue `bank.json`, and the lock of it.
fn bank() -> (TempDir, Catalogue) {
    let directory = tempfile::tempdir().unwrap();
    let note = json!([{ "key": "note", "type": "String", "mode": "drop" }]);
    let catalogue = json!({
        "actions": [action("account.close", &json!([])), action("account.transfer", &note)],
        "types": [], "errors": [], "exemptions": [],
    });
    let catalogue: Catalogue = serde_json::from_value(catalogue).unwrap();
    fs::write(directory.path().join("bank.json"), catalogue.to_json()).unwrap();
    Lock::of(&catalogue, &["bank"]).write(directory.path().join("audit.lock")).unwrap();
    (directory, catalogue)
}

fn check(directory: &Path, rest: &[&str]) -> Ran {
    let mut program = program(directory);
    finish(program.env_remove("CI").args(["lock", "check"]).args(rest))
}

#[test]
fn a_lock_as_an_update_writes_it_is_sound() {
    let (directory, _) = bank();
    // The nearest one is found, also without its name.
    for arguments in [&["audit.lock"][..], &[]] {
        let out = check(directory.path(), arguments).expect(0);
        assert!(out.starts_with("sound: ") && out.contains("packages: 1, actions: 2"), "{out}");
    }
    let json = check(directory.path(), &["--json"]).expect(0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["sound"], true);
}

#[test]
fn what_is_wrong_with_a_lock_by_itself_is_named() {
    let (directory, _) = bank();
    let path = directory.path().join("audit.lock");
    let whole = fs::read_to_string(&path).unwrap();
    let with = |text: &str| {
        fs::write(&path, text).unwrap();
        let ran = check(directory.path(), &[]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is only looked at");
        ran
    };
    let out = with(&whole.replace("version = 1\n", "version = 1\n# mine\n")).expect(1);
    assert!(out.contains("not in order: the file is not what an update writes"), "{out}");
    let out = with(&format!("{whole}\n[package.shop.retired.\"account.close\"]\nreason = \"sold\"\n")).expect(1);
    assert!(out.contains("FORBIDDEN account.close: was retired in the section of shop: sold"), "{out}");
    let accept = "\n[package.bank.accept.\"account.transfer: field note: drop -> plain\"]\nreason = \"law\"\n";
    let out = with(&format!("{whole}{accept}")).expect(0);
    assert!(out.contains("1 would be accepted with the next update"), "{out}");
    let out = with(&format!("<<<<<<< ours\n{whole}")).expect(1);
    assert!(out.contains("no lock: ") && out.contains("line 1: a conflict of a merge"), "{out}");
    let out = with(&whole.replace("policy", "polcy")).expect(1);
    assert!(out.contains("unknown field `polcy`"), "{out}");
    fs::remove_file(&path).unwrap();
    let ran = check(directory.path(), &["audit.lock"]);
    assert!(ran.err.contains("audit.lock does not exist"), "{ran:?}");
    ran.expect(3);
}

#[test]
fn an_update_puts_it_in_order() {
    let (directory, _) = bank();
    let path = directory.path().join("audit.lock");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replace("version = 1\n", "version = 1\n# mine\n")).unwrap();
    let mut in_ci = program(directory.path());
    let ran = finish(in_ci.env("CI", "true").args(["lock", "check", "--update"]));
    assert!(ran.err.contains("in CI nobody reads the diff"), "{ran:?}");
    ran.expect(2);
    check(directory.path(), &["--update"]).expect(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
}

#[test]
fn beside_a_catalogue_it_says_what_the_test_of_the_workspace_says() {
    let (directory, catalogue) = bank();
    let dir = directory.path();
    let out = check(dir, &["--catalogue", "bank.json"]).expect(0);
    assert!(out.contains("is what the program records"), "{out}");
    let mut shown = catalogue;
    shown.actions[1].fields[0].mode = Some("plain".to_owned());
    fs::write(dir.join("shown.json"), shown.to_json()).unwrap();
    let out = check(dir, &["--catalogue", "shown.json"]).expect(1);
    let expected = Lock::read(dir.join("audit.lock")).unwrap().compare(&shown, &["bank"]);
    assert_eq!(expected.len(), 1);
    for line in expected[0].to_string().lines() {
        assert!(out.contains(line.trim()), "{line} is missing in {out}");
    }
    // An update takes it with a reason alone.
    let before = fs::read(dir.join("audit.lock")).unwrap();
    let out = check(dir, &["--catalogue", "shown.json", "--update"]).expect(1);
    assert!(out.contains("was not updated"), "{out}");
    assert_eq!(fs::read(dir.join("audit.lock")).unwrap(), before);
    let accept = format!("\n[package.bank.accept.\"{}\"]\nreason = \"law\"\n", expected[0].key().unwrap());
    fs::write(dir.join("audit.lock"), [before, accept.into_bytes()].concat()).unwrap();
    let out = check(dir, &["--catalogue", "shown.json", "--update"]).expect(0);
    assert!(out.contains("was brought up to date"), "{out}");
    check(dir, &["--catalogue", "shown.json"]).expect(0);
}

#[test]
fn an_incomplete_build_and_another_package_are_told_apart() {
    let (directory, mut catalogue) = bank();
    let dir = directory.path();
    catalogue.actions.remove(0);
    fs::write(dir.join("less.json"), catalogue.to_json()).unwrap();
    check(dir, &["--catalogue", "less.json"]).expect(1);
    let out = check(dir, &["--catalogue", "less.json", "--incomplete", "no features"]).expect(0);
    assert!(out.contains("account.close: removed"), "{out}");
    let ran = check(dir, &["--catalogue", "bank.json", "--package", "shop"]);
    assert!(ran.err.contains("the catalogue has nothing of the package shop"), "{ran:?}");
    ran.expect(1);
    let ran = check(dir, &["--catalogue", "audit.lock"]);
    assert!(ran.err.contains("--catalogue names a lock"), "{ran:?}");
    ran.expect(2);
    run(dir, &["lock"]).expect(2);
}
