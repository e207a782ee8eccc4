//! Events that were denied or failed, and how grave they are.

use audited::{
    Action, AuditEvent, Decision, Outcome, Record, Severity, StoredDecision, StoredOutcome, StoredRecord, Verdict,
    catalogue, record, with_recorder_sync,
};

use crate::support::{self, Capture};

#[derive(AuditEvent)]
#[event(prefix = "verdict-login")]
enum LoginEvent {
    #[event(denied("unknown_token"), severity = "warning")]
    Refused {
        by: u64,
    },
    #[event(denied)]
    LockedOut,
    #[event(failed("no_stock"), severity = "critical")]
    Broken(u64),
    #[event(failed)]
    TimedOut,
    #[event(severity = "notice")]
    Succeeded,
    Left,
}

fn deny(reason: &'static str) -> StoredDecision<'static> {
    StoredDecision::Deny { reason: reason.into() }
}

fn failure(code: &'static str) -> StoredOutcome<'static> {
    StoredOutcome::Failure { code: code.into() }
}

#[test]
fn a_record_says_what_the_variant_says() {
    let allow = Some(StoredDecision::Allow);
    let success = Some(StoredOutcome::Success);
    let cases = [
        (
            LoginEvent::Refused { by: 1 },
            Some(deny("unknown_token")),
            Some(failure("unknown_token")),
            Some(Severity::Warning),
        ),
        (LoginEvent::LockedOut, Some(deny("locked_out")), Some(failure("locked_out")), None),
        (LoginEvent::Broken(2), allow.clone(), Some(failure("no_stock")), Some(Severity::Critical)),
        (LoginEvent::TimedOut, allow, Some(failure("timed_out")), None),
        (LoginEvent::Succeeded, None, success.clone(), Some(Severity::Notice)),
        (LoginEvent::Left, None, success, None),
    ];
    for (event, decision, outcome, severity) in cases {
        let record = record(&event).build();
        assert_eq!((record.decision(), record.outcome(), record.severity()), (decision, outcome, severity));
        assert_eq!(event.severity(), severity);
    }
}

#[test]
fn what_the_builder_is_told_comes_first() {
    let refused = LoginEvent::Refused { by: 1 };
    let told = record(&refused).verdict(Verdict::success()).severity(Severity::Info).build();
    assert_eq!((told.decision(), told.outcome()), (Some(StoredDecision::Allow), Some(StoredOutcome::Success)));
    assert_eq!(told.severity(), Some(Severity::Info));
    let told = record(&refused).failed("later").build();
    assert_eq!((told.decision(), told.outcome()), (Some(deny("unknown_token")), Some(failure("later"))));
    let told = record(&LoginEvent::Left).denied("too_late").build();
    assert_eq!((told.decision(), told.outcome()), (Some(deny("too_late")), Some(failure("too_late"))));
    let told = record(&refused).decision(Decision::Allow).outcome(Outcome::Unknown).build();
    assert_eq!((told.decision(), told.outcome()), (Some(StoredDecision::Allow), Some(StoredOutcome::Unknown)));
}

#[test]
fn a_sink_gets_it_and_a_reader_reads_it() {
    let sink = Capture::new();
    with_recorder_sync(support::recorder(sink.clone()), || record(&LoginEvent::Broken(3)).wait().map(drop)).unwrap();
    let stored = StoredRecord::parse(sink.records()[0].json()).unwrap();
    assert_eq!((stored.outcome(), stored.severity()), (Some(failure("no_stock")), Some(Severity::Critical)));
    assert_eq!(stored.get("severity"), Some(r#""critical""#));
}

#[test]
fn an_old_record_and_an_unknown_word_have_no_severity() {
    let json = Record::builder(Action::new("a.b")).build().json().to_owned();
    assert_eq!(StoredRecord::parse(json.as_str()).unwrap().severity(), None);
    let odd = json.replacen('{', r#"{"severity":"fatal","#, 1);
    assert_eq!(StoredRecord::parse(odd).unwrap().severity(), None);
}

#[test]
fn the_catalogue_shows_it() {
    let catalogue = catalogue();
    let of = |action: &str| catalogue.actions.iter().find(|entry| entry.action == action).unwrap();
    let refused = of("verdict-login.refused");
    assert_eq!(
        (&refused.decided_by[..], refused.severity.as_deref()),
        (&["denied unknown_token".to_owned()][..], Some("warning"))
    );
    assert_eq!(of("verdict-login.timed_out").decided_by, ["failed timed_out"]);
    assert!(of("verdict-login.left").decided_by.is_empty());
}
