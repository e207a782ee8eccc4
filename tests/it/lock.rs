//! `audit.lock`, from the file to the message.

use std::fs;
use std::path::PathBuf;
use std::thread;

use audited::{
    AuditEvent, Catalogue, CatalogueAction, Lock, LockCheck, LockDifference, LockError, LockFailure, LockItem,
    LockMode, LockReport, LockSeverity, Sensitive, audited, catalogue,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A workspace on the disk, and what its two packages record.
struct Workspace {
    root: TempDir,
    catalogue: Catalogue,
}

fn action(package: &str, name: &str, fields: &Value) -> Value {
    json!({
        "action": name, "origin": "function", "package": package, "module": package, "item": name.replace('.', "_"),
        "file": format!("{package}/src/lib.rs"), "line": 7, "policy": "fail_closed", "intent": true, "fields": fields,
    })
}

impl Workspace {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("Cargo.toml"), "[workspace]\nmembers = [\"bank\", \"shop\"]\n").unwrap();
        for package in ["bank", "shop"] {
            fs::create_dir(root.path().join(package)).unwrap();
            let manifest = format!("[package]\nname = \"{package}\"\n");
            fs::write(root.path().join(package).join("Cargo.toml"), manifest).unwrap();
        }
        let note = json!([{ "key": "note", "type": "String", "mode": "drop" }, { "key": "cents", "type": "u64" }]);
        let catalogue = json!({
            "actions": [
                action("bank", "account.close", &json!([])),
                action("bank", "account.transfer", &note),
                action("shop", "order.place", &json!([{ "key": "order", "type": "Order" }])),
            ],
            "types": [{ "package": "shop", "module": "shop", "name": "Order",
                        "fields": [{ "key": "lines" }, { "key": "buyer", "mode": "hash", "class": "pii", "scope": "shop" }] }],
            "errors": [{ "package": "bank", "module": "bank", "name": "Error", "reasons": ["scope"], "codes": ["io"] }],
            "exemptions": [],
        });
        Self { root, catalogue: serde_json::from_value(catalogue).unwrap() }
    }

    /// One whose lock is up to date.
    fn locked() -> Self {
        let workspace = Self::new();
        assert!(workspace.run(&["bank", "shop"], LockMode::Update).unwrap().written);
        workspace
    }

    fn path(&self) -> PathBuf {
        Lock::find(self.root.path().join("bank"))
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn append(&self, text: &str) {
        fs::write(self.path(), format!("{}\n{text}\n", self.text())).unwrap();
    }

    fn action(&mut self, name: &str) -> &mut CatalogueAction {
        self.catalogue.actions.iter_mut().find(|action| action.action == name).unwrap()
    }

    fn remove(&mut self, name: &str) {
        self.catalogue.actions.retain(|action| action.action != name);
    }

    fn run(&self, packages: &[&str], mode: LockMode) -> Result<LockReport, LockFailure> {
        LockCheck::new(packages.iter().copied()).run(&self.catalogue, &self.path(), mode)
    }

    fn passes(&self) -> bool {
        self.run(&["bank", "shop"], LockMode::Check).is_ok()
    }

    /// The message of a check.
    fn said(&self) -> String {
        self.run(&["bank", "shop"], LockMode::Check).unwrap_err().to_string()
    }

    /// Asserts that an update refuses and writes nothing, and returns its message.
    fn refused(&self) -> String {
        let before = fs::read(self.path()).ok();
        let failure = self.run(&["bank", "shop"], LockMode::Update).unwrap_err();
        assert_eq!(fs::read(self.path()).ok(), before, "nothing is written");
        failure.to_string()
    }

    fn update(&self) {
        self.run(&["bank", "shop"], LockMode::Update).unwrap();
        assert!(self.passes());
    }
}

#[test]
fn a_missing_lock_says_how_to_write_it() {
    let workspace = Workspace::new();
    let message = workspace.said();
    assert!(message.contains("audit.lock does not exist: `AUDIT_LOCK=update cargo test` writes it"), "{message}");
    workspace.update();
    assert_eq!(workspace.path(), workspace.root.path().join("audit.lock"));
    let left: Vec<_> = fs::read_dir(workspace.root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "nothing lies beside it: {left:?}");
    let again = workspace.run(&["bank", "shop"], LockMode::Update).unwrap();
    assert!(!again.written, "what is up to date is left alone");
}

#[test]
fn the_nearest_lock_within_the_workspace_is_taken() {
    let workspace = Workspace::new();
    let (root, bank) = (workspace.root.path(), workspace.root.path().join("bank"));
    fs::create_dir_all(root.join("alone/src")).unwrap();
    assert_eq!(Lock::find(&bank), root.join("audit.lock"));
    fs::write(root.join("audit.lock"), "").unwrap();
    assert_eq!(Lock::find(&bank), root.join("audit.lock"));
    fs::write(bank.join("audit.lock"), "").unwrap();
    assert_eq!(Lock::find(&bank), bank.join("audit.lock"));
    fs::write(root.join("alone/Cargo.toml"), "[package]\nname = \"alone\"\n[workspace]\n").unwrap();
    assert_eq!(Lock::find(root.join("alone")), root.join("alone/audit.lock"), "its own workspace");
}

#[test]
fn a_rename_fails_and_says_how_to_keep_the_name() {
    let mut workspace = Workspace::locked();
    workspace.action("account.transfer").action = "account.send".into();
    let message = workspace.said();
    assert!(
        message.contains("package bank:\n  BREAKING  account.send: renamed, likely from account.transfer"),
        "{message}"
    );
    assert!(message.contains("`action = \"account.transfer\"`, or say by `was(\"account.transfer\")`"), "{message}");
    assert!(message.ends_with("then: `AUDIT_LOCK=update cargo test`, and commit the file."), "{message}");
    workspace.refused();
    workspace.action("account.send").was.push("account.transfer".into());
    assert!(!workspace.passes(), "it is to be accepted explicitly");
    workspace.update();
    assert!(workspace.text().contains("\"account.transfer\",\n"), "{}", workspace.text());
}

#[test]
fn a_removal_needs_a_reason_that_stays() {
    let mut workspace = Workspace::locked();
    workspace.remove("account.close");
    let message = workspace.refused();
    assert!(message.contains("[package.bank.retired.\"account.close\"]\n"), "{message}");
    workspace.append("[package.bank.retired.\"account.close\"]\nreason = \"\"");
    assert!(workspace.refused().contains("`retired.account.close` of the package `bank` has no reason"));
    let text = workspace.text().replace("reason = \"\"", "reason = \"discontinued in 2025\"");
    fs::write(workspace.path(), text).unwrap();
    workspace.update();
    workspace.action("account.transfer").since = Some("2".into());
    workspace.update();
    assert!(workspace.text().contains("[package.bank.retired.\"account.close\"]\nreason = \"discontinued in 2025\"\n"));

    // In another package it is the same name.
    workspace.action("order.place").action = "account.close".into();
    let message = workspace.refused();
    assert!(
        message.contains("FORBIDDEN account.close: was retired in the section of bank: discontinued in 2025"),
        "{message}"
    );
    assert!(message.contains("What is FORBIDDEN has to be mended in the code."), "{message}");
}

#[test]
fn what_protects_less_needs_a_reason_and_what_protects_more_none() {
    let mut workspace = Workspace::locked();
    workspace.action("account.transfer").fields[0].mode = Some("plain".into());
    workspace.action("account.transfer").policy = Some("fail_open".into());
    workspace.action("account.close").intent = false;
    workspace.catalogue.types[0].fields[1].scope = None;
    let message = workspace.refused();
    let heads: Vec<_> = message.lines().map(str::trim).filter(|line| line.starts_with("[package.")).collect();
    assert_eq!(
        heads,
        [
            "[package.bank.accept.\"account.close: policy: fail_closed, intent -> fail_closed\"]",
            "[package.bank.accept.\"account.transfer: field note: drop -> plain\"]",
            "[package.bank.accept.\"account.transfer: policy: fail_closed, intent -> fail_open, intent\"]",
            "[package.shop.accept.\"type shop::Order: field buyer: hash, class pii, scope shop -> hash, class pii\"]",
        ]
    );
    for head in heads {
        workspace.append(&format!("{head}\nreason = \"the regulator asked\""));
    }
    workspace.update();
    assert_eq!(workspace.text().matches("the regulator asked").count(), 4, "reasons stay: {}", workspace.text());
    assert!(!workspace.text().contains(".accept."), "and are for once");

    workspace.action("account.transfer").fields[0].mode = Some("drop".into());
    workspace.action("account.transfer").policy = Some("fail_closed".into());
    assert!(workspace.said().contains("harmless  account.transfer: field note: plain -> drop"));
    workspace.update();
    workspace.action("account.transfer").fields[0].mode = Some("plain".into());
    workspace.refused();
}

#[test]
fn a_removed_field_needs_a_reason_and_an_added_one_none() {
    let mut workspace = Workspace::locked();
    let field = workspace.action("account.transfer").fields.pop().unwrap();
    assert!(workspace.refused().contains("BREAKING  account.transfer: field cents: removed"));
    workspace.append("[package.bank.accept.\"account.transfer: field cents: removed\"]\nreason = \"in the ledger\"");
    workspace.update();
    workspace.action("account.transfer").fields.push(field);
    workspace.update();
}

#[test]
fn in_ci_nothing_is_written() {
    let env = |ci: &'static str| {
        move |name: &str| match name {
            "AUDIT_LOCK" => Some("update".to_owned()),
            "CI" => Some(ci.to_owned()),
            _ => None,
        }
    };
    let failure = LockMode::from_env(env("true")).unwrap_err();
    assert!(matches!(failure, LockFailure::InCi));
    assert!(failure.to_string().contains("update on your own machine, and commit the file"));
    assert_eq!(LockMode::from_env(env("false")).unwrap(), LockMode::Update);
    assert_eq!(LockMode::from_env(|_| None).unwrap(), LockMode::Check);
}

#[test]
fn a_package_is_checked_and_written_by_itself() {
    let mut workspace = Workspace::locked();
    workspace.action("account.transfer").since = Some("2".into());
    workspace.action("order.place").since = Some("3".into());
    assert!(!workspace.passes());
    workspace.run(&["shop"], LockMode::Update).unwrap();
    workspace.run(&["shop"], LockMode::Check).unwrap();
    let message = workspace.run(&["bank"], LockMode::Check).unwrap_err().to_string();
    assert!(message.contains("since nothing -> 2") && !message.contains("package shop"), "{message}");
    // Its own section is all that a package writes, whatever else is linked.
    let bank = |text: &str| text.parse::<Lock>().unwrap().packages["bank"].clone();
    let before = workspace.text();
    workspace.action("order.place").since = Some("4".into());
    workspace.run(&["shop"], LockMode::Update).unwrap();
    assert_eq!(bank(&before), bank(&workspace.text()));
}

#[test]
fn packages_that_update_side_by_side_do_not_lose_each_other() {
    for _ in 0..20 {
        let workspace = Workspace::new();
        thread::scope(|scope| {
            for package in ["bank", "shop"] {
                scope.spawn(|| workspace.run(&[package], LockMode::Update).unwrap());
            }
        });
        if cfg!(unix) {
            assert!(workspace.passes(), "{}", workspace.text());
        }
    }
}

#[test]
fn crates_that_collide_are_both_named() {
    let mut workspace = Workspace::locked();
    workspace.action("order.place").action = "account.transfer".into();
    let failure = workspace.run(&["bank"], LockMode::Check).unwrap_err();
    let message = failure.to_string();
    for place in ["bank::account_transfer of bank (bank/src/lib.rs:7)", "shop::order_place of shop (shop/src/lib.rs:7)"]
    {
        assert!(message.contains(place), "{message}");
    }
    let LockFailure::Differs { changes, .. } = failure else { panic!("{message}") };
    assert_eq!(changes[0].item, LockItem::Action("account.transfer".into()));
    assert!(matches!(changes[0].difference, LockDifference::Collides { .. }));
    assert_eq!(changes[0].severity(), LockSeverity::Forbidden);
    workspace.refused();
}

#[test]
fn broken_files_are_left_as_they_are() {
    let workspace = Workspace::locked();
    let whole = workspace.text();
    for (broken, said) in [
        (
            whole.replacen("\n[package.bank.action", "\n<<<<<<< HEAD\n[package.bank.action", 1),
            "line 5: a conflict of a merge: resolve it by taking both sides",
        ),
        (whole.replace("version = 1", "version = 7"), "line 3: version 7"),
        (format!("{whole}\n[package"), "keep one"),
    ] {
        fs::write(workspace.path(), broken).unwrap();
        assert!(workspace.said().contains(said), "{}", workspace.said());
        assert!(workspace.refused().contains("audit.lock: line "));
        let read = Lock::read(workspace.path());
        assert!(matches!(read, Err(LockError::Invalid { .. })));
    }
}

#[test]
fn an_incomplete_build_reports_what_is_absent_and_keeps_it() {
    let mut workspace = Workspace::locked();
    let before = workspace.text();
    workspace.remove("account.close");
    workspace.action("account.transfer").fields.pop();
    workspace.catalogue.errors[0].codes.clear();
    workspace.catalogue.types.clear();
    let check = LockCheck::new(["bank", "shop"]).incomplete("no features");
    let report = check.run(&workspace.catalogue, &workspace.path(), LockMode::Check).unwrap();
    assert_eq!(report.absent.len(), 4, "{:?}", report.absent);
    let report = check.run(&workspace.catalogue, &workspace.path(), LockMode::Update).unwrap();
    assert_eq!((report.absent.len(), report.written), (4, false));
    assert_eq!(workspace.text(), before);
    // What is there still has to be what it was.
    workspace.action("account.transfer").fields[0].mode = Some("plain".into());
    let failure = check.run(&workspace.catalogue, &workspace.path(), LockMode::Check).unwrap_err().to_string();
    assert!(failure.contains("drop -> plain") && !failure.contains("account.close"), "{failure}");
}

#[test]
fn a_package_that_is_not_linked_is_no_empty_one() {
    let workspace = Workspace::locked();
    let failure = workspace.run(&["the-vault"], LockMode::Check).unwrap_err().to_string();
    assert!(
        failure.contains("nothing of the package `the-vault`") && failure.contains("`use the_vault as _;`"),
        "{failure}"
    );
}

#[test]
#[should_panic(expected = "nothing of the package `no-such-package` is linked into this test")]
fn the_macro_panics_with_the_message() {
    audited::assert_locked!(packages = ["no-such-package"]);
}

#[test]
#[should_panic(expected = "tests/no/such/audit.lock does not exist")]
fn a_binary_may_have_a_lock_of_its_own() {
    audited::assert_locked!(file = "tests/no/such/audit.lock");
}

#[derive(Sensitive)]
struct LockedParcel {
    #[sensitive(hash(scope = "locked"), class = "pii")]
    locked_receiver: String,
}

#[audited(action = "locked.ship", fields(parcel, note = drop(note)), was("locked.send"), errors = failure("refused"), fail_closed)]
fn ship(parcel: &LockedParcel, note: String) -> Result<usize, audited::Refusal> {
    Ok(parcel.locked_receiver.len() + note.len())
}

#[audited(action = "locked.try", unlocked)]
fn unlocked() {}

#[derive(AuditEvent)]
#[event(prefix = "locked")]
enum LockedEvent {
    Lost { parcel: u64 },
}

#[test]
fn what_the_macros_register_is_locked() {
    assert_eq!(LockedEvent::Lost { parcel: 1 }.kind(), LockedEventKind::Lost);
    unlocked();
    assert!(ship(&LockedParcel { locked_receiver: "r".into() }, "n".into()).is_err());
    let lock = Lock::of(&catalogue(), &["audited"]);
    let package = &lock.packages["audited"];
    let ship = &package.actions["locked.ship"];
    assert_eq!(ship.from, [format!("function {}::ship", module_path!())]);
    assert_eq!((ship.policy.as_deref(), ship.intent), (Some("fail_closed"), true));
    assert_eq!(ship.was, ["locked.send"]);
    assert_eq!(package.actions["locked.lost"].from, [format!("event {}::LockedEvent::Lost", module_path!())]);
    assert!(!package.actions.contains_key("locked.try"));
    let text = lock.to_string();
    assert!(text.contains(
        "    { key = \"locked_receiver\", type = \"String\", mode = \"hash\", class = \"pii\", scope = \"locked\" },\n"
    ));
    assert_eq!(text.parse::<Lock>().unwrap(), lock);
}
