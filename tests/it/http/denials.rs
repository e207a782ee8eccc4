//! Denials that are the same bytes, whatever their reason.

use audited::{AuditLayer, AuditRequest, Decision, DenialStatus, Deny, StoredDecision, Verdict, audited};
use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::Layer;

use super::served::Served;

#[derive(Debug, Deny)]
enum DocumentError {
    #[denied("missing_scope")]
    MissingScope,
    #[denied("other_tenant")]
    OtherTenant,
    #[failed("storage")]
    Storage,
}

impl IntoResponse for DocumentError {
    fn into_response(self) -> Response {
        match self {
            Self::MissingScope => (StatusCode::FORBIDDEN, [("x-reason", "scope")], "you lack a scope").into_response(),
            Self::OtherTenant => (StatusCode::NOT_FOUND, "not of yours").into_response(),
            Self::Storage => (StatusCode::SERVICE_UNAVAILABLE, "try again").into_response(),
        }
    }
}

#[audited(action = "document.open")]
async fn open(Path(id): Path<u64>) -> Result<String, DocumentError> {
    match id {
        1 => Err(DocumentError::MissingScope),
        2 => Err(DocumentError::OtherTenant),
        3 => Err(DocumentError::Storage),
        _ => Ok("the document".into()),
    }
}

async fn plain() -> Response {
    (StatusCode::FORBIDDEN, [(header::CACHE_CONTROL, "no-store")], "plainly no").into_response()
}

async fn hidden() -> Response {
    let mut response = (StatusCode::NOT_FOUND, "nothing to see").into_response();
    response.extensions_mut().insert(Verdict::from(Decision::deny("existence_is_a_secret")));
    response
}

async fn missing() -> Response {
    (StatusCode::NOT_FOUND, "there is really none").into_response()
}

async fn limited() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")], "slowly").into_response()
}

async fn authenticate(_: AuditRequest, request: Request, next: Next) -> Response {
    if request.headers().contains_key("x-unknown") {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"which one\"")];
        return (StatusCode::UNAUTHORIZED, challenge, "who are you?").into_response();
    }
    next.run(request).await
}

fn documents() -> Router {
    Router::new()
        .route("/documents/{id}", get(open))
        .route("/plain", get(plain))
        .route("/hidden", get(hidden))
        .route("/missing", get(missing))
        .route("/limited", get(limited))
        .layer(middleware::from_fn(authenticate))
}

async fn served(layer: AuditLayer) -> Served {
    Served::new(documents().layer(layer)).await
}

/// The answers, which are all of one status and the same bytes, less ids and dates.
async fn all_alike(served: &Served, status: u16, requests: &[(&str, &[(&str, &str)])]) {
    let mut answers = Vec::new();
    for (what, headers) in requests {
        let answer = served.ask(what, headers, "").await;
        assert_eq!((answer.status(), answer.body()), (status, ""), "{what}");
        assert!(answer.header("x-request-id").is_some() && answer.header("x-reason").is_none(), "{answer:?}");
        answers.push(answer.without_id_and_date());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

const UNKNOWN: &[(&str, &str)] = &[("x-unknown", "1")];

#[tokio::test]
async fn denials_of_one_status_are_the_same_bytes() {
    let served = served(AuditLayer::axum().uniform_denials()).await;
    all_alike(&served, 403, &[("GET /documents/1", &[]), ("GET /plain", &[])]).await;
    let hidden = [("GET /documents/2", &[][..]), ("GET /hidden", &[]), ("GET /missing", &[]), ("GET /nowhere", &[])];
    all_alike(&served, 404, &hidden).await;
    all_alike(&served, 401, &[("GET /documents/1", UNKNOWN), ("GET /nowhere", UNKNOWN)]).await;
    all_alike(&served, 429, &[("GET /limited", &[])]).await;
    // The reasons are in the records.
    let reasons: Vec<_> =
        served.records().iter().filter_map(|record| record.get("reason").map(str::to_owned)).collect();
    assert_eq!(reasons[..3], [r#""missing_scope""#, r#""forbidden""#, r#""other_tenant""#]);
    assert_eq!(reasons[3], r#""existence_is_a_secret""#);
}

#[tokio::test]
async fn all_denials_can_have_one_status() {
    let denials = [
        ("GET /documents/1", &[][..]),
        ("GET /documents/2", &[]),
        ("GET /plain", &[]),
        ("GET /hidden", &[]),
        ("GET /limited", &[]),
        ("GET /documents/4", UNKNOWN),
    ];
    let served_404 = served(AuditLayer::axum().uniform_denials_as(DenialStatus::NotFound)).await;
    let really_missing = [("GET /missing", &[][..]), ("GET /nowhere", &[])];
    all_alike(&served_404, 404, &[&denials[..], &really_missing].concat()).await;
    all_alike(&served(AuditLayer::axum().uniform_denials_as(DenialStatus::Forbidden)).await, 403, &denials).await;

    let challenge = HeaderValue::from_static("Bearer realm=\"documents\"");
    let layer = AuditLayer::axum().uniform_denials_as(DenialStatus::Unauthorized).challenge(challenge);
    let served_401 = served(layer).await;
    all_alike(&served_401, 401, &denials).await;
    let answer = served_401.get("GET /plain").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"documents\""));
}

#[tokio::test]
async fn around_a_whole_router_nothing_is_added_to_a_denial() {
    let router = documents().layer(AuditLayer::axum());
    let app = Router::new().fallback_service(AuditLayer::axum().uniform_denials().layer(router));
    let served = Served::new(app).await;
    // For a method that a route has not, axum says which it has, whoever answers.
    let wrong_method = ("POST /documents/1", UNKNOWN);
    all_alike(&served, 401, &[("GET /documents/1", UNKNOWN), wrong_method, ("GET /nowhere", UNKNOWN)]).await;
    let known: Vec<_> = served.records().iter().map(|record| record.detail().unwrap().contains("{id}")).collect();
    assert_eq!(known, [true, true, false], "the layer inside knows the route");
}

#[tokio::test]
async fn what_is_no_denial_stays_as_it_is() {
    let served = served(AuditLayer::axum().uniform_denials_as(DenialStatus::NotFound)).await;
    assert_eq!(served.get("GET /documents/4").await.body(), "the document");
    let failed = served.get("GET /documents/3").await;
    assert_eq!((failed.status(), failed.body()), (503, "try again"));
    assert_eq!(served.get("POST /documents/4").await.status(), 405);
}

#[tokio::test]
async fn without_being_told_the_layer_changes_no_answer() {
    let served = served(AuditLayer::axum()).await;
    for (what, status, body) in
        [("GET /documents/1", 403, "you lack a scope"), ("GET /missing", 404, "there is really none")]
    {
        let answer = served.get(what).await;
        assert_eq!((answer.status(), answer.body()), (status, body));
    }
    assert_eq!(served.records()[0].decision(), Some(StoredDecision::Deny { reason: "missing_scope".into() }));
}

#[audited(action = "session.renew")]
async fn renew() {}

/// Middleware with a call of its own, which is allowed and ends later than that of the handler.
async fn renewing(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    renew().await;
    answer
}

#[tokio::test]
async fn a_denial_stays_one_whatever_is_allowed_behind_it() {
    let app = documents().layer(middleware::from_fn(renewing));
    let served = Served::new(app.layer(AuditLayer::axum().uniform_denials_as(DenialStatus::Forbidden))).await;
    // The second is shown as a 404.
    all_alike(&served, 403, &[("GET /documents/1", &[]), ("GET /documents/2", &[])]).await;
    assert_eq!(served.actions(), ["document.open", "session.renew", "document.open", "session.renew"]);
}

/// The answer of an upstream that speaks HTTP/1.0, passed on.
async fn old() -> Response {
    let mut response = (StatusCode::FORBIDDEN, "upstream says no").into_response();
    *response.version_mut() = axum::http::Version::HTTP_10;
    response
}

#[tokio::test]
async fn the_version_of_a_denial_says_nothing() {
    let app = documents().route("/old", get(old)).layer(AuditLayer::axum().uniform_denials());
    all_alike(&Served::new(app).await, 403, &[("GET /plain", &[]), ("GET /old", &[])]).await;
}
