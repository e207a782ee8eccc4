//! The rows that its readers know.

use std::collections::BTreeSet;

use super::framework::decision::DenyReason;
use super::framework::names::MethodPath;
use super::framework::row::{RowDecision, RowKind};
use super::*;

/// A row that has everything, as JSON in the order of its fields.
const FULL: &str = r#"{"timestamp":"2026-11-30T03:41:25.546609Z","kind":"forward_policy_applied","originator":"u-ann","session_id":"s","invocation_chain":["gateway"],"roles":["clerk"],"method":"invoice.read","scope_required":"invoice:read","decision":"deny","reason":"missing_scope","latency_us":9,"origin":"https://shop.example","client_ip":"192.0.2.7","correlation_id":"req-1","policy_name":"reads_only","derivation":"narrowed","caller_ns":"gateway"}"#;

/// One that has no more than it must.
const BARE: &str = r#"{"timestamp":"2026-11-30T03:41:25.546609Z","decision":"allow"}"#;

fn parse(json: &str) -> Row {
    serde_json::from_str(json).unwrap()
}

fn json_of(row: &impl serde::Serialize) -> String {
    serde_json::to_string(row).unwrap()
}

#[test]
fn the_fields_of_a_record() {
    let (answers, records) = dispatched(&service::gateway(), vec![call("invoice.read"), call("invoice.purge")]);
    assert_eq!(answers, [Ok(json!({ "cents": 1200 })), Err(WireError::Denied)]);
    let rows: Vec<Value> = rows(&records).iter().map(|row| json!(row)).collect();
    let keys: BTreeSet<_> = rows.iter().flat_map(|row| row.as_object().unwrap().keys().map(String::as_str)).collect();
    let fields = "timestamp kind originator session_id invocation_chain roles method scope_required decision reason \
                  latency_us origin client_ip correlation_id policy_name derivation caller_ns";
    assert_eq!(keys, fields.split(' ').filter(|field| !field.is_empty()).collect());

    let [first, forwarded, second, denied] = &rows[..] else { panic!("{rows:#?}") };
    for (row, kind, policy, chain) in [
        (first, "scope_check", Value::Null, Value::Null),
        (forwarded, "forward_policy_applied", json!("reads_only"), Value::Null),
        (second, "scope_check", Value::Null, json!(["gateway"])),
        (denied, "scope_check", Value::Null, Value::Null),
    ] {
        assert_eq!(row["kind"], kind);
        assert_eq!((&row["policy_name"], &row["invocation_chain"]), (&policy, &chain));
        assert_eq!((&row["originator"], &row["roles"]), (&json!("u-ann"), &json!(["clerk"])));
        assert_eq!((&row["client_ip"], &row["origin"]), (&json!("192.0.2.7"), &json!("https://shop.example")));
        assert_eq!(row["correlation_id"], "req-1");
        let session = row["session_id"].as_str().unwrap();
        assert!(session.starts_with("hash:test:") && !session.contains("session-of"), "{session}");
        assert!(row["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(row["latency_us"].is_u64(), kind == "scope_check");
    }
    assert_eq!((&first["method"], &first["scope_required"]), (&json!("invoice.read"), &json!("invoice:read")));
    assert_eq!((&forwarded["derivation"], &forwarded["caller_ns"]), (&json!("narrowed"), &json!("gateway")));
    assert_eq!((&denied["decision"], &denied["reason"]), (&json!("deny"), &json!("not_accepted")));
}

#[test]
fn the_json_of_a_decision() {
    assert_eq!(json_of(&RowDecision::Allow), r#"{"decision":"allow"}"#);
    let denied = RowDecision::Deny { reason: DenyReason::MissingScope };
    assert_eq!(json_of(&denied), r#"{"decision":"deny","reason":"missing_scope"}"#);
    for decision in [RowDecision::Allow, denied] {
        assert_eq!(serde_json::from_str::<RowDecision>(&json_of(&decision)).unwrap(), decision);
    }
}

#[test]
fn json_without_kind_reads_as_scope_check() {
    assert_eq!(parse(BARE).kind, RowKind::ScopeCheck);
    assert_eq!(parse(FULL).kind, RowKind::ForwardPolicyApplied);
}

#[test]
fn absent_optional_fields_read_as_none() {
    let row = parse(BARE);
    let nothing = Row {
        timestamp: row.timestamp.clone(),
        kind: RowKind::ScopeCheck,
        originator: None,
        session_id: None,
        invocation_chain: Vec::new(),
        roles: Vec::new(),
        method: None,
        scope_required: None,
        decision: RowDecision::Allow,
        latency_us: None,
        origin: None,
        client_ip: None,
        correlation_id: None,
        policy_name: None,
        derivation: None,
        caller_ns: None,
    };
    assert_eq!(row, nothing);
}

#[test]
fn serialize_parse_serialize_is_byte_identical() {
    assert_eq!(json_of(&parse(FULL)), FULL);
    let mut calls = denied_calls();
    calls.push(call("invoice.refund"));
    let (_, records) = dispatched(&service::gateway(), calls);
    let mut rows = rows(&records);
    assert!(rows.len() == 19, "{}", rows.len());
    rows.push(parse(BARE));
    for row in rows {
        let json = json_of(&row);
        assert_eq!(json_of(&parse(&json)), json);
        assert_eq!(parse(&json), row);
    }
}

#[test]
fn the_kinds_are_scope_check_and_forward_policy_applied() {
    let kinds = [RowKind::ScopeCheck, RowKind::ForwardPolicyApplied].map(|kind| json_of(&kind));
    assert_eq!(kinds, [r#""scope_check""#, r#""forward_policy_applied""#]);
    assert!(serde_json::from_str::<RowKind>(r#""other""#).is_err());
}

#[test]
fn the_deny_reasons() {
    use audited::{Deny, Verdict};
    for (reason, name) in [
        (DenyReason::Unauthenticated, "unauthenticated"),
        (DenyReason::InvalidSession, "invalid_session"),
        (DenyReason::MissingScope, "missing_scope"),
        (DenyReason::NotAccepted, "not_accepted"),
        (DenyReason::TenantBoundary, "tenant_boundary"),
        (DenyReason::RateLimited, "rate_limited"),
        (DenyReason::Other, "other"),
    ] {
        assert_eq!(json_of(&reason), format!("{name:?}"));
        assert_eq!(reason.deny(), Verdict::denied(name), "the record says the same");
        assert_eq!(serde_json::from_str::<DenyReason>(&format!("{name:?}")).unwrap(), reason);
    }
}

#[test]
fn the_names_are_transparent_newtypes_with_display() {
    fn is_its_text<T: serde::Serialize + serde::de::DeserializeOwned + std::fmt::Display + PartialEq>(text: &str) {
        let name: T = serde_json::from_value(json!(text)).unwrap();
        assert_eq!((json!(name), name.to_string()), (json!(text), text.to_owned()));
    }
    is_its_text::<UserId>("u-ann");
    is_its_text::<SessionId>("s-1");
    is_its_text::<RoleName>("clerk");
    is_its_text::<Scope>("invoice:read");
    is_its_text::<MethodPath>("invoice.read");
}

#[test]
fn a_method_path_is_dotted_and_validated() {
    for good in ["invoice.read", "a.b", "a1.b_2.c", &format!("a.{}", "b".repeat(126))] {
        assert_eq!(good.parse::<MethodPath>().unwrap().to_string(), good);
    }
    for bad in ["", "invoice", ".", "a.", ".a", "a..b", "A.b", "a.1b", "a.b\n", "../a.b", &"a.b".repeat(99)] {
        assert!(bad.parse::<MethodPath>().is_err(), "{bad}");
        assert!(serde_json::from_value::<MethodPath>(json!(bad)).is_err(), "{bad}");
    }
}
