//! Vocabularies nested in others.

use audited::{AuditEvent, EventKind, Severity, Verdict, catalogue, record};

const SECRET: &str = "nE5-ted-canary";

#[derive(AuditEvent)]
#[event(prefix = "nested-user")]
enum UserEvent {
    #[event(was("nested-user.added"))]
    Created {
        id: u64,
        #[sensitive]
        name: String,
    },
    #[event(denied("locked"), severity = "warning")]
    Refused,
}

#[derive(AuditEvent)]
#[event(prefix = "nested-note")]
enum NoteEvent<'a> {
    Written(#[sensitive] &'a str),
}

#[derive(AuditEvent)]
#[event(prefix = "nested-app")]
enum AppEvent<'a> {
    Started,
    /// What users do.
    #[event(nested)]
    User(UserEvent),
    #[event(failed, severity = "critical")]
    Crashed {
        code: u8,
    },
    #[event(nested)]
    Note {
        inner: Box<NoteEvent<'a>>,
    },
    #[event(was("nested-app.ended"))]
    Stopped,
}

#[derive(AuditEvent)]
enum OnlyNested {
    #[event(nested)]
    App(AppEvent<'static>),
}

fn created() -> AppEvent<'static> {
    AppEvent::User(UserEvent::Created { id: 7, name: SECRET.into() })
}

#[test]
fn the_kind_outside_holds_the_kind_inside() {
    const ALL: &[AppEventKind] = AppEventKind::ALL;
    const NAME: &str = AppEventKind::User(UserEventKind::Created).as_str();
    assert_eq!(NAME, "nested-user.created");
    assert_eq!(created().kind(), AppEventKind::User(UserEventKind::Created));
    let user = AppEventKind::User;
    let note = AppEventKind::Note(NoteEventKind::Written);
    assert_eq!(
        ALL,
        [
            AppEventKind::Started,
            user(UserEventKind::Created),
            user(UserEventKind::Refused),
            AppEventKind::Crashed,
            note,
            AppEventKind::Stopped
        ]
    );
    assert!(ALL.is_sorted());
    assert_eq!(<OnlyNestedKind as EventKind>::ALL.len(), 6);
    assert_eq!(OnlyNestedKind::ALL[4], OnlyNestedKind::App(note));
}

#[test]
fn names_go_in_and_come_back() {
    for kind in OnlyNestedKind::ALL {
        assert_eq!(kind.as_str().parse::<OnlyNestedKind>().as_ref(), Ok(kind));
        assert_eq!(kind.action().as_str(), kind.as_str());
        let json = serde_json::to_string(kind).unwrap();
        assert_eq!(serde_json::from_str::<OnlyNestedKind>(&json).unwrap(), *kind);
    }
    assert_eq!("nested-user.added".parse(), Ok(AppEventKind::User(UserEventKind::Created)));
    assert_eq!("nested-app.ended".parse(), Ok(AppEventKind::Stopped));
    assert!("nested-app.user".parse::<AppEventKind>().is_err());
}

#[test]
fn payload_verdict_and_severity_are_those_of_the_inner_event() {
    let event = OnlyNested::App(created());
    let made = record(&event).build();
    assert_eq!(made.action(), "nested-user.created");
    assert_eq!(made.detail(), Some(r#"{"id":7,"name":"<redacted>"}"#));
    assert_eq!(made.redacted(), ["name"]);
    assert_eq!((event.verdict(), event.severity()), (None, None));
    let refused = OnlyNested::App(AppEvent::User(UserEvent::Refused));
    assert_eq!((refused.verdict(), refused.severity()), (Some(Verdict::denied("locked")), Some(Severity::Warning)));
    let crashed = AppEvent::Crashed { code: 1 };
    assert_eq!((crashed.verdict(), crashed.severity()), (Some(Verdict::failure("crashed")), Some(Severity::Critical)));
    let text = SECRET.to_owned();
    let note = AppEvent::Note { inner: Box::new(NoteEvent::Written(&text)) };
    assert_eq!(record(&note).build().detail(), Some(r#"{"value":"<redacted>"}"#));
    assert_eq!((AppEvent::Started.verdict(), AppEvent::Stopped.severity()), (None, None));
}

#[test]
fn nothing_is_registered_twice() {
    let catalogue = catalogue();
    for (action, item) in [
        ("nested-app.started", "AppEvent::Started"),
        ("nested-user.created", "UserEvent::Created"),
        ("nested-note.written", "NoteEvent::Written"),
    ] {
        let found: Vec<_> = catalogue.actions.iter().filter(|entry| entry.action == action).collect();
        assert_eq!(found.iter().map(|entry| entry.place.item.as_str()).collect::<Vec<_>>(), [item]);
    }
    assert!(catalogue.actions.iter().all(|entry| !entry.place.item.starts_with("OnlyNested")));
}
