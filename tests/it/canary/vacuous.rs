//! Where there was nothing to look at, nothing found is no success.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audited::testing::{Canary, CanaryReport, canary};
use audited::{Encoder, Sensitive};
use serde::{Deserialize, Serialize};

use super::{Transfer, look};

/// The message with which the report fails.
#[track_caller]
fn failure<R>(report: CanaryReport<R>) -> String {
    assert!(report.leaks().is_empty(), "{report}");
    let panic = catch_unwind(AssertUnwindSafe(|| drop(report.assert_clean()))).expect_err("it must fail");
    *panic.downcast().expect("a text")
}

#[track_caller]
fn assert_fails<R>(report: CanaryReport<R>, why: &str) {
    let message = failure(report);
    assert!(message.contains(why), "{message}");
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Open {
    id: u64,
}

#[derive(Deserialize, Serialize, Sensitive)]
struct Switch {
    #[sensitive]
    switched: bool,
    #[sensitive]
    absent: Option<String>,
    #[sensitive]
    small: u16,
    #[sensitive]
    none: Vec<String>,
}

#[test]
fn nothing_planted_is_a_failure() {
    assert_fails(canary(&Open { id: 7 }).check(), "nothing was planted");
    assert_fails(Canary::with(|_| ()).without_record().run_sync(drop), "nothing was planted");
}

#[test]
fn fields_that_carry_no_secret_are_listed_with_the_reason() {
    let report = canary(&Switch { switched: true, absent: None, small: 7, none: Vec::new() }).check();
    let unplanted: Vec<_> = report.unplanted().iter().map(ToString::to_string).collect();
    assert_eq!(
        unplanted,
        [
            "switched: a boolean carries no secret",
            "absent: it is null: take a sample that has it",
            "small: its type takes no number of seven digits, and a shorter one stands somewhere by chance",
            "none: it is empty: take a sample that has something in it",
        ]
    );
    assert_fails(report, "nothing was planted");
}

#[test]
fn no_record_is_a_failure_unless_that_is_said() {
    assert_fails(canary(&Transfer::sample()).run_sync(drop), "the code left no record");
    canary(&Transfer::sample()).without_record().run_sync(drop).assert_clean();
}

#[tokio::test]
async fn records_of_tasks_without_the_scope_are_missed() {
    let report = canary(&Transfer::sample()).run(async |body| tokio::spawn(async move { look(&body) }).await).await;
    assert_fails(report, "spawned with `carry`");
}

#[test]
fn a_field_asked_for_by_name_must_be_planted() {
    assert_fails(canary(&Transfer::sample()).plant("mema").check(), "nothing was planted at `mema`");
    assert_fails(
        canary(&Switch { switched: true, absent: None, small: 7, none: vec!["x".into()] }).plant("switched").check(),
        "`switched`",
    );
    canary(&Transfer::sample()).plant("memo").check().assert_clean();
}

#[test]
#[should_panic(expected = "nothing was planted at `mema`")]
fn what_may_be_shown_is_declared_of_what_was_planted() {
    let _ = canary(&Transfer::sample()).shows("mema", audited::Mode::Drop);
}

#[test]
fn files_that_are_empty_or_missing_are_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let report = || canary(&Transfer::sample()).check();
    assert_fails(report().saw_dir(dir.path()), "there is no file in it");
    let file = dir.path().join("log");
    assert_fails(report().saw_file(&file), "was not seen");
    std::fs::write(&file, "").unwrap();
    assert_fails(report().saw_file(&file), "it is empty");
    std::fs::write(&file, "harmless").unwrap();
    report().saw_file(&file).saw_dir(dir.path()).assert_clean();
}

#[derive(Serialize)]
struct OneWay(String);

impl<'de> Deserialize<'de> for OneWay {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("never"))
    }
}

impl Sensitive for OneWay {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}

#[test]
#[should_panic(expected = "build the value with `Canary::with`")]
fn a_type_that_does_not_come_back_is_not_run() {
    let _ = canary(&OneWay("x".into()));
}

#[derive(Deserialize, Serialize)]
struct LeavesOut {
    id: u64,
    memo: String,
    note: String,
}

impl Sensitive for LeavesOut {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.object(|fields| {
            fields.value("id", &self.id);
            fields.redacted("note");
        });
    }
}

#[test]
fn what_a_record_leaves_out_is_listed_and_planted_by_name() {
    let value = LeavesOut { id: 1, memo: "gift".into(), note: "x".into() };
    let report = canary(&value).check();
    assert_eq!(report.planted(), ["note"]);
    assert!(report.unplanted()[0].to_string().starts_with("memo: the record leaves it out"), "{report}");
    let report = canary(&value).plant("memo").check();
    assert_eq!((report.planted(), report.unplanted()), (vec!["note", "memo"], &[][..]));
    report.assert_clean();
}
