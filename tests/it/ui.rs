//! What compiles and what does not, and what the user is told.

use std::env;
use std::process::{Command, Stdio};

/// As trybuild has them where it builds the cases. What these need it builds without the last one: as cargo sees it, all of
/// that is then another's, and to be built again. Cargo heeds this variable before what trybuild says.
const FLAGS: (&str, &str) = (
    "CARGO_ENCODED_RUSTFLAGS",
    "--cfg\u{1f}trybuild\u{1f}--verbose\u{1f}-A\u{1f}dead_code\u{1f}--diagnostic-width=140",
);

/// The project that trybuild makes is in no workspace, and has the whole of it by default.
const DEBUG: (&str, &str) = ("CARGO_PROFILE_DEV_DEBUG", "none");

/// Runs in a process of its own, whose environment is that of every cargo it starts.
#[test]
fn mistakes_are_told_at_their_own_tokens() {
    const CHILD: &str = "AUDITED_UI_CHILD";
    if env::var_os(CHILD).is_some() {
        let cases = trybuild::TestCases::new();
        cases.pass("tests/ui/pass/*.rs");
        cases.compile_fail("tests/ui/fail/*.rs");
        return;
    }
    let chosen = env::args_os().filter(|argument| argument.to_string_lossy().starts_with("trybuild="));
    let ran = Command::new(env::current_exe().unwrap())
        .args(["ui::mistakes_are_told_at_their_own_tokens", "--exact", "--nocapture"])
        .args(chosen)
        .envs([FLAGS, DEBUG, (CHILD, "1")])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && shown.contains("1 passed"), "{shown}");
}
