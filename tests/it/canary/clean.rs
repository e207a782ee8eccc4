//! Nothing leaks, and the harness says so.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audited::testing::{Canary, canary};
use audited::{Action, Journal, Mode, PolicyRule, RedactionPolicy, Sensitive, carry, record_action};
use serde::{Deserialize, Serialize};

use super::{BankError, Transfer, look, transfer};

#[tokio::test]
async fn an_async_handler_is_clean() {
    let report = canary(&Transfer::sample()).run(async |body| transfer(body).await).await;
    assert_eq!(report.planted(), ["memo", "device", "limit"]);
    assert_eq!(report.unplanted(), []);
    let actions: Vec<_> = report.records().iter().map(|record| record.action().into_owned()).collect();
    assert_eq!(actions, ["bank.moved", "account.transfer"]);
    assert_eq!(report.and_error().and_debug().assert_clean().unwrap(), 815);
}

#[test]
fn a_sync_handler_is_clean() {
    assert_eq!(canary(&Transfer::sample()).run_sync(|body| look(&body)).assert_clean(), 815);
}

#[test]
fn a_type_by_itself_is_clean() {
    let report = canary(&Transfer::sample()).check();
    assert_eq!(report.records().len(), 1);
    report.assert_clean();
}

#[test]
fn what_is_hashed_is_a_hash_with_a_key_and_redacted_without() {
    let report = canary(&Transfer::sample()).run_sync(|body| look(&body));
    let detail = report.records()[0].detail().unwrap();
    assert_eq!(detail.matches("hash:").count(), 2, "{detail}");
    report.assert_clean();
    let report = canary(&Transfer::sample()).without_keys().run_sync(|body| look(&body));
    let detail = report.records()[0].detail().unwrap();
    assert_eq!(detail.matches("<redacted>").count(), 3, "{detail}");
    report.assert_clean();
}

#[test]
fn code_gets_what_was_planted() {
    let report = canary(&Transfer::sample()).run_sync(|body| {
        look(&body);
        body
    });
    let body = report.assert_clean();
    assert_eq!((body.to, body.currency.as_str()), (815, "EUR"));
    assert!(body.memo.chars().count() > 35 && body.memo.contains('"') && body.memo != body.device, "{}", body.memo);
    assert_eq!(body.limit.to_string().len(), 19);
}

#[test]
fn no_two_runs_plant_the_same() {
    let memo = || canary(&Transfer::sample()).without_record().run_sync(|body| body.memo).assert_clean();
    assert_ne!(memo(), memo());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_carried_tasks_are_seen() {
    let report = canary(&Transfer::sample()).run(async |body| tokio::spawn(carry(transfer(body))).await.unwrap()).await;
    assert_eq!(report.records().len(), 2);
    report.assert_clean().unwrap();
}

#[test]
fn a_panic_of_the_code_resumes_after_the_scan() {
    let report = canary(&Transfer::sample()).run_sync(|body| {
        look(&body);
        panic!("in the code")
    });
    assert!(report.result().is_none() && report.leaks().is_empty(), "{report}");
    let panic = catch_unwind(AssertUnwindSafe(|| -> () { report.assert_clean() })).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"in the code"));
}

#[tokio::test]
async fn a_panic_of_async_code_resumes_too() {
    let report = canary(&Transfer::sample())
        .run(async |body| {
            transfer(body).await.unwrap();
            panic!("in the code")
        })
        .await;
    assert_eq!(report.records().len(), 2);
    let panic = catch_unwind(AssertUnwindSafe(|| -> () { report.assert_clean() })).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"in the code"));
}

#[test]
fn code_that_takes_several_values_gets_them_built_by_hand() {
    let canary = Canary::with(|secrets| (secrets.text("password"), secrets.number::<u32>("pin"), secrets.bytes("key")));
    let report = canary.run_sync(|(password, pin, key)| {
        let record = record_action(Action::new("user.login"));
        record
            .fields(|fields| {
                fields.hashed("password", &password);
                fields.hashed("pin", &pin);
                fields.redacted("key");
            })
            .wait()
            .unwrap();
        (password, pin, key)
    });
    assert_eq!(report.planted(), ["password", "pin", "key"]);
    let (password, pin, key) = report.assert_clean();
    assert!(password.len() > 40 && pin > 1_000_000_000 && key.len() == 40);
}

#[test]
fn errors_without_secrets_are_clean() {
    let report = canary(&Transfer::sample()).run_sync(|body| {
        look(&body);
        Err::<(), _>(BankError::Frozen)
    });
    report.and_error().assert_clean().unwrap_err();
}

#[test]
fn a_journal_is_clean_too() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit-0000000001.jsonl");
    let report = canary(&Transfer::sample()).sink(Journal::open(dir.path()).unwrap()).run_sync(|body| look(&body));
    assert!(std::fs::read_to_string(&file).unwrap().contains("account.look"));
    report.saw_file(&file).saw_dir(dir.path()).assert_clean();
}

#[test]
fn the_recorder_can_have_a_policy() {
    let policy = RedactionPolicy::new().rule(PolicyRule::new(Mode::Drop).of_type("Transfer").field("device"));
    let report = canary(&Transfer::sample()).recorder(|builder| builder.redaction(policy)).run_sync(|body| look(&body));
    let detail = report.records()[0].detail().unwrap();
    assert!(detail.contains(r#""device":"<redacted>","limit":"hash:"#), "{detail}");
    report.assert_clean();
}

#[derive(Deserialize, Serialize, Sensitive)]
#[sensitive(debug)]
struct Shows {
    #[sensitive(mask(first = 12))]
    memo: String,
}

#[test]
fn a_debug_that_is_derived_from_the_marks_is_clean() {
    let report = canary(&Shows { memo: "gift".into() }).and_debug().check();
    report.assert_clean();
    let by_hand = Canary::with(|secrets| Shows { memo: secrets.text("memo") });
    by_hand.check().assert_clean();
}
