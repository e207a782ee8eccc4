//! What no handler sees, and what only the answer tells: each leaves one record.

use std::collections::HashMap;

use audited::{
    Action, Actor, ActorId, AuditLayer, AuditRequest, CoverageMode, Decision, Deny, Kind, Sensitive, Stage,
    StoredDecision, StoredOutcome, Verdict, audited, not_audited, record_action,
};
use axum::extract::{DefaultBodyLimit, Path, Query, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize, Serializer};

use super::served::Served;

#[derive(Deserialize, Sensitive)]
struct Order {
    items: u32,
}

#[derive(Debug, Deny)]
enum OrderError {
    #[denied("not_yours")]
    NotYours,
    #[failed("out_of_stock")]
    OutOfStock,
}

impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        match self {
            Self::NotYours => StatusCode::FORBIDDEN,
            Self::OutOfStock => StatusCode::CONFLICT,
        }
        .into_response()
    }
}

#[audited(action = "order.place", resource("order", id))]
async fn place(Path(id): Path<u64>, Json(order): Json<Order>) -> Result<String, OrderError> {
    match id {
        1 => Err(OrderError::NotYours),
        2 => Err(OrderError::OutOfStock),
        _ => Ok(order.items.to_string()),
    }
}

#[audited(action = "order.find")]
async fn find(Query(query): Query<HashMap<String, u32>>) -> String {
    query.len().to_string()
}

fn shop() -> Router {
    Router::new().route("/orders/{id}", post(place)).route("/orders", get(find)).layer(DefaultBodyLimit::max(64))
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn what_extractors_and_the_router_refuse_is_recorded() {
    let long = format!(r#"{{"items":1,"note":"{}"}}"#, "s3cret".repeat(20));
    let valid = r#"{"items":1}"#;
    for (what, headers, body, status, route) in [
        ("POST /orders/s3cret", vec![JSON], valid, 400, "/orders/{id}"),
        ("GET /orders?s3cret=s3cret", vec![], "", 400, "/orders"),
        ("GET /s3cret", vec![], "", 404, "<unmatched>"),
        ("DELETE /orders/3", vec![], "", 405, "/orders/{id}"),
        ("POST /orders/3", vec![JSON], &*long, 413, "/orders/{id}"),
        ("POST /orders/3", vec![("content-type", "text/s3cret")], "s3cret", 415, "/orders/{id}"),
        ("POST /orders/3", vec![JSON], r#"{"items":"s3cret"}"#, 422, "/orders/{id}"),
        ("POST /orders/3", vec![JSON], r#"{"s3cret":"#, 400, "/orders/{id}"),
    ] {
        let served = Served::new(shop().layer(AuditLayer::axum())).await;
        let answer = served.ask(what, &[&headers[..], &[("user-agent", "curl")]].concat(), body).await;
        assert_eq!(answer.status(), status, "{what}");
        let record = served.only();
        assert_eq!((record.action(), record.kind()), ("http.request".into(), Some(Kind::Call)), "{what}");
        assert_eq!((record.stage(), record.decision()), (Some(Stage::Completed), Some(StoredDecision::Allow)));
        let code = format!("http.{status}").into();
        assert_eq!(record.outcome(), Some(StoredOutcome::Failure { code }), "{what}");
        let method = what.split(' ').next().unwrap();
        let detail = format!(r#"{{"method":"{method}","route":"{route}","status":{status}}}"#);
        assert_eq!(record.detail(), Some(&*detail), "{what}");
        let source = record.source().unwrap();
        assert_eq!((source.ip, source.user_agent.as_deref()), (Some([127, 0, 0, 1].into()), Some("curl")));
        assert_eq!(record.correlation_id().as_deref(), answer.header("x-request-id"), "{what}");
        assert!(record.latency().is_some() && record.actor().is_none());
        assert!(!record.json().contains("s3cret"), "{what}: {}", record.json());
    }
}

#[tokio::test]
async fn what_an_attribute_saw_is_not_recorded_again() {
    for (what, body, status, decision, outcome) in [
        ("POST /orders/1", r#"{"items":1}"#, 403, "deny", "not_yours"),
        ("POST /orders/2", r#"{"items":1}"#, 409, "allow", "out_of_stock"),
        ("POST /orders/3", r#"{"items":1}"#, 200, "allow", ""),
    ] {
        let served = Served::new(shop().layer(AuditLayer::axum())).await;
        let answer = served.ask(what, &[JSON], body).await;
        assert_eq!(answer.status(), status, "{what}");
        let record = served.only();
        assert_eq!(record.action(), "order.place");
        let code = record.get("code").unwrap_or("\"\"").trim_matches('"');
        assert_eq!((record.get("decision").unwrap().trim_matches('"'), code), (decision, outcome));
        // The context is the layer's.
        assert_eq!(record.correlation_id().as_deref(), answer.header("x-request-id"));
    }
}

/// Authentication, in its several shapes.
async fn authenticate(audit: AuditRequest, request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|token| token.to_str().ok()).unwrap_or("");
    match token {
        "known" => audit.identify(Actor::user(ActorId::plain("ann"))),
        "used" => drop(record_action(Action::new("session.used")).await),
        "checked" => drop(check(true).await),
        "refused by a call" => return check(false).await.into_response(),
        "refused by an event" => {
            let _ = record_action(Action::new("session.refused")).denied("unknown_token").await;
            return StatusCode::UNAUTHORIZED.into_response();
        }
        _ => return (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
    }
    next.run(request).await
}

#[audited(action = "session.check")]
async fn check(passes: bool) -> StatusCode {
    if passes { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

async fn with_token(token: &str, what: &str) -> (Served, u16) {
    let app = shop().layer(middleware::from_fn(authenticate)).layer(AuditLayer::axum());
    let served = Served::new(app).await;
    let answer = served.ask(what, &[JSON, ("authorization", token)], r#"{"items":1}"#).await;
    (served, answer.status())
}

#[tokio::test]
async fn what_authentication_refuses_is_recorded_once() {
    let (served, status) = with_token("none", "POST /orders/3").await;
    let record = served.only();
    assert_eq!((status, record.action()), (401, "http.request".into()));
    assert_eq!(record.decision(), Some(StoredDecision::Deny { reason: "unauthenticated".into() }));
    assert_eq!(record.detail(), Some(r#"{"method":"POST","route":"/orders/{id}","status":401}"#));

    // Who says it already has the better reason.
    for (token, action) in [("refused by a call", "session.check"), ("refused by an event", "session.refused")] {
        let (served, status) = with_token(token, "POST /orders/3").await;
        assert_eq!((status, served.only().action()), (401, action.into()));
    }
}

#[tokio::test]
async fn whom_authentication_knows_is_in_the_records_of_the_layer_and_of_the_handler() {
    for (what, action) in [("POST /orders/3", "order.place"), ("POST /orders/x", "http.request")] {
        let (served, _) = with_token("known", what).await;
        let record = served.only();
        assert_eq!((record.action(), record.actor().unwrap().id.as_deref()), (action.into(), Some("ann")));
        assert_eq!(record.claimed(), None);
    }
}

#[tokio::test]
async fn what_was_allowed_before_does_not_account_for_a_refusal() {
    for (token, action) in [("used", "session.used"), ("checked", "session.check")] {
        let (served, status) = with_token(token, "POST /orders/x").await;
        assert_eq!((status, served.actions()), (400, vec![action.to_owned(), "http.request".to_owned()]));
        let (served, _) = with_token(token, "POST /orders/3").await;
        assert_eq!(served.actions(), [action, "order.place"]);
    }
}

/// What cannot be serialised.
struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("s3cret"))
    }
}

#[audited(action = "order.export")]
async fn export() -> Json<Broken> {
    Json(Broken)
}

#[not_audited(reason = "says how the service is")]
async fn health(Path(status): Path<u16>) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

async fn hidden() -> Response {
    let mut response = StatusCode::NOT_FOUND.into_response();
    response.extensions_mut().insert(Verdict::from(Decision::deny("existence_is_a_secret")));
    response
}

async fn teapot() -> StatusCode {
    StatusCode::IM_A_TEAPOT
}

async fn others() -> Served {
    let app = Router::new()
        .route("/export", get(export))
        .route("/health/{status}", get(health))
        .route("/hidden", get(hidden))
        .route("/teapot", get(teapot));
    Served::new(app.layer(AuditLayer::axum().coverage(CoverageMode::Strict))).await
}

#[tokio::test]
async fn an_answer_that_contradicts_its_record_has_its_own() {
    let served = others().await;
    assert_eq!(served.get("GET /export").await.status(), 500);
    let [export, request] = &served.records()[..] else { panic!("{:?}", served.records()) };
    assert_eq!((export.action(), export.outcome()), ("order.export".into(), Some(StoredOutcome::Success)));
    assert_eq!(request.action(), "http.request");
    assert_eq!(request.outcome(), Some(StoredOutcome::Failure { code: "http.500".into() }));
    assert_eq!(export.correlation_id(), request.correlation_id());
}

#[tokio::test]
async fn a_verdict_of_the_answer_comes_before_its_status() {
    let served = others().await;
    assert_eq!(served.get("GET /hidden").await.status(), 404);
    assert_eq!(served.only().decision(), Some(StoredDecision::Deny { reason: "existence_is_a_secret".into() }));
}

#[tokio::test]
async fn a_failure_that_a_handler_without_an_attribute_answers_is_recorded_and_no_finding() {
    let served = others().await;
    assert_eq!(served.get("GET /teapot").await.status(), 418);
    assert_eq!(served.only().outcome(), Some(StoredOutcome::Failure { code: "http.418".into() }));
    assert_eq!(served.memory.find("audit.unaudited").len(), 0);
}

#[tokio::test]
async fn what_is_exempt_leaves_nothing_but_denials() {
    let served = others().await;
    for status in [200, 204, 404, 503] {
        assert_eq!(served.get(&format!("GET /health/{status}")).await.status(), status);
    }
    assert_eq!((served.actions(), served.memory.find("audit.unaudited").len()), (vec![], 0));
    assert_eq!(served.get("GET /health/403").await.status(), 403);
    // Nobody came to the handler.
    assert_eq!(served.get("GET /health/x").await.status(), 400);
    assert_eq!(served.actions(), ["http.request", "http.request"]);
}
