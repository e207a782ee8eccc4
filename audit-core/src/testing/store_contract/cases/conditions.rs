//! Each thing that a query may ask.

use crate::{ActorKind, AnyOf, Ending, Kind, Query};
use serde_json::json;

use super::super::StoreUnderTest;
use super::super::made::cut;
use super::super::made::{id, made, moment, of_json};
use super::{StoreCase, assert_finds, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    finds_by_action,
    finds_by_actor,
    finds_by_subject_and_user,
    finds_by_resource,
    finds_by_decision_and_reason,
    finds_by_outcome_and_code,
    finds_by_request_kind_and_id,
    finds_by_text_at_a_path,
    begins_with_the_start_and_ends_before_the_end,
    goes_by_when_it_happened,
    asks_everything_that_is_asked,
};

fn finds_by_action(under: &StoreUnderTest) {
    let actions =
        ["door.open", "door.opened", "door.Open", "Door.open", "doorbell.ring", "door", "door.open\0x", "däor"];
    let batch: Vec<_> = actions.iter().map(|action| made(action, json!({ "action": action }))).collect();
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().action("door.open"), &["door.open"]);
    assert_finds(&all, &Query::new().actions(["door.open", "Door.open", "none"]), &["door.open", "Door.open"]);
    assert_finds(&all, &Query::new().actions([] as [&str; 0]), &[]);
    let prefixed = ["door.open", "door.opened", "door.Open", "door.open\0x"];
    assert_finds(&all, &Query::new().action_prefix("door."), &prefixed);
    assert_finds(&all, &Query::new().action_prefix("door.open\0"), &["door.open\0x"]);
    assert_finds(&all, &Query::new().action_prefix("dä"), &["däor"]);
    assert_finds(&all, &Query::new().action_prefix("doorbell.").action("door"), &["doorbell.ring", "door"]);
    assert_finds(&all, &Query::new().action_prefix("Door").action_prefix("doorb"), &["Door.open", "doorbell.ring"]);
    assert_finds(&all, &Query::new().action_prefix(""), &actions);
}

fn finds_by_actor(under: &StoreUnderTest) {
    let long = "ann".repeat(200);
    let batch = [
        made("user", json!({ "actor": { "kind": "user", "id": "ann" } })),
        made("service", json!({ "actor": { "kind": "service", "id": "ann" } })),
        made("bob", json!({ "actor": { "kind": "user", "id": "bob" } })),
        made("upper", json!({ "actor": { "kind": "user", "id": "Ann" } })),
        made("long", json!({ "actor": { "kind": "user", "id": cut(&long) } })),
        made("system", json!({ "actor": { "kind": "system" } })),
        made("later", json!({ "actor": { "kind": "of a later version", "id": "ann" } })),
        made(
            "proxy",
            json!({ "actor": { "kind": "user", "id": "bob" }, "on_behalf_of": { "kind": "user", "id": "ann" } }),
        ),
        made("none", json!({})),
    ];
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().actor(ActorKind::User, "ann"), &["user"]);
    let several = AnyOf::from_iter(["ann", "Ann", "nobody"]);
    assert_finds(&all, &Query::new().actor(ActorKind::User, several), &["user", "upper"]);
    assert_finds(&all, &Query::new().actor(ActorKind::User, &long), &["long"]);
    assert_finds(&all, &Query::new().actor(ActorKind::Service, "ann"), &["service"]);
    assert_finds(&all, &Query::new().actor(ActorKind::System, "ann"), &[]);
    assert_finds(&all, &Query::new().actor_kind(ActorKind::System), &["system"]);
    assert_finds(&all, &Query::new().actor_kind(ActorKind::User), &["user", "bob", "upper", "long", "proxy"]);
    assert_finds(&all, &Query::new().actor_kind(ActorKind::Anonymous), &[]);
    assert_finds(&all, &Query::new().actor(ActorKind::User, AnyOf::from_iter([] as [&str; 0])), &[]);
}

fn finds_by_subject_and_user(under: &StoreUnderTest) {
    let subject = |kind: &str, id: &str| json!({ "kind": kind, "id": id });
    let batch = [
        made("first", json!({ "subjects": [subject("user", "ann"), subject("user", "bob")] })),
        made("second", json!({ "subjects": [subject("account", "7"), subject("user", "ann")] })),
        made("account", json!({ "subjects": [subject("account", "ann"), subject("user", "7")] })),
        made("actor", json!({ "actor": { "kind": "user", "id": "ann" } })),
        made("service", json!({ "actor": { "kind": "service", "id": "ann" } })),
        made("both", json!({ "actor": { "kind": "user", "id": "ann" }, "subjects": [subject("user", "ann")] })),
        made("twice", json!({ "subjects": [subject("user", "cid"), subject("user", "cid")] })),
        made("none", json!({ "subjects": [] })),
    ];
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().subject("user", "ann"), &["first", "second", "both"]);
    assert_finds(&all, &Query::new().subject("account", "7"), &["second"]);
    assert_finds(&all, &Query::new().subject("user", "cid"), &["twice"]);
    assert_finds(&all, &Query::new().subject("User", "ann"), &[]);
    assert_finds(&all, &Query::new().user("ann"), &["first", "second", "actor", "both"]);
    assert_finds(&all, &Query::new().user("bob"), &["first"]);
    assert_finds(&all, &Query::new().user(AnyOf::from_iter(["bob", "7"])), &["first", "account"]);
    assert_finds(&all, &Query::new().subject("user", "ann").subject("user", "bob"), &["first"]);
    assert_finds(&all, &Query::new().user("ann").subject("account", "7"), &["second"]);
}

fn finds_by_resource(under: &StoreUnderTest) {
    let batch = [
        made("seven", json!({ "resource": { "kind": "account", "id": "7" } })),
        made("eight", json!({ "resource": { "kind": "account", "id": "8" } })),
        made("order", json!({ "resource": { "kind": "order", "id": "7" } })),
        made("half", json!({ "resource": { "kind": "account" } })),
        made("none", json!({})),
    ];
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().resource("account", 7_u64), &["seven"]);
    assert_finds(&all, &Query::new().resource("account", AnyOf::from_iter(["7", "8"])), &["seven", "eight"]);
    assert_finds(&all, &Query::new().resource_kind("account"), &["seven", "eight"]);
    assert_finds(&all, &Query::new().resource_kind("accoun_"), &[]);
}

fn finds_by_decision_and_reason(under: &StoreUnderTest) {
    let batch = [
        made("allowed", json!({ "decision": "allow", "reason": "closed" })),
        made("closed", json!({ "decision": "deny", "reason": "closed" })),
        made("scope", json!({ "decision": "deny", "reason": "missing_scope" })),
        made("bare", json!({ "decision": "deny" })),
        made("undecided", json!({ "reason": "closed" })),
        made("later", json!({ "decision": "perhaps", "reason": "closed" })),
    ];
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().allowed(), &["allowed"]);
    assert_finds(&all, &Query::new().denied(), &["closed", "scope", "bare"]);
    assert_finds(&all, &Query::new().deny_reason("closed"), &["closed"]);
    assert_finds(&all, &Query::new().deny_reason(AnyOf::from_iter(["closed", "missing_scope"])), &["closed", "scope"]);
    assert_finds(&all, &Query::new().deny_reason("missing%scope"), &[]);
    assert_finds(&all, &Query::new().deny_reason(""), &["bare"]);
}

fn finds_by_outcome_and_code(under: &StoreUnderTest) {
    let batch = [
        made("success", json!({ "code": "stock" })),
        made("stock", json!({ "outcome": "failure", "code": "stock" })),
        made("money", json!({ "outcome": "failure", "code": "money" })),
        made("unknown", json!({ "outcome": "unknown", "code": "stock" })),
        made("open", json!({ "outcome": null })),
        made("later", json!({ "outcome": "half", "code": "stock" })),
    ];
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().succeeded(), &["success"]);
    assert_finds(&all, &Query::new().failed(), &["stock", "money"]);
    assert_finds(&all, &Query::new().outcome(Ending::Unknown), &["unknown"]);
    assert_finds(&all, &Query::new().failure_code("stock"), &["stock"]);
    assert_finds(&all, &Query::new().failure_code(AnyOf::from_iter(["stock", "money"])), &["stock", "money"]);
}

fn finds_by_request_kind_and_id(under: &StoreUnderTest) {
    let batch = [
        made("call", json!({ "kind": "call", "correlation_id": "r-1", "id": id(1) })),
        made("event", json!({ "correlation_id": "r-1", "id": id(2) })),
        made("system", json!({ "kind": "system", "correlation_id": "R-1", "id": id(3) })),
        made("later", json!({ "kind": "of a later version", "id": id(4) })),
        made("none", json!({ "kind": null, "id": id(5) })),
    ];
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().correlation_id("r-1"), &["call", "event"]);
    assert_finds(&all, &Query::new().correlation_id(AnyOf::from_iter(["r-1", "R-1"])), &["call", "event", "system"]);
    assert_finds(&all, &Query::new().kind(Kind::Call), &["call"]);
    assert_finds(&all, &Query::new().kind(Kind::Event), &["event"]);
    assert_finds(&all, &Query::new().kind(Kind::System), &["system"]);
    assert_finds(&all, &Query::new().id(id(4)), &["later"]);
    assert_finds(&all, &Query::new().id(id(6)), &[]);
    assert_finds(&all, &Query::new().id(id(1)).kind(Kind::Event), &[]);
}

fn finds_by_text_at_a_path(under: &StoreUnderTest) {
    let batch = [
        made("flat", json!({ "detail": { "device": "d-1" } })),
        made("deep", json!({ "detail": { "order": { "device": "d-1" } } })),
        made("listed", json!({ "detail": { "order": [{ "device": "d-2" }, [{ "device": "d-1" }]] } })),
        made("dotted", json!({ "detail": { "order.device": "d-1" } })),
        made("number", json!({ "detail": { "device": 17, "on": true, "share": 0.5, "least": i64::MIN } })),
        made("text", json!({ "detail": { "device": "17", "on": "true" } })),
        made("elsewhere", json!({ "session": "d-1", "roles": ["admin", "d-1"] })),
        made("longer", json!({ "detail": { "device": "d-1\0", "order": { "device": { "device": "d-1" } } } })),
        made("nothing", json!({ "detail": { "device": {}, "order": [] } })),
    ];
    under.write(&batch).unwrap();
    // What no type of ours can hold stands beside it.
    let detail = format!(r#"{{"name":"beside","device":"d-3","most":{},"half":"\ud800"}}"#, u128::MAX);
    let beside = format!(r#" {{"schema":1,"id":"{}","action":"a","detail":{detail}}}"#, id(1));
    under.write(&[of_json(&beside)]).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().text("detail.most", u128::MAX).id(id(1)), &["?"]);
    assert_finds(&all, &Query::new().text("detail.device", "d-3"), &["?"]);
    assert_finds(&all, &Query::new().text("detail.device", "d-1"), &["flat"]);
    assert_finds(&all, &Query::new().text("detail.order.device", "d-1"), &["deep", "listed", "dotted"]);
    assert_finds(&all, &Query::new().text("detail.order.device", AnyOf::from_iter(["d-2", "x"])), &["listed"]);
    assert_finds(&all, &Query::new().text("detail.device", 17_u8), &["number", "text"]);
    assert_finds(&all, &Query::new().text("detail.on", "true"), &["number", "text"]);
    assert_finds(&all, &Query::new().text("detail.share", "0.5"), &["number"]);
    assert_finds(&all, &Query::new().text("detail.least", i64::MIN), &["number"]);
    assert_finds(&all, &Query::new().text("roles", "admin"), &["elsewhere"]);
    assert_finds(&all, &Query::new().text("session", "d-1"), &["elsewhere"]);
    assert_finds(&all, &Query::new().text("detail.device", "d-1\0"), &["longer"]);
    assert_finds(&all, &Query::new().text("detail.order", "d-1"), &[]);
    assert_finds(&all, &Query::new().text("", "d-1"), &[]);
    assert_finds(&all, &Query::new().text("detail.device.", "d-1"), &[]);
    assert_finds(&all, &Query::new().text("detail", "{}"), &[]);
}

fn begins_with_the_start_and_ends_before_the_end(under: &StoreUnderTest) {
    let batch: Vec<_> =
        (0..6).map(|n: i64| made(&n.to_string(), json!({ "occurred_at": moment(n / 2).to_string() }))).collect();
    under.write(&batch).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().from(moment(1)), &["2", "3", "4", "5"]);
    assert_finds(&all, &Query::new().until(moment(1)), &["0", "1"]);
    assert_finds(&all, &Query::new().from(moment(1)).until(moment(2)), &["2", "3"]);
    assert_finds(&all, &Query::new().from(moment(1)).from(moment(2)).until(moment(9)), &["4", "5"]);
    assert_finds(&all, &Query::new().from(moment(1)).until(moment(1)), &[]);
    assert_finds(&all, &Query::new().from(moment(2)).until(moment(1)), &[]);
    assert_finds(&all, &Query::new().from(moment(3)), &[]);
}

fn goes_by_when_it_happened(under: &StoreUnderTest) {
    let at = |micros: i64| moment(micros).to_string();
    let batch = [
        made("late", json!({ "occurred_at": at(1), "recorded_at": at(9) })),
        made("recorded", json!({ "occurred_at": null, "recorded_at": at(2) })),
        made("timeless", json!({ "occurred_at": null })),
        made("garbled", json!({ "occurred_at": "yesterday", "recorded_at": at(3) })),
        made("zoned", json!({ "occurred_at": "2023-11-15T00:13:20.000004+02:00" })),
        made("long ago", json!({ "occurred_at": "-000001-01-01T00:00:00Z" })),
    ];
    under.write(&batch).unwrap();
    let all = under.global();
    let ordered = super::names(&super::found(&all, &Query::new().oldest_first()));
    assert_eq!(ordered, ["long ago", "timeless", "late", "recorded", "garbled", "zoned"]);
    assert_finds(&all, &Query::new().from(moment(1)).until(moment(3)), &["late", "recorded"]);
    assert_finds(&all, &Query::new().until(moment(1)), &["timeless", "long ago"]);
    assert_finds(&all, &Query::new().from(moment(4)), &["zoned"]);
}

fn asks_everything_that_is_asked(under: &StoreUnderTest) {
    let full = json!({
        "tenant": "acme", "action": "door.open", "kind": "call", "decision": "deny", "reason": "closed",
        "outcome": "failure", "code": "closed", "correlation_id": "r-1", "actor": { "kind": "user", "id": "ann" },
        "subjects": [{ "kind": "user", "id": "bob" }], "resource": { "kind": "door", "id": "7" },
        "detail": { "device": "d-1" },
    });
    let other = json!({
        "tenant": "other", "action": "gate.open", "kind": "event", "decision": "allow", "outcome": "success",
        "correlation_id": "r-2", "actor": { "kind": "user", "id": "cid" },
        "subjects": [{ "kind": "user", "id": "dan" }], "resource": { "kind": "door", "id": "8" },
        "detail": { "device": "d-2" },
    });
    let mut batch = vec![made("full", full.clone())];
    for key in other.as_object().unwrap().keys() {
        let mut nearly = full.clone();
        nearly[key] = other[key].clone();
        batch.push(made(key, nearly));
    }
    under.write(&batch).unwrap();
    let query = Query::new().action("door.open").kind(Kind::Call).denied().failed().correlation_id("r-1");
    let query = query.actor(ActorKind::User, "ann").subject("user", "bob").resource("door", "7");
    assert_finds(&under.tenant("acme"), &query.text("detail.device", "d-1"), &["full"]);
}
