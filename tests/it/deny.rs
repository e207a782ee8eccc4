//! Errors that say whether they are denials.

use audited::{
    Action, Deny, Effect, MemorySink, Record, Recorder, Refusal, Sensitive, StoredDecision, StoredOutcome, Verdict,
    audited, with_recorder_sync,
};

#[derive(Deny)]
enum Inner {
    #[denied("limit_reached")]
    Limit,
    #[failed]
    BackEnd,
}

#[derive(Deny)]
#[allow(dead_code)]
enum Every {
    #[denied]
    MissingScope,
    #[denied("not-yours.v2")]
    NotYours { id: u64 },
    #[failed]
    LedgerDown(String),
    #[failed("io")]
    Io(u8, std::io::Error),
    #[denied(transparent)]
    Newtype(Inner),
    #[denied(transparent)]
    Named { source: Box<Inner> },
}

#[derive(Deny)]
#[failed]
enum Default {
    First,
    #[denied]
    Second,
    #[failed("own")]
    Third,
}

#[derive(Deny)]
#[denied("nothing_here")]
enum DefaultWithCode {
    First,
    Second,
    #[failed]
    Third,
}

#[derive(Deny)]
#[denied]
struct NotAllowed;

#[derive(Deny)]
#[failed("conversion")]
#[allow(dead_code)]
struct Conversion {
    text: String,
}

#[derive(Deny)]
#[denied(transparent)]
struct Wrapper<E>(E);

#[derive(Deny)]
enum Generic<E, T> {
    #[denied(transparent)]
    Inner(E),
    #[failed]
    #[allow(dead_code)]
    Other(T),
}

#[derive(Deny)]
enum Never {}

#[test]
fn each_mark_gives_its_verdict() {
    let cases = [
        (Every::MissingScope, Verdict::denied("missing_scope")),
        (Every::NotYours { id: 1 }, Verdict::denied("not-yours.v2")),
        (Every::LedgerDown("x".into()), Verdict::failure("ledger_down")),
        (Every::Io(1, std::io::Error::other("x")), Verdict::failure("io")),
        (Every::Newtype(Inner::Limit), Verdict::denied("limit_reached")),
        (Every::Newtype(Inner::BackEnd), Verdict::failure("back_end")),
        (Every::Named { source: Box::new(Inner::Limit) }, Verdict::denied("limit_reached")),
    ];
    for (error, verdict) in cases {
        assert_eq!(error.deny(), verdict);
    }
}

#[test]
fn a_mark_on_the_enum_holds_for_what_has_none() {
    let verdicts = [Default::First, Default::Second, Default::Third].map(|error| error.deny());
    assert_eq!(verdicts, [Verdict::failure("first"), Verdict::denied("second"), Verdict::failure("own")]);
    let verdicts = [DefaultWithCode::First, DefaultWithCode::Second, DefaultWithCode::Third].map(|error| error.deny());
    assert_eq!(verdicts, [Verdict::denied("nothing_here"), Verdict::denied("nothing_here"), Verdict::failure("third")]);
}

#[test]
fn a_struct_carries_its_mark_itself() {
    assert_eq!(NotAllowed.deny(), Verdict::denied("not_allowed"));
    assert_eq!(Conversion { text: String::new() }.deny(), Verdict::failure("conversion"));
    assert_eq!(Wrapper(Inner::Limit).deny(), Verdict::denied("limit_reached"));
}

#[test]
fn only_what_is_asked_is_bounded() {
    struct Anything;
    assert_eq!(Generic::<Inner, Anything>::Inner(Inner::BackEnd).deny(), Verdict::failure("back_end"));
    assert_eq!(Generic::<Inner, _>::Other(Anything).deny(), Verdict::failure("other"));
}

#[test]
fn an_error_that_cannot_be_is_classified_too() {
    fn classified<E: Deny>() {}
    classified::<Never>();
}

/// A classified error.
#[derive(Deny, Sensitive)]
enum Declined {
    #[denied]
    Limit {
        cents: u64,
        #[sensitive]
        account: String,
    },
    #[denied(transparent)]
    #[allow(dead_code)]
    Unclassified(#[sensitive] Unclassified),
}

#[derive(Deny)]
enum Outer {
    #[denied(transparent)]
    Declined(Declined),
    #[denied(transparent)]
    Boxed { inner: Box<Outer> },
    #[failed]
    Broken,
}

#[derive(Deny)]
#[failed("unclassified")]
struct Unclassified;

fn shown(error: &dyn Deny) -> Option<String> {
    let detail = error.detail()?;
    Record::builder(Action::new("test.error")).field("error", detail).build().detail().map(str::to_owned)
}

#[test]
fn a_classified_error_is_shown_wherever_it_is_inside_of_another() {
    let declined = || Declined::Limit { cents: 7, account: "s3cret".into() };
    let expected = r#"{"error":{"Limit":{"cents":7,"account":"<redacted>"}}}"#;
    assert_eq!(shown(&declined()).as_deref(), Some(expected));
    assert_eq!(shown(&Outer::Declined(declined())).as_deref(), Some(expected));
    assert_eq!(shown(&Outer::Boxed { inner: Box::new(Outer::Declined(declined())) }).as_deref(), Some(expected));
    assert_eq!(
        shown(&Declined::Unclassified(Unclassified)).as_deref(),
        Some(r#"{"error":{"Unclassified":"<redacted>"}}"#)
    );
    assert_eq!((shown(&Outer::Broken), shown(&Unclassified)), (None, None));
}

#[audited(action = "test.deny.refused", require = allowed, unlocked)]
fn refused(allowed: bool) -> Result<(), Refusal> {
    Ok(())
}

#[audited(action = "test.deny.passes_on", unlocked)]
fn passes_on(refusal: Refusal) -> Result<(), Refusal> {
    Err(refusal)
}

#[test]
fn a_function_may_return_a_refusal_without_an_error_of_its_own() {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder, || {
        assert_eq!(refused(false), Err(Refusal::Denied));
        for (refusal, decision, code) in [
            (Refusal::Denied, StoredDecision::Deny { reason: "forbidden".into() }, "forbidden"),
            (Refusal::Unavailable { effect: Effect::NotStarted }, StoredDecision::Allow, "audit_unavailable"),
            (Refusal::Unavailable { effect: Effect::MayHaveHappened }, StoredDecision::Allow, "audit_unavailable"),
        ] {
            assert_eq!(passes_on(refusal), Err(refusal));
            let record = memory.last("test.deny.passes_on").unwrap();
            assert_eq!(record.decision(), Some(decision));
            assert_eq!(record.outcome(), Some(StoredOutcome::Failure { code: code.into() }));
        }
    });
}
