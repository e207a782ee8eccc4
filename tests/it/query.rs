//! Records are found again by what they keep as a keyed hash.

use audited::{
    Action, Actor, ActorId, AuditContext, KeyRing, MemorySink, Query, Recorder, Sensitive, TenantId, record_action,
    with_context_sync, with_recorder_sync,
};

#[derive(Sensitive)]
struct Login {
    #[sensitive(hash(scope = "email"))]
    email: String,
    devices: Vec<Device>,
}

#[derive(Sensitive)]
struct Device {
    #[sensitive(hash)]
    serial: String,
}

fn login(email: &str, serial: &str) -> Login {
    Login { email: email.into(), devices: vec![Device { serial: "other".into() }, Device { serial: serial.into() }] }
}

/// Records one login under these keys.
fn keep(memory: &MemorySink, keys: KeyRing, tenant: &str, email: &str, serial: &str) {
    let recorder = Recorder::builder().sink(memory.clone()).keys(keys).allow_weak_fail_closed().build().unwrap();
    let context = AuditContext::new().actor(Actor::user(ActorId::hash(email))).tenant(TenantId::plain(tenant));
    with_recorder_sync(recorder, || {
        with_context_sync(context, || {
            record_action(Action::new("query.login")).field("login", &login(email, serial)).wait().unwrap();
        });
    });
}

#[test]
fn a_hashed_value_is_found_across_a_rotation_and_only_by_its_tenant_scope_and_place() {
    let old = || KeyRing::new("2025", [5; 32]).unwrap();
    let rotated = || KeyRing::new("2026", [6; 32]).unwrap().previous("2025", [5; 32]).unwrap();
    let memory = MemorySink::new();
    keep(&memory, old(), "acme", "ann@example.org", "s-1");
    keep(&memory, rotated(), "acme", "ann@example.org", "s-2");
    keep(&memory, rotated(), "acme", "bob@example.org", "s-1");
    keep(&memory, rotated(), "other", "ann@example.org", "s-3");
    let records = memory.records();
    let found = |query: Query| records.iter().filter(|record| query.matches(record)).count();
    let email = |keys: &KeyRing, tenant: &str, scope: Option<&str>| {
        found(Query::new().hashed("detail.login.email", keys, Some(tenant), scope, "ann@example.org"))
    };

    assert_eq!(email(&rotated(), "acme", Some("email")), 2, "before and after the rotation");
    assert_eq!(email(&old(), "acme", Some("email")), 1, "who has not the new key finds the old ones");
    assert_eq!(email(&KeyRing::new("2026", [6; 32]).unwrap(), "acme", Some("email")), 1, "the old key is forgotten");
    assert_eq!(email(&rotated(), "acme", None), 0, "another scope");
    assert_eq!(email(&rotated(), "other", Some("email")), 1);
    assert_eq!(email(&rotated(), "nobody", Some("email")), 0);

    let serial = |path: &str, value: &str| found(Query::new().hashed(path, &rotated(), Some("acme"), None, value));
    assert_eq!(serial("detail.login.devices.serial", "s-1"), 2, "through every item of a list");
    assert_eq!(serial("detail.login.email", "s-1"), 0, "elsewhere");
    assert_eq!(serial("actor.id", "bob@example.org"), 1);
    let both = Query::new().hashed("actor.id", &rotated(), Some("acme"), None, "ann@example.org").hashed(
        "detail.login.devices.serial",
        &rotated(),
        Some("acme"),
        None,
        "s-1",
    );
    assert_eq!(found(both), 1);
    assert_eq!(found(Query::new()), records.len());
}
