//! Vocabularies nested in others.

use audited::{
    AuditEvent, Catalogue, EventKind, LockCheck, LockMode, MemorySink, Recorder, Seen, Severity, StoredRecord, Verdict,
    Vocabulary, catalogue, record, with_recorder_sync,
};

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

/// Vocabularies of other crates, which know nothing of each other.
mod foreign {
    pub(super) mod one {
        #[derive(audited::AuditEvent)]
        #[event(prefix = "foreign-user", view(Debug, PartialEq), since = "1.2")]
        pub(crate) enum UserEvent {
            /// It is there.
            #[event(was("foreign-user.added"), severity = "notice")]
            Created {
                id: u64,
                #[sensitive]
                foreign_name: String,
            },
            #[event(denied)]
            Refused,
        }

        #[derive(audited::AuditEvent)]
        #[event(prefix = "foreign-app", view(Debug, PartialEq))]
        pub(crate) enum AppEvent {
            Started,
            #[event(nested)]
            User(UserEvent),
            #[event(nested, prefix = "second")]
            Second(UserEvent),
        }
    }

    pub(super) mod other {
        #[derive(audited::AuditEvent)]
        #[event(prefix = "foreign-user", view(Debug, PartialEq))]
        pub(crate) enum UserEvent {
            Created { id: i8 },
        }
    }
}

#[derive(AuditEvent)]
#[event(prefix = "service", view(Debug, PartialEq))]
enum ServiceEvent {
    Started,
    #[event(nested, prefix = "billing")]
    Billing(foreign::one::AppEvent),
    #[event(nested)]
    Other(Box<foreign::other::UserEvent>),
}

fn billed() -> ServiceEvent {
    let created = foreign::one::UserEvent::Created { id: 7, foreign_name: SECRET.into() };
    ServiceEvent::Billing(foreign::one::AppEvent::User(created))
}

#[test]
fn a_prefix_stands_before_each_name_and_is_read_back() {
    const FIRST: &str = ServiceEventKind::ALL[1].as_str();
    assert_eq!(FIRST, "billing.foreign-app.started");
    let names: Vec<_> = ServiceEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(
        names,
        [
            "service.started",
            "billing.foreign-app.started",
            "billing.foreign-user.created",
            "billing.foreign-user.refused",
            "billing.second.foreign-user.created",
            "billing.second.foreign-user.refused",
            "foreign-user.created",
        ]
    );
    for kind in ServiceEventKind::ALL {
        assert_eq!(kind.as_str().parse::<ServiceEventKind>().as_ref(), Ok(kind));
        assert_eq!(kind.action().as_str(), kind.as_str());
        assert_eq!(kind.to_string(), kind.as_str());
    }
    assert_eq!("billing.foreign-user.added".parse::<ServiceEventKind>(), Ok(billed().kind()));
    for unknown in ["foreign-user.refused", "foreign-user.added", "billing.foreign-app", "billing.service.started"] {
        assert!(unknown.parse::<ServiceEventKind>().is_err(), "{unknown}");
    }
}

#[test]
fn a_record_and_its_view_have_the_name_with_the_prefix() {
    let made = record(&billed()).build();
    assert_eq!(made.action(), "billing.foreign-user.created");
    assert_eq!(made.detail(), Some(r#"{"id":7,"foreign_name":"<redacted>"}"#));
    assert_eq!(billed().severity(), Some(Severity::Notice));
    let read = |json: &str| StoredRecord::parse(json).unwrap().view::<ServiceEvent>().unwrap();
    let ServiceEventView::Billing(foreign::one::AppEventView::User(view)) = read(made.json()) else {
        panic!("another kind")
    };
    assert!(matches!(view, foreign::one::UserEventView::Created { id: Seen::Value(7), .. }));
    let other = ServiceEvent::Other(Box::new(foreign::other::UserEvent::Created { id: 1 }));
    let made = record(&other).build();
    assert_eq!(made.action(), "foreign-user.created");
    assert!(matches!(read(made.json()), ServiceEventView::Other(foreign::other::UserEventView::Created { .. })));
    for event in [
        ServiceEvent::Started,
        ServiceEvent::Billing(foreign::one::AppEvent::Started),
        ServiceEvent::Billing(foreign::one::AppEvent::Second(foreign::one::UserEvent::Refused)),
    ] {
        assert_eq!(record(&event).build().action(), event.kind().as_str());
    }
}

#[test]
fn the_catalogue_has_the_names_with_the_prefix_where_that_is_said() {
    let catalogue = catalogue();
    let of = |action: &str| catalogue.actions.iter().filter(|entry| entry.action == action).collect::<Vec<_>>();
    let [entry] = of("billing.foreign-user.created")[..] else { panic!("declared once") };
    assert_eq!(entry.place.item, "ServiceEvent::Billing(UserEvent::Created)");
    assert_eq!((entry.place.module.as_str(), entry.place.package.as_str()), (module_path!(), "audited"));
    assert_eq!((entry.doc.as_deref(), entry.since.as_deref()), (Some("It is there."), Some("1.2")));
    assert_eq!(
        (entry.was.as_slice(), entry.severity.as_deref()),
        (&["billing.foreign-user.added".to_owned()][..], Some("notice"))
    );
    let fields: Vec<_> = entry.fields.iter().map(|field| (field.key.as_str(), field.mode.as_deref())).collect();
    assert_eq!(fields, [("id", None), ("foreign_name", Some("drop"))]);
    assert!(!entry.prefixed);
    assert_eq!(of("billing.second.foreign-user.refused")[0].decided_by, ["denied refused"]);
    // By its own name each is there still, but only the one without a prefix is recorded so.
    let own: Vec<_> =
        of("foreign-user.created").iter().map(|entry| (entry.place.module.ends_with("one"), entry.prefixed)).collect();
    assert_eq!(own, [(true, true), (false, false)]);
    assert!(catalogue.to_markdown().contains("recorded under a prefix"));
}

#[test]
fn names_that_collide_are_told_apart_by_a_prefix() {
    // Both are linked: without the prefix no recorder could be built, and the lock would say so.
    let recorder = Recorder::builder().sink(MemorySink::new()).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder, || record(&billed()).wait().unwrap());
    let built = catalogue();
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("audit.lock");
    let run = |catalogue: &Catalogue, mode| LockCheck::new(["audited"]).run(catalogue, &path, mode);
    let mut ours = built.clone();
    ours.actions.retain(|entry| entry.place.module.starts_with(module_path!()) && entry.action.contains("foreign-"));
    (ours.types, ours.errors, ours.exemptions) = (Vec::new(), Vec::new(), Vec::new());
    run(&ours, LockMode::Update).unwrap();
    let lock = std::fs::read_to_string(&path).unwrap();
    assert!(lock.contains(r#"[package.audited.action."billing.foreign-user.created"]"#), "{lock}");
    assert!(lock.contains(&format!("event {}::ServiceEvent::Billing(UserEvent::Created)", module_path!())), "{lock}");
    run(&ours, LockMode::Check).unwrap();
    // Another prefix is another name.
    let mut renamed = ours.clone();
    renamed.actions.retain(|entry| entry.action != "billing.foreign-user.created");
    let message = run(&renamed, LockMode::Check).unwrap_err().to_string();
    assert!(message.contains("billing.foreign-user.created"), "{message}");
    // As if both were recorded by their own names.
    let mut colliding = ours.clone();
    colliding.actions.iter_mut().for_each(|entry| entry.prefixed = false);
    let message = run(&colliding, LockMode::Check).unwrap_err().to_string();
    assert!(message.contains("one::UserEvent::Created") && message.contains("other::UserEvent::Created"), "{message}");
}

#[test]
fn a_vocabulary_expects_the_names_with_the_prefix() {
    let vocabulary = Vocabulary::builder().extend::<ServiceEvent>().build().unwrap();
    assert!(vocabulary.knows("billing.foreign-user.refused") && vocabulary.knows("foreign-user.created"));
    assert!(!vocabulary.knows("foreign-user.refused"));
}
