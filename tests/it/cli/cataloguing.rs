//! `audited catalogue`: what a program records, in every form, and what a release changes.

use std::fs;

use audited::{Catalogue, catalogue};
use serde_json::Value;
use tempfile::TempDir;

use super::{finish, program, run};

/// A directory with the catalogue of this program in it, and one that is otherwise.
fn files() -> (TempDir, Catalogue) {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = catalogue();
    fs::write(directory.path().join("old.json"), catalogue.to_json()).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/audit.lock"), directory.path().join("audit.lock")).unwrap();
    (directory, catalogue)
}

#[test]
fn each_form_is_what_the_library_gives() {
    let (directory, catalogue) = files();
    let form = |form: &str| run(directory.path(), &["catalogue", "old.json", "--format", form]).expect(0);
    assert_eq!(Catalogue::from_json(&form("json")).unwrap(), catalogue);
    assert_eq!(form("markdown").trim_end(), catalogue.to_markdown().trim_end());
    assert_eq!(form("html").trim_end(), catalogue.to_html().trim_end());
    assert_eq!(form("typescript").trim_end(), catalogue.to_typescript().trim_end());
    assert_eq!(serde_json::from_str::<Value>(&form("schema")).unwrap(), catalogue.to_json_schema());
    let table = run(directory.path(), &["catalogue", "old.json"]).expect(0);
    let first = &catalogue.actions[0].action;
    assert!(table.starts_with("ACTION") && table.contains(first.as_str()), "{table}");
    assert_eq!(run(directory.path(), &["catalogue", "old.json", "--json"]).expect(0), form("json"));
    let mut piped = program(directory.path());
    piped.args(["catalogue", "-"]).stdin(fs::File::open(directory.path().join("old.json")).unwrap());
    assert_eq!(finish(&mut piped).expect(0), table);
}

#[test]
fn a_lock_is_shown_as_far_as_it_says() {
    let (directory, _) = files();
    let table = run(directory.path(), &["catalogue", "audit.lock"]).expect(0);
    assert!(
        table.contains("account.transfer") && table.contains("is refused") && table.contains("token (drop)"),
        "{table}"
    );
    let typescript = run(directory.path(), &["catalogue", "audit.lock", "--format", "typescript"]).expect(0);
    assert!(typescript.contains("account.transfer"), "{typescript}");
}

#[test]
fn a_difference_that_breaks_ends_it_with_1_and_others_with_0() {
    let (directory, catalogue) = files();
    let dir = directory.path();
    let out = run(dir, &["catalogue", "--diff", "old.json", "old.json"]).expect(0);
    assert_eq!(out, "nothing that is locked is otherwise\n");
    let mut less = catalogue.clone();
    let gone = less.actions.iter().position(|action| action.action == "catalogued.lost").unwrap();
    less.actions.remove(gone);
    fs::write(dir.join("less.json"), less.to_json()).unwrap();
    let out = run(dir, &["catalogue", "--diff", "old.json", "less.json"]).expect(1);
    assert!(out.contains("BREAKING  catalogued.lost: removed"), "{out}");
    let out = run(dir, &["catalogue", "--diff", "less.json", "old.json"]).expect(0);
    assert!(out.contains("harmless  catalogued.lost: added"), "{out}");
    let json = run(dir, &["catalogue", "--diff", "old.json", "less.json", "--json"]).expect(1);
    let change: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&change["severity"], &change["package"]), (&"breaking".into(), &"audited".into()));
}

#[test]
fn locks_are_compared_with_each_other_and_with_catalogues() {
    let (directory, catalogue) = files();
    let dir = directory.path();
    let lock = fs::read_to_string(dir.join("audit.lock")).unwrap();
    fs::write(dir.join("new.lock"), lock.replace("mode = \"drop\"", "mode = \"plain\"")).unwrap();
    let out = run(dir, &["catalogue", "--diff", "audit.lock", "new.lock"]).expect(1);
    assert!(out.contains("session.refused: field token: drop -> plain"), "{out}");
    run(dir, &["catalogue", "--diff", "audit.lock", "audit.lock"]).expect(0);
    // Of this test's program the lock knows nothing, nor that of the lock.
    let lost = catalogue.actions.iter().any(|action| action.action == "account.interest");
    let out = run(dir, &["catalogue", "--diff", "audit.lock", "old.json"]);
    assert_eq!(out.code, i32::from(!lost), "{out:?}");
    run(dir, &["catalogue", "--diff", "old.json", "audit.lock"]).expect(1);
}

#[test]
fn what_is_neither_is_said_to_be() {
    let (directory, _) = files();
    let dir = directory.path();
    fs::write(dir.join("text"), "hello\u{1b}[31m").unwrap();
    fs::write(dir.join("other.json"), "{\"actions\": 3}").unwrap();
    for (arguments, code, says) in [
        (&["catalogue", "text"][..], 2, "neither the JSON of a catalogue nor a lock"),
        (&["catalogue", "other.json"], 2, "other.json is no catalogue, line 1, column 13"),
        (&["catalogue", "none"], 3, "none cannot be read"),
        (&["catalogue"], 2, "FILE"),
        (&["catalogue", "--diff", "old.json"], 2, "--diff"),
        (&["catalogue", "old.json", "--format", "pdf"], 2, "typescript"),
    ] {
        let ran = run(dir, arguments);
        assert!(ran.err.contains(says) && !ran.err.contains('\u{1b}'), "{arguments:?}: {ran:?}");
        ran.expect(code);
    }
}
