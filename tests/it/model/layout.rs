//! The layout of a record: keys, their order, and the form of their values.

use std::time::Duration;

use audited::{
    Action, Actor, ActorId, AuditContext, Code, CorrelationId, Decision, KeyRing, Kind, Outcome, Record, RecordId,
    Resource, ResourceId, SessionId, Severity, Source, Stage, StoredDecision, StoredOutcome, Subject, SubjectId,
    TenantId, Timestamp, TraceId, Verdict, with_context_sync,
};

use super::{DONE, check};

const ID: &str = "01932f5e-7b3c-7000-8000-000000000001";

fn bare() -> audited::RecordBuilder<'static> {
    Record::builder(DONE).id(ID.parse().unwrap()).occurred_at("2026-11-21T09:30:00.000123Z".parse().unwrap())
}

#[test]
fn the_whole_layout_is_this() {
    let context = AuditContext::new()
        .actor(Actor::user(ActorId::plain("ann")))
        .on_behalf_of(Actor::user(ActorId::hash("carl")))
        .called_by(Actor::service(ActorId::plain("gateway")))
        .called_by(Actor::system())
        .subject(Subject::user(SubjectId::plain("bob")))
        .tenant(TenantId::plain("acme"))
        .role("admin")
        .role("auditor")
        .session(SessionId::new("s-1"))
        .source(Source::new().ip("2001:db8::1".parse().unwrap()).user_agent("curl/8").origin("https://x.test"))
        .correlation_id(CorrelationId::parse("req-1").unwrap())
        .trace_id(TraceId::parse("0af7651916cd43dd8448eb211c80319c").unwrap());
    let record = bare()
        .context(context)
        .subject(Subject::new("account", SubjectId::from(7_u32)))
        .context(AuditContext::new().tenant(TenantId::plain("evil")))
        .resource(Resource::new("order", ResourceId::plain("o-1")))
        .verdict(Verdict::denied("missing_scope"))
        .severity(Severity::Warning)
        .latency(Duration::from_nanos(1_234_999))
        .field("items", &3_u8)
        .fields(|fields| {
            fields.redacted("memo");
            fields.plain("text", "a\n\u{2028}b");
        })
        .build();
    check(&record);
    // Readers in other languages rely on this: a change of it is a change of the schema.
    let golden = concat!(
        r#"{"schema":1,"id":"01932f5e-7b3c-7000-8000-000000000001","kind":"event","stage":"completed","#,
        r#""action":"thing.done","occurred_at":"2026-11-21T09:30:00.000123Z","#,
        r#""recorded_at":"2026-11-21T09:30:00.000123Z","decision":"deny","reason":"missing_scope","#,
        r#""outcome":"failure","code":"missing_scope","severity":"warning","actor":{"kind":"user","id":"ann"},"#,
        r#""on_behalf_of":{"kind":"user","id":"<redacted>"},"#,
        r#""invocation_chain":[{"kind":"service","id":"gateway"},{"kind":"system"}],"#,
        r#""subjects":[{"kind":"user","id":"bob"},{"kind":"account","id":"7"}],"#,
        r#""resource":{"kind":"order","id":"o-1"},"tenant":"acme","roles":["admin","auditor"],"#,
        r#""session":"<redacted>","#,
        r#""source":{"ip":"2001:db8::1","user_agent":"curl/8","origin":"https://x.test"},"#,
        r#""correlation_id":"req-1","trace_id":"0af7651916cd43dd8448eb211c80319c","latency_us":1234,"#,
        r#""detail":{"items":3,"memo":"<redacted>","text":"a\n\u2028b"},"claimed":{"tenant":"evil"},"#,
        r#""redacted":["memo","on_behalf_of.id","session"],"flags":["claimed"]}"#,
    );
    assert_eq!(record.json(), golden);
}

#[test]
fn what_is_absent_is_left_out() {
    assert_eq!(
        bare().build().json(),
        concat!(
            r#"{"schema":1,"id":"01932f5e-7b3c-7000-8000-000000000001","kind":"event","stage":"completed","#,
            r#""action":"thing.done","occurred_at":"2026-11-21T09:30:00.000123Z","#,
            r#""recorded_at":"2026-11-21T09:30:00.000123Z","outcome":"success"}"#
        )
    );
}

#[test]
fn every_field_reads_back() {
    let context = AuditContext::new()
        .actor(Actor::service(ActorId::plain("a\"\\")))
        .on_behalf_of(Actor::anonymous())
        .called_by(Actor::system())
        .tenant(TenantId::plain("ac\nme"))
        .role(Code::custom("r"))
        .session(SessionId::plain("s"))
        .source(Source::new().user_agent("ua"))
        .correlation_id(CorrelationId::random());
    let record = bare()
        .kind(Kind::Call)
        .stage(Stage::Panicked)
        .context(context)
        .subject(Subject::user(1_u8))
        .resource(Resource::new("k", 2_u8))
        .decision(Decision::deny("why"))
        .outcome(Outcome::failure("how"))
        .severity(Severity::Error)
        .latency(Duration::from_micros(5))
        .field("n", &1_u8)
        .build();
    check(&record);
    assert_eq!(record.schema(), Some(audited::SCHEMA));
    assert_eq!(record.id(), Some(ID.parse::<RecordId>().unwrap()));
    assert_eq!((record.kind(), record.stage()), (Some(Kind::Call), Some(Stage::Panicked)));
    assert_eq!(record.decision(), Some(StoredDecision::Deny { reason: "why".into() }));
    assert_eq!(record.outcome(), Some(StoredOutcome::Failure { code: "how".into() }));
    assert_eq!(record.severity(), Some(Severity::Error));
    assert_eq!(record.actor().unwrap().id.as_deref(), Some("a\"\\"));
    assert_eq!(record.on_behalf_of().unwrap().kind, Some(audited::ActorKind::Anonymous));
    assert_eq!(record.invocation_chain().len(), 1);
    assert_eq!(record.tenant().as_deref(), Some("ac\nme"));
    assert_eq!((record.roles(), record.session().as_deref()), (vec!["r".to_owned()], Some("s")));
    assert_eq!(record.source().unwrap().user_agent.as_deref(), Some("ua"));
    assert_eq!((&*record.subjects()[0].kind, &*record.subjects()[0].id), ("user", "1"));
    assert_eq!(record.resource().unwrap().id, "2");
    assert_eq!(record.correlation_id().unwrap().len(), 36);
    assert_eq!(record.latency(), Some(Duration::from_micros(5)));
    assert_eq!(record.occurred_at(), record.recorded_at());
    assert_eq!(record.get("latency_us"), Some("5"));
    assert_eq!((record.seq(), record.stream(), record.trace_id(), record.parent()), (None, None, None, None));
    let detail: std::collections::BTreeMap<String, u8> = record.detail_as().unwrap();
    assert_eq!(detail["n"], 1);
}

#[test]
fn times_have_microseconds_and_are_utc() {
    let moment: Timestamp = "2026-11-21T11:30:00.123456789+02:00".parse().unwrap();
    assert_eq!(moment.to_string(), "2026-11-21T09:30:00.123456Z");
    assert_eq!(Timestamp::from_unix_micros(1).unwrap().to_string(), "1970-01-01T00:00:00.000001Z");
    assert_eq!(Timestamp::from_unix_micros(-1).unwrap().to_string(), "1969-12-31T23:59:59.999999Z");
    assert!("yesterday".parse::<Timestamp>().is_err());
    assert!(Timestamp::from_unix_micros(i64::MAX).is_err());
    let now = Timestamp::now();
    assert_eq!(now.to_string().len(), "2026-11-21T09:30:00.000000Z".len());
    assert_eq!(now.to_string().parse::<Timestamp>().unwrap(), now);
}

#[test]
fn ids_of_records_are_in_the_order_in_which_they_were_made() {
    let ids: Vec<_> = (0..1000).map(|_| Record::builder(DONE).build().id().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert_eq!(ids[0].as_uuid().get_version_num(), 7);
}

#[test]
fn a_hash_needs_a_key_and_else_nothing_is_shown() {
    let context =
        AuditContext::new().actor(Actor::user(ActorId::hash("ann@example.org"))).session(SessionId::new("s3"));
    let record = Record::builder(DONE).context(context).fields(|fields| fields.hashed("mail", "x@example.org")).build();
    check(&record);
    assert!(!record.json().contains("example.org") && !record.json().contains("s3"), "{}", record.json());
    assert_eq!(record.redacted(), ["mail", "actor.id", "session"]);
    assert_eq!(record.session().as_deref(), Some("<redacted>"));
    assert!(!KeyRing::new("k", [0; 32]).unwrap().hash(None, None, "s3").contains("s3"));
}

#[test]
fn a_builder_by_hand_takes_no_context_from_around_it() {
    let record = with_context_sync(AuditContext::new().role("admin"), || Record::builder(DONE).build());
    assert_eq!(record.roles(), Vec::<String>::new());
}

#[test]
fn a_foreign_action_is_kept_and_flagged() {
    let record = Record::builder(Action::verbatim("Zwei Wörter\n\u{202e}")).build();
    check(&record);
    assert_eq!(record.action(), "Zwei Wörter\n\u{202e}");
    assert_eq!(record.flags(), ["verbatim_action"]);
    assert_eq!(Record::builder(Action::verbatim("a.b")).build().flags(), Vec::<String>::new());
}
