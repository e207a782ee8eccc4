//! What is captured: nothing unless it is named, and only what is classified.

use audited::{
    Actor, ActorId, AuditContext, KeyRing, MemorySink, Record, Recorder, Sensitive, StoredResource, Subject, TenantId,
    audited, extend_context, with_context,
};
use serde::Serialize;

use super::Recorded;

#[derive(Serialize, Sensitive)]
struct Order {
    number: u64,
    #[sensitive(plain)]
    currency: String,
    #[sensitive]
    note: String,
    #[sensitive(hash)]
    device: String,
}

fn order() -> Order {
    Order { number: 7, currency: "EUR".into(), note: "s3cret-note".into(), device: "s3cret-device".into() }
}

#[audited(action = "order.place", unlocked, resource("order", order.number), fields(order, half = order.number / 2, text = plain(text), gone = drop(text)))]
async fn place(order: Order, text: &str) -> u64 {
    let moved = order;
    moved.number + text.len() as u64
}

#[audited(action = "order.place", unlocked, resource("order", order.number), fields(order, half = order.number / 2, text = plain(text), gone = drop(text)))]
fn place_sync(order: Order, text: &str) -> u64 {
    let moved = order;
    moved.number + text.len() as u64
}

#[test]
fn named_values_are_captured_before_the_body_takes_them() {
    let check = |record: &Record| {
        assert_eq!(
            record.detail(),
            Some(
                r#"{"order":{"number":7,"currency":"EUR","note":"<redacted>","device":"<redacted>"},"half":3,"text":"abc","gone":"<redacted>"}"#
            )
        );
        assert_eq!(record.redacted(), ["order.note", "order.device", "gone"]);
        assert_eq!(record.resource().map(|resource| (resource.kind, resource.id)), Some(("order".into(), "7".into())));
        assert!(!record.json().contains("s3cret"));
    };
    let recorded = Recorded::new();
    assert_eq!(recorded.run(place(order(), "abc")), 10);
    check(&recorded.only());
    let recorded = Recorded::new();
    assert_eq!(recorded.call(|| place_sync(order(), "abc")), 10);
    check(&recorded.only());
}

#[audited(action = "nothing.named")]
async fn nothing_named(password: String) -> usize {
    password.len()
}

#[test]
fn what_is_not_named_is_not_there() {
    let recorded = Recorded::new();
    recorded.run(nothing_named("s3cret".into()));
    let record = recorded.only();
    assert_eq!(record.detail(), None);
    assert!(!record.json().contains("s3cret"));
}

#[derive(Sensitive)]
struct Email(#[sensitive(hash)] String);

#[audited(action = "user.delete", actor = admin, subject = user, tenant = plain(tenant))]
async fn delete(admin: u64, user: &Email, tenant: &str) {
    let _ = (admin, user, tenant);
}

fn keys() -> KeyRing {
    KeyRing::new("k", [7; 32]).unwrap()
}

fn with_keys() -> Recorded {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).keys(keys()).allow_weak_fail_closed().build().unwrap();
    Recorded { recorder, memory }
}

fn resource(kind: &str, id: String) -> (String, String) {
    (kind.into(), id)
}

fn pair(resource: StoredResource) -> (String, String) {
    (resource.kind, resource.id)
}

#[test]
fn actor_subject_and_tenant_come_from_the_attribute_where_nothing_is_known() {
    let recorded = with_keys();
    recorded.run(delete(1, &Email("ann@example.org".into()), "acme"));
    let record = recorded.only();
    assert_eq!(record.actor().and_then(|actor| actor.id), Some("1".into()));
    assert_eq!(record.tenant().as_deref(), Some("acme"));
    let hash = keys().hash(Some("acme"), None, "ann@example.org");
    assert_eq!(record.subjects().into_iter().map(pair).collect::<Vec<_>>(), [resource("user", hash)]);
    assert_eq!(record.redacted(), ["subjects[].id"]);
}

#[test]
fn what_authentication_says_comes_first() {
    let recorded = with_keys();
    let context = AuditContext::new().actor(Actor::user(ActorId::plain("2"))).tenant(TenantId::plain("acme"));
    recorded.run(with_context(context, delete(1, &Email("x".into()), "umbrella")));
    let record = recorded.only();
    assert_eq!(record.actor().and_then(|actor| actor.id), Some("2".into()));
    assert_eq!(record.tenant().as_deref(), Some("acme"));
    assert_eq!(record.claimed(), Some(r#"{"actor":{"kind":"user","id":"1"},"tenant":"umbrella"}"#));
    assert_eq!(record.flags(), ["claimed"]);
}

#[audited(action = "mail.read", actor = reader)]
async fn read(reader: &Email) {
    let _ = reader;
}

#[test]
fn the_same_actor_hashed_by_both_is_no_claim() {
    let recorded = with_keys();
    let context = || AuditContext::new().actor(Actor::user(ActorId::hash("ann@example.org")));
    recorded.run(with_context(context(), read(&Email("ann@example.org".into()))));
    recorded.run(with_context(context(), read(&Email("bob@example.org".into()))));
    let records = recorded.records();
    assert_eq!(records[0].claimed(), None);
    assert!(records[1].claimed().is_some_and(|claimed| claimed.contains(&keys().hash(None, None, "bob@example.org"))));
}

#[audited(action = "job.run", unlocked, actor = Actor::service("nightly".to_owned().as_str().len() as u64), subject = Subject::new("account", 5_u32))]
fn job() {}

#[test]
fn whole_actors_and_subjects_can_be_named() {
    let recorded = Recorded::new();
    recorded.call(job);
    let record = recorded.only();
    assert_eq!(record.get("actor"), Some(r#"{"kind":"service","id":"7"}"#));
    assert_eq!(record.get("subjects"), Some(r#"[{"kind":"account","id":"5"}]"#));
}

#[audited(action = "login.check")]
async fn login() {
    tokio::task::yield_now().await;
    extend_context(AuditContext::new().actor(Actor::user(9_u64)).role("admin")).unwrap();
}

#[test]
fn the_body_adds_what_it_learns() {
    let recorded = Recorded::new();
    recorded.run(login());
    let record = recorded.only();
    assert_eq!(record.actor().and_then(|actor| actor.id), Some("9".into()));
    assert_eq!(record.roles(), ["admin"]);
}

struct Rude;

impl Sensitive for Rude {
    fn write(&self, _: &mut audited::Encoder<'_>) {
        panic!("s3cret");
    }
}

#[audited(action = "rude.call", fields(rude, number))]
async fn rude(rude: Rude, number: u32) -> u32 {
    drop(rude);
    number
}

#[test]
fn a_value_that_panics_while_it_is_written_costs_its_place_alone() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(rude(Rude, 3)), 3);
    let record = recorded.only();
    assert_eq!(record.detail(), Some(r#"{"rude":"<unencodable>","number":3}"#));
    assert_eq!(record.flags(), ["unencodable"]);
}

#[audited(action = "file.open", unlocked, resource("file", plain(name)))]
fn open(name: &str) {
    let _ = name;
}

#[audited(action = "file.open", unlocked, resource("file", plain(name)))]
fn open_owned(name: String) {
    drop(name);
}

#[test]
fn a_plain_text_is_an_identity_as_it_is() {
    let long = "l".repeat(300);
    for name in ["a.txt", "", "null", "q\"b\\\n\u{202e}ü", &long] {
        let recorded = Recorded::new();
        recorded.call(|| open(name));
        recorded.call(|| open_owned(name.to_owned()));
        for record in recorded.records() {
            let shown = record.resource().unwrap().id;
            if name.len() > 256 {
                assert!(shown.starts_with(&name[..128]) && shown.len() < 256, "{shown}");
                assert_eq!((record.cut(), record.flags()), (vec!["resource.id".to_owned()], vec!["cut".to_owned()]));
            } else {
                assert_eq!((&*shown, record.redacted(), record.flags()), (name, vec![], vec![]));
            }
            assert!(!record.json().contains(['\n', '\u{202e}']), "{}", record.json());
        }
    }
}

#[audited(action = "visit.page", actor = visitor, subject = visitor, tenant = visitor, resource("page", visitor))]
fn visit(visitor: Option<u64>) {}

#[test]
fn what_is_absent_states_nothing() {
    let recorded = Recorded::new();
    recorded.call(|| visit(None));
    let record = recorded.only();
    for key in ["actor", "subjects", "tenant", "resource"] {
        assert_eq!(record.get(key), None);
    }
    let recorded = Recorded::new();
    recorded.call(|| visit(Some(3)));
    assert_eq!(recorded.only().get("actor"), Some(r#"{"kind":"user","id":"3"}"#));
}

#[test]
fn without_a_key_another_actor_is_still_a_claim() {
    let recorded = Recorded::new();
    let context = || AuditContext::new().actor(Actor::user(ActorId::hash("ann@example.org")));
    recorded.run(with_context(context(), read(&Email("ann@example.org".into()))));
    recorded.run(with_context(context(), read(&Email("mallory@example.org".into()))));
    let records = recorded.records();
    assert_eq!(records[0].claimed(), None);
    assert_eq!(records[1].claimed(), Some(r#"{"actor":{"kind":"user","id":"<redacted>"}}"#));
}
