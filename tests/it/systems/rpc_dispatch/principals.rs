//! The originator is who was verified.

use audited::{Action, Actor, ActorId, record_action};

use super::framework::principal::Principal;
use super::*;

#[test]
fn the_originator_is_verified_and_never_caller_supplied() {
    let claims = Method::new(async |_| {
        let root = Actor::user(ActorId::plain("u-root"));
        record_action(Action::new("rpc.claimed")).actor(root).await.map_err(|_| WireError::Failed)?;
        Ok(Value::Null)
    });
    let mut claimed = call("thing.do");
    claimed.params = json!({ "originator": "u-root", "user": "u-root" });
    let (answers, records) = dispatched(&service_of([("thing.do", claims)]), vec![claimed]);
    assert_eq!(answers, [Ok(Value::Null)]);
    assert_eq!(rows(&records)[0].originator, Some(UserId::new("u-ann")));
    let handlers = records.iter().find(|record| record.action() == "rpc.claimed").unwrap();
    assert_eq!(handlers.actor().unwrap().id.as_deref(), Some("u-ann"));
    assert_eq!(handlers.flags(), ["claimed"]);
}

/// That nothing else makes one is in `tests/ui/fail/rpc_dispatch_{constructed,deserialized}.rs`.
#[test]
fn a_principal_is_made_by_verification_alone() {
    let sessions = Sessions::new([(
        "ann-token",
        Account {
            user: UserId::new("u-ann"),
            session: SessionId::new("s-ann"),
            tenant: "acme".into(),
            roles: Vec::new(),
            scopes: [Scope::new("x"), Scope::new("y")].into(),
        },
    )]);
    assert!(sessions.verify(None).is_err() && sessions.verify(Some("other")).is_err());
    let ann: Principal = sessions.verify(Some("ann-token")).unwrap();
    assert!(ann.may(&Scope::new("x")) && ann.owns("acme") && !ann.owns("globex"));
    let narrowed = ann.narrowed(&[Scope::new("y"), Scope::new("z")]);
    let may = ["x", "y", "z"].map(|scope| narrowed.may(&Scope::new(scope)));
    assert_eq!(may, [false, true, false], "what is derived may no more than its origin");
}

#[test]
fn a_stored_record_reads_back() {
    let (_, records) = dispatched(&service::gateway(), vec![call("invoice.read")]);
    let stored = StoredRecord::parse(records[0].json()).unwrap();
    let row: Row = serde_json::from_value(json!(Row::of(&stored).unwrap())).unwrap();
    assert_eq!(row.originator, Some(UserId::new("u-ann")));
    assert_eq!(row.roles, [RoleName::new("clerk")]);
}
