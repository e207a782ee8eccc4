//! What each event says.

use audited::EventKind;
use serde_json::{Value, json};

use super::events::TokenEventKind;
use super::*;

/// The keys of a record that are there.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[test]
fn there_are_six_events() {
    let all: Vec<_> = TokenEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let named = ["token.issued", "token.used", "token.expired", "token.revoked", "token.denied", "token.invalid"];
    assert_eq!(all, named);
    assert_eq!(<TokenEventKind as EventKind>::ALL.len(), 6);
}

#[tokio::test]
async fn issued_has_identity_jti_backends_tools_rate_limit_and_client_ip() {
    let gateway = Gateway::start().await;
    let given = gateway.issue_to_ann().await;
    let issued = gateway.audit("token.issued");
    assert_eq!(issued["actor"], json!({"kind": "user", "id": gateway.shown(ANN)}));
    assert_eq!(issued["source"]["ip"], "127.0.0.1");
    let detail = &issued["detail"];
    assert_eq!((&detail["jti"], &detail["rate_limit"]), (&json!(given.jti), &json!(1)));
    assert_eq!((&detail["backends"], &detail["tools"]), (&json!(["crm"]), &json!(["find"])));
}

#[tokio::test]
async fn used_has_identity_jti_and_client_ip_and_no_scopes() {
    let gateway = Gateway::start().await;
    let given = gateway.issue_to_ann().await;
    assert_eq!(gateway.call(&given.bearer, "crm/tools/find").await.status, 200);
    let used = gateway.audit("token.used");
    assert_eq!(used["actor"], json!({"kind": "user", "id": gateway.shown(ANN)}));
    assert_eq!(used["source"]["ip"], "127.0.0.1");
    assert_eq!(used["detail"], json!({"jti": given.jti}));
}

#[tokio::test]
async fn expired_has_jti_and_identity() {
    let gateway = Gateway::start().await;
    let given = gateway.issue(&json!({"email": ANN, "name": "Ann", "backends": ["crm"], "ttl_ms": 0})).await;
    assert_eq!(gateway.call(&given.bearer, "crm/tools/find").await.status, 401);
    let expired = gateway.audit("token.expired");
    assert_eq!(expired["subjects"], json!([{"kind": "user", "id": gateway.shown(ANN)}]));
    assert_eq!(expired["detail"], json!({"jti": given.jti}));
    assert_eq!(gateway.audits("token.used"), [] as [Value; 0]);
}

#[tokio::test]
async fn revoked_has_jti_and_identity_if_known() {
    let gateway = Gateway::start().await;
    let given = gateway.issue_to_ann().await;
    let unknown = "01a22a8c-8c1a-7536-b613-a380e2d6276b";
    assert_eq!(gateway.revoke(&given.jti).await.status, 204);
    assert_eq!(gateway.revoke(unknown).await.status, 204);
    let revoked = gateway.audits("token.revoked");
    let jtis: Vec<_> = revoked.iter().map(|audit| audit["detail"].clone()).collect();
    assert_eq!(jtis, [json!({"jti": given.jti}), json!({"jti": unknown})]);
    assert_eq!(revoked[0]["subjects"], json!([{"kind": "user", "id": gateway.shown(ANN)}]));
    assert_eq!(revoked[1].get("subjects"), None);
    assert_eq!(gateway.call(&given.bearer, "crm/tools/find").await.status, 401);
    assert_eq!(gateway.audit("token.invalid")["reason"], "revoked");
}

#[tokio::test]
async fn denied_and_invalid_have_reason_and_client_ip_and_no_identity() {
    let gateway = Gateway::start().await;
    let bearer = gateway.issue_to_ann().await.bearer;
    for (path, status) in
        [("mail/tools/send", 403), ("crm/tools/purge", 403), ("crm/tools/find", 200), ("crm/tools/find", 403)]
    {
        assert_eq!(gateway.call(&bearer, path).await.status, status, "{path}");
    }
    assert_eq!(gateway.call("gw_guessed", "crm/tools/find").await.status, 401);
    assert_eq!(call(gateway.address, "GET /backends/crm/tools/find", &[], "").await.status, 401);
    let (denied, invalid) = (gateway.audits("token.denied"), gateway.audits("token.invalid"));
    let reasons = |audits: &[Value]| audits.iter().map(|audit| audit["reason"].clone()).collect::<Vec<_>>();
    assert_eq!(reasons(&denied), ["backend_not_allowed", "tool_not_allowed", "rate_limited"]);
    assert_eq!(reasons(&invalid), ["unknown", "missing"]);
    for audit in denied.iter().chain(&invalid) {
        assert_eq!(audit["source"]["ip"], "127.0.0.1");
        assert_eq!((audit.get("actor"), audit.get("subjects"), audit.get("detail")), (None, None, None));
    }
}

#[tokio::test]
async fn absent_fields_are_left_out_of_the_json() {
    let gateway = Gateway::start().await;
    gateway.issue(&json!({"email": ANN, "name": "Ann", "backends": ["crm"], "ttl_ms": 1000})).await;
    let issued = gateway.audit("token.issued");
    assert_eq!(keys(&issued["detail"]), ["backends", "jti", "name"]);
    let text = issued.to_string();
    assert!(!text.contains("null") && !text.contains("\"tools\"") && !text.contains("rate_limit"), "{text}");
}

#[tokio::test]
async fn each_has_an_id_and_a_timestamp() {
    let gateway = Gateway::start().await;
    gateway.issue_to_ann().await;
    gateway.call("gw_guessed", "crm/tools/find").await;
    let mut ids = Vec::new();
    for line in gateway.records() {
        let audit = json_of(&line);
        ids.push(audit["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap());
        audit["occurred_at"].as_str().unwrap().parse::<audited::Timestamp>().unwrap();
    }
    assert_eq!(ids.len(), 2, "one line an event, and none besides");
    assert!(ids[0] < ids[1]);
}
