//! The whole way, as a service goes it: macro, environment, file, message.

use std::fs;
use std::panic::{self, catch_unwind};

use audited::{Lock, LockCheck, LockMode, audited, catalogue};

#[audited(action = "account.open")]
fn open() {}

/// The message of an assertion that is to fail.
fn failure() -> String {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let failed = catch_unwind(|| audited::assert_locked!());
    panic::set_hook(hook);
    *failed.unwrap_err().downcast().unwrap()
}

fn main() {
    open();
    let path = Lock::find(env!("CARGO_MANIFEST_DIR"));
    LockCheck::new([env!("CARGO_PKG_NAME")]).run(&catalogue(), &path, LockMode::Update).unwrap();
    audited::assert_locked!();
    audited::assert_locked!(packages = [env!("CARGO_PKG_NAME")]);

    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("account.open", "account.opened")).unwrap();
    let message = failure();
    assert!(message.contains("account.open: renamed, likely from account.opened"), "{message}");

    let gone = format!("{text}\n[package.{}.action.\"account.gone\"]\nfrom = []\n", env!("CARGO_PKG_NAME"));
    fs::write(&path, gone).unwrap();
    assert!(failure().contains("account.gone: removed"));
    audited::assert_locked!(incomplete = "without features");
    audited::assert_locked!(incomplete);
    audited::assert_locked!(packages = [env!("CARGO_PKG_NAME")], incomplete);
    audited::assert_locked!(packages = [env!("CARGO_PKG_NAME")], incomplete = "without features",);
    fs::remove_file(&path).unwrap();
}
