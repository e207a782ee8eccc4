//! Records of events, read back as values.

use std::error::Error;

use audited::{
    Actor, ActorId, AuditContext, AuditEvent, Limits, Mode, PolicyRule, Recorder, RedactionPolicy, Seen, Sensitive,
    SessionId, StoredRecord, ViewError, record, with_recorder_sync,
};
use serde::{Deserialize, Serialize};

use crate::support::Capture;

const SECRET: &str = "vI3-w-canary";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Sensitive)]
struct Viewed {
    zip: u32,
    #[sensitive]
    street: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Sensitive)]
struct Open {
    zip: u32,
    tags: Vec<u8>,
}

/// Nothing is known of it but that it is there.
#[derive(Clone, Debug, PartialEq)]
struct Opaque;

#[derive(AuditEvent)]
#[event(prefix = "view", view(Debug, PartialEq))]
enum ViewEvent {
    #[event(was("view.made"))]
    Created {
        id: u64,
        #[sensitive]
        opaque: Opaque,
        #[sensitive(plain)]
        plan: String,
        #[sensitive(hash)]
        mail: String,
        open: Open,
        maybe: Option<u8>,
    },
    Moved(Viewed),
    Merged(u64, #[sensitive(mask(last = 2))] String),
    Session {
        session: u64,
        #[sensitive(plain)]
        actor: String,
    },
    #[event(nested)]
    Inner(Box<InnerEvent>),
    Done,
}

#[derive(AuditEvent)]
#[event(prefix = "view-inner", view(Debug, PartialEq))]
enum InnerEvent {
    Happened { n: i8 },
}

#[derive(Serialize, AuditEvent)]
#[event(prefix = "view-skip", view(Debug, PartialEq))]
enum SkipEvent {
    Happened {
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<u8>,
        #[serde(skip)]
        left_out: u8,
        #[serde(skip_serializing_if = "String::is_empty")]
        #[sensitive(mask(last = 2))]
        masked: String,
    },
}

/// A vocabulary of which nobody has asked for a view may hold anything.
#[derive(AuditEvent)]
#[event(prefix = "view-none")]
enum WithoutView {
    Happened(#[sensitive] Opaque),
}

fn stored(event: &ViewEvent) -> StoredRecord {
    StoredRecord::parse(record(event).build().json()).unwrap()
}

fn created() -> ViewEvent {
    ViewEvent::Created {
        id: 7,
        opaque: Opaque,
        plan: "gold".into(),
        mail: SECRET.into(),
        open: Open { zip: 1, tags: vec![2] },
        maybe: None,
    }
}

fn text<T>(seen: &Seen<T>) -> &str {
    match seen {
        Seen::Value(_) => panic!("it is shown"),
        Seen::Redacted(text) => text.as_str(),
    }
}

#[test]
fn what_a_record_shows_is_read_as_values() {
    let ViewEventView::Created { id, opaque, plan, mail, open, maybe } =
        stored(&created()).view::<ViewEvent>().unwrap()
    else {
        panic!("another variant");
    };
    assert_eq!((id, plan), (Seen::Value(7), Seen::Value("gold".to_owned())));
    assert_eq!((text(&opaque), text(&mail)), ("<redacted>", "<redacted>"));
    assert_eq!(open.into_value(), Some(Open { zip: 1, tags: vec![2] }));
    assert_eq!(maybe.value(), Some(&None));
    assert_eq!(stored(&ViewEvent::Done).view::<ViewEvent>().unwrap(), ViewEventView::Done);
    let inner = stored(&ViewEvent::Inner(Box::new(InnerEvent::Happened { n: -1 })));
    let happened = InnerEventView::Happened { n: Seen::Value(-1) };
    assert_eq!(inner.view::<InnerEvent>().unwrap(), happened);
    assert_eq!(inner.view::<ViewEvent>().unwrap(), ViewEventView::Inner(happened));
}

#[test]
fn a_value_of_which_a_part_is_redacted_is_none() {
    let moved = ViewEvent::Moved(Viewed { zip: 1, street: SECRET.into() });
    let ViewEventView::Moved(value) = stored(&moved).view::<ViewEvent>().unwrap() else { panic!("another variant") };
    assert_eq!(text(&value), r#"{"zip":1,"street":"<redacted>"}"#);
    let ViewEventView::Merged(id, masked) =
        stored(&ViewEvent::Merged(1, "0123456789".into())).view::<ViewEvent>().unwrap()
    else {
        panic!("another variant");
    };
    assert_eq!((id, text(&masked)), (Seen::Value(1), "***89"));
}

#[test]
fn a_policy_and_a_limit_hide_what_the_type_shows() {
    let policy = RedactionPolicy::new().rule(PolicyRule::new(Mode::Drop).of_type("ViewEvent").field("plan"));
    let sink = Capture::new();
    let recorder = Recorder::builder()
        .sink(sink.clone())
        .allow_weak_fail_closed()
        .redaction(policy)
        .limits(Limits::new().field_bytes(64))
        .build()
        .unwrap();
    let session = ViewEvent::Session { session: 1, actor: "a".repeat(500) };
    with_recorder_sync(recorder, || {
        record(&created()).wait().unwrap();
        record(&session).wait().unwrap();
    });
    let read = |action: &str| {
        let record = sink.records().into_iter().find(|record| record.action() == action).unwrap();
        StoredRecord::from(record).view::<ViewEvent>().unwrap()
    };
    let ViewEventView::Created { plan, id, .. } = read("view.created") else { panic!("another variant") };
    assert_eq!((text(&plan), id), ("<redacted>", Seen::Value(7)));
    let ViewEventView::Session { actor, .. } = read("view.session") else { panic!("another variant") };
    assert!(text(&actor).contains("sha256"), "{actor:?}");
}

#[derive(Sensitive, Deserialize)]
struct ViewName(#[sensitive(mask(last = 3))] String);

#[derive(AuditEvent)]
#[event(prefix = "viewnames", view)]
enum ViewNames {
    Named { session: ViewName, tenant: ViewName, other: ViewName },
}

#[test]
fn what_has_the_name_of_an_identity_that_is_hidden_is_hidden_too() {
    let event = ViewEvent::Session { session: 1, actor: "ann".into() };
    let context = AuditContext::new().session(SessionId::new("s")).actor(Actor::user(ActorId::hash("x")));
    let made = record(&event).context(context).build();
    assert_eq!(made.redacted(), ["actor.id", "session"]);
    let ViewEventView::Session { session, actor } = StoredRecord::from(made).view::<ViewEvent>().unwrap() else {
        panic!("another event");
    };
    // The list of what is redacted says `session` and `actor.id`, and not whose.
    assert_eq!((session.value(), actor.value()), (None, None));
    let made = record(&event).build();
    let expected = ViewEventView::Session { session: Seen::Value(1), actor: Seen::Value("ann".into()) };
    assert_eq!(StoredRecord::from(made).view::<ViewEvent>().unwrap(), expected);
}

/// Whatever a mode leaves of it, and whatever it is called.
#[test]
fn what_has_the_name_of_an_identity_and_a_mode_of_its_own_is_hidden() {
    let whole = || ViewName("0123456789".into());
    let event = ViewNames::Named { session: whole(), tenant: whole(), other: whole() };
    let ViewNamesView::Named { session, tenant, other } =
        StoredRecord::from(record(&event).build()).view::<ViewNames>().unwrap();
    for seen in [session, tenant, other] {
        assert!(seen.value().is_none());
    }
}

#[test]
fn what_is_not_always_there_is_an_option() {
    let read = |absent, masked| {
        let event = SkipEvent::Happened { absent, left_out: 1, masked };
        StoredRecord::from(record(&event).build()).view::<SkipEvent>().unwrap()
    };
    assert_eq!(read(None, String::new()), SkipEventView::Happened { absent: None, masked: None });
    let SkipEventView::Happened { absent, masked } = read(Some(2), "0123456789".into());
    assert_eq!((absent, masked.as_ref().map(text)), (Some(Seen::Value(Some(2))), Some("***89")));
}

#[test]
fn a_former_name_reads_as_the_variant_of_today() {
    let json = stored(&created()).json().replace("view.created", "view.made");
    let view = StoredRecord::parse(json).unwrap().view::<ViewEvent>().unwrap();
    assert!(matches!(view, ViewEventView::Created { id: Seen::Value(7), .. }));
}

#[test]
fn what_does_not_fit_is_named() {
    let json = stored(&created()).json().to_owned();
    let read = |from: &str, to: &str| {
        assert!(json.contains(from));
        StoredRecord::parse(json.replacen(from, to, 1)).unwrap().view::<ViewEvent>().unwrap_err()
    };
    assert!(matches!(read("view.created", "view.gone"), ViewError::UnknownAction(_)));
    assert!(matches!(read(r#""id":7,"#, ""), ViewError::Missing { key: "id" }));
    assert!(matches!(read(r#","mail":"<redacted>""#, ""), ViewError::Missing { key: "mail" }));
    let error = read(r#""id":7"#, r#""id":"x""#);
    assert!(matches!(error, ViewError::Malformed { key: "id", .. }));
    assert_eq!(error.to_string(), "`id` is of another type");
    assert!(error.source().is_some());
    assert!(matches!(read(r#""detail":{"#, r#""detail":7,"more":{"#), ViewError::NoObject));
    assert_eq!(WithoutView::Happened(Opaque).kind().as_str(), "view-none.happened");
}

#[test]
fn in_doubt_a_value_is_redacted() {
    let json = stored(&created()).json().replace(r#""redacted":["#, r#""redacted":["…","#);
    let view = StoredRecord::parse(json).unwrap().view::<ViewEvent>().unwrap();
    assert!(matches!(view, ViewEventView::Created { id: Seen::Redacted(_), plan: Seen::Redacted(_), .. }));
}
