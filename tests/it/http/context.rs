//! The context that the layer makes, and who may add to it.

use std::net::SocketAddr;

use audited::{
    Action, Actor, ActorId, AuditContext, AuditLayer, AuditRequest, CorrelationId, CoverageMode, ForwardedHeader,
    MemorySink, Source, TenantId, TrustedProxies, current_context, extend_context, record_action, with_context,
    with_recorder,
};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{self, Next};
use axum::routing::any;
use tower::ServiceExt;

use super::served::Served;
use crate::support;

async fn look() -> &'static str {
    record_action(Action::new("page.look")).await.unwrap();
    "seen"
}

fn page() -> Router {
    Router::new().route("/", any(look))
}

async fn served(layer: AuditLayer) -> Served {
    Served::new(page().layer(layer)).await
}

fn trusting() -> TrustedProxies {
    TrustedProxies::new(["127.0.0.1", "10.0.0.0/8"]).unwrap()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: (&str, &str) = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

#[tokio::test]
async fn every_request_has_an_id_of_its_own_and_gets_it_back() {
    let served = served(AuditLayer::axum()).await;
    let mut ids = Vec::new();
    for what in ["GET /", "GET /", "GET /nowhere"] {
        let answer = served.get(what).await;
        ids.push(answer.header("x-request-id").unwrap().to_owned());
        assert_eq!(served.records().last().unwrap().correlation_id().as_deref(), Some(&*ids[ids.len() - 1]));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| CorrelationId::parse(id).is_ok()));
}

#[tokio::test]
async fn what_a_client_calls_its_request_and_its_trace_are_claims_that_contradict_nothing() {
    for (sent, kept) in [("abc-1", "abc-1"), ("a b\"c\u{e9}", "a_b_c_"), (&"x".repeat(70), &*"x".repeat(64))] {
        let served = served(AuditLayer::axum()).await;
        let answer = served.ask("GET /", &[("x-request-id", sent), PARENT], "").await;
        let id = answer.header("x-request-id").unwrap();
        assert_ne!(id, sent);
        let record = served.only();
        assert_eq!(record.correlation_id().as_deref(), Some(id));
        assert_eq!(record.claimed(), Some(&*format!(r#"{{"trace_id":"{TRACE}","client_request_id":"{kept}"}}"#)));
        assert_eq!((record.trace_id(), record.flags()), (None, vec![]));
    }
}

#[tokio::test]
async fn what_a_trusted_proxy_sends_is_adopted() {
    let served = served(AuditLayer::axum().trusted_proxies(trusting())).await;
    let forwarded = ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.1.2.3");
    let answer = served.ask("GET /", &[("x-request-id", "abc-1"), PARENT, forwarded], "").await;
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    let record = served.only();
    assert_eq!((record.correlation_id().as_deref(), record.trace_id().as_deref()), (Some("abc-1"), Some(TRACE)));
    assert_eq!(record.source().unwrap().ip, Some([198, 51, 100, 7].into()));
    assert_eq!(record.claimed(), None);

    let answer = served.ask("GET /", &[("x-request-id", "not an id")], "").await;
    assert_ne!(answer.header("x-request-id"), Some("not an id"));
    let record = served.records().pop().unwrap();
    assert_eq!(record.claimed(), Some(r#"{"client_request_id":"not_an_id"}"#));
}

#[tokio::test]
async fn a_forged_address_is_not_believed() {
    let forged = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")];
    let nobody = AuditLayer::axum();
    let others = AuditLayer::axum().trusted_proxies(TrustedProxies::new(["10.0.0.0/8"]).unwrap());
    for layer in [nobody, others] {
        let served = served(layer).await;
        served.ask("GET /", &forged, "").await;
        assert_eq!(served.only().source().unwrap().ip, Some([127, 0, 0, 1].into()));
    }
    // The one that the proxy does not write.
    let proxies = trusting().header(ForwardedHeader::Forwarded);
    let served = served(AuditLayer::axum().trusted_proxies(proxies)).await;
    served.ask("GET /", &forged[..1], "").await;
    assert_eq!(served.only().source().unwrap().ip, Some([127, 0, 0, 1].into()));
}

#[tokio::test]
async fn a_method_of_the_clients_own_is_not_in_the_record() {
    let served = served(AuditLayer::axum()).await;
    served.get("S3CRET /nowhere").await;
    assert_eq!(served.only().detail(), Some(r#"{"method":"<other>","route":"<unmatched>","status":404}"#));
}

#[tokio::test]
async fn what_authentication_sets_is_never_replaced() {
    async fn authenticate(audit: AuditRequest, request: Request, next: Next) -> axum::response::Response {
        audit.identify(Actor::user(ActorId::plain("ann")));
        audit.extend(AuditContext::new().tenant(TenantId::plain("acme")).role("admin"));
        next.run(request).await
    }
    async fn overreach(audit: AuditRequest) {
        audit.identify(Actor::user(ActorId::plain("mallory")));
        extend_context(AuditContext::new().tenant(TenantId::plain("evil"))).unwrap();
        record_action(Action::new("page.overreach")).await.unwrap();
    }
    let app = page().route("/over", any(overreach)).layer(middleware::from_fn(authenticate));
    let served = Served::new(app.layer(AuditLayer::axum())).await;
    served.get("GET /").await;
    served.ask("GET /over", &[("x-request-id", "mine")], "").await;
    let [plain, over] = &served.records()[..] else { panic!("{:?}", served.records()) };
    for record in [plain, over] {
        assert_eq!(record.actor().unwrap().id.as_deref(), Some("ann"));
        assert_eq!((record.tenant().as_deref(), record.roles()), (Some("acme"), vec!["admin".to_owned()]));
    }
    assert_eq!((plain.claimed(), plain.flags()), (None, vec![]));
    assert_eq!(
        over.claimed(),
        Some(r#"{"actor":{"kind":"user","id":"mallory"},"tenant":"evil","client_request_id":"mine"}"#)
    );
    assert_eq!(over.flags(), ["claimed"]);
}

#[tokio::test]
async fn a_handle_goes_with_a_task_and_says_what_the_context_is() {
    async fn spawns(audit: AuditRequest) -> String {
        let id = audit.correlation_id().clone();
        assert_eq!(Some(audit.context()), current_context());
        let task = tokio::spawn(async move { audit.identify(Actor::service(ActorId::plain("scout"))) });
        task.await.unwrap();
        record_action(Action::new("page.spawned")).await.unwrap();
        id.to_string()
    }
    let app = Router::new().route("/", any(spawns));
    let served = Served::new(app.layer(AuditLayer::axum())).await;
    let answer = served.get("GET /").await;
    let record = served.only();
    assert_eq!(record.actor().unwrap().id.as_deref(), Some("scout"));
    assert!(answer.body().contains(&*record.correlation_id().unwrap()), "{answer:?}");
}

#[tokio::test]
async fn without_a_layer_the_extractor_refuses_and_says_nothing() {
    async fn asks(_: AuditRequest) {}
    let answer = Served::new(Router::new().route("/", any(asks))).await.get("GET /").await;
    assert_eq!((answer.status(), answer.body()), (500, ""));
}

#[tokio::test]
async fn what_surrounds_the_layer_comes_first_and_no_request_adds_to_it() {
    async fn identifies(audit: AuditRequest) {
        audit.identify(Actor::user(ActorId::plain("ann")));
        record_action(Action::new("page.known")).await.unwrap();
    }
    let around = AuditContext::new()
        .tenant(TenantId::plain("acme"))
        .correlation_id(CorrelationId::parse("outer").unwrap())
        .source(Source::new().origin("https://example.org"));
    let known_around = around.clone();
    let memory = MemorySink::new();
    let app = page().route("/known", any(identifies)).layer(AuditLayer::axum());
    // One scope around both requests, as around a whole server.
    let served = with_context(around, async {
        for path in ["/known", "/"] {
            let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711)));
            let request = Request::builder().uri(path).extension(peer).body(Body::empty()).unwrap();
            let answer = app.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.headers()["x-request-id"], "outer");
        }
        assert_eq!(current_context(), Some(known_around));
    });
    with_recorder(support::recorder(memory.clone()), served).await;
    let (known, unknown) = (memory.last("page.known").unwrap(), memory.last("page.look").unwrap());
    assert!(known.actor().is_some() && unknown.actor().is_none());
    for record in [known, unknown] {
        assert_eq!((record.tenant().as_deref(), record.correlation_id().as_deref()), (Some("acme"), Some("outer")));
        let source = record.source().unwrap();
        assert_eq!((source.ip, source.origin.as_deref()), (Some([127, 0, 0, 1].into()), Some("https://example.org")));
        assert_eq!(record.claimed(), None);
    }
}

#[tokio::test]
async fn a_layer_inside_of_another_adds_the_route_and_nothing_else() {
    let inner = Router::new().route("/orders/{id}", any(|| async { axum::http::StatusCode::CONFLICT }));
    let app = inner.layer(AuditLayer::axum().coverage(CoverageMode::Strict)).layer(AuditLayer::new());
    let served = Served::new(app).await;
    let answer = served.get("GET /orders/s3cret").await;
    assert_eq!(answer.status(), 409);
    let record = served.only();
    assert_eq!(record.detail(), Some(r#"{"method":"GET","route":"/orders/{id}","status":409}"#));
    assert_eq!(record.correlation_id().as_deref(), answer.header("x-request-id"));
    assert_eq!(answer.0.matches("x-request-id").count(), 1);
    // The outer one was told of no peer.
    assert!(record.source().is_none());
}
