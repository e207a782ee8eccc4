//! Tests that need a process of their own: what they set is that of all threads.

use std::process::{Child, Command, Stdio};

const CHILD: &str = "AUDITED_TEST_CHILD";

/// Whether this is a process of its own.
pub(crate) fn is_one() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the calling test, by its full name, again in a process of its own; gives true there.
#[track_caller]
pub(crate) fn runs(test: &str) -> bool {
    is_one() || {
        heard_of(test, Stdio::piped());
        false
    }
}

/// Runs a test again in a process of its own, and gives what that one said on standard error.
#[track_caller]
pub(crate) fn heard_of(test: &str, heard: Stdio) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(heard)
        .spawn()
        .and_then(Child::wait_with_output)
        .unwrap();
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}{said}");
    said.into_owned()
}
