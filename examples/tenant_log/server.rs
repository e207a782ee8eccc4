//! The backend: people sign in, administrators act on them, and each tenant reads what happened in it.

use std::sync::Arc;

use audited::{
    Actor, ActorId, AuditContext, AuditLayer, AuditRequest, AuditStore, Deny, RecordBuilder, SessionId, StoreError,
    TenantId, TrustedProxies, Unacknowledged, record,
};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;

use super::log::{Metadata, Method, Reason, Row, SecurityEvent, about, custom, rows};

/// A user of the demonstration; its session is its name.
struct User {
    id: &'static str,
    tenant: &'static str,
    password: &'static str,
    admin: bool,
}

const USERS: [User; 3] = [
    User { id: "usr_ann", tenant: "org_acme", password: "correct horse", admin: true },
    User { id: "usr_bob", tenant: "org_acme", password: "battery staple", admin: false },
    User { id: "usr_eve", tenant: "org_globex", password: "hunter2", admin: true },
];

#[derive(Deserialize)]
struct SignIn {
    user: String,
    password: String,
}

async fn sign_in(audit: AuditRequest, Json(body): Json<SignIn>) -> Result<String, Failure> {
    let user = USERS.iter().find(|user| user.id == body.user);
    if let Some(user) = user {
        audit.extend(AuditContext::new().tenant(TenantId::plain(user.tenant)));
    }
    let reason = match user {
        Some(user) if user.password == body.password => {
            audit.identify(Actor::user(ActorId::plain(user.id)));
            record(&SecurityEvent::SignIn { method: Method::Password }).await?;
            return Ok(user.id.to_owned());
        }
        Some(_) => Reason::WrongPassword,
        None => Reason::UnknownUser,
    };
    let event = SecurityEvent::SignInFailed { method: Method::Password };
    let failed = record(&event).verdict(reason.deny());
    user.map(|user| about(user.id)).into_iter().fold(failed, RecordBuilder::subject).await?;
    Err(Failure::Status(StatusCode::UNAUTHORIZED))
}

async fn sign_out() -> Result<StatusCode, Failure> {
    record(&SecurityEvent::SignOut).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The actor is the administrator, and the subject who was deleted: both are found.
async fn delete_user(Extension(me): Extension<Me>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    let user = USERS.iter().find(|user| user.id == id && user.tenant == me.0.tenant);
    let user = user.filter(|_| me.0.admin).ok_or(Failure::Status(StatusCode::FORBIDDEN))?;
    record(&SecurityEvent::AccountDelete).subject(about(user.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn provision(Json(metadata): Json<Metadata>) -> Result<StatusCode, Failure> {
    custom("pylon.cloud.fly_machine_provision", &metadata).await?;
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
struct Asked {
    user: Option<String>,
    limit: Option<usize>,
}

/// A tenant reads itself: its reader cannot see another.
async fn read(
    State(store): State<Arc<dyn AuditStore>>,
    Extension(me): Extension<Me>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Row>>, Failure> {
    let reader = store.tenant(me.0.tenant);
    Ok(Json(rows(&reader, asked.user.as_deref(), asked.limit.unwrap_or(50)).await?))
}

#[derive(Clone, Copy)]
struct Me(&'static User);

async fn authenticate(audit: AuditRequest, mut request: Request, next: Next) -> Response {
    let bearer =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(user) = bearer.and_then(|bearer| USERS.iter().find(|user| user.id == bearer)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    audit.identify(Actor::user(ActorId::plain(user.id)));
    audit.extend(AuditContext::new().tenant(TenantId::plain(user.tenant)).session(SessionId::new(user.id)));
    request.extensions_mut().insert(Me(user));
    next.run(request).await
}

enum Failure {
    Status(StatusCode),
    Unavailable,
}

impl From<Unacknowledged> for Failure {
    fn from(_: Unacknowledged) -> Self {
        Self::Unavailable
    }
}

impl From<StoreError> for Failure {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Status(status) => status,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

pub(crate) fn service(store: Arc<dyn AuditStore>, proxies: TrustedProxies) -> Router {
    Router::new()
        .route("/sign-out", post(sign_out))
        .route("/users/{id}", delete(delete_user))
        .route("/machines", post(provision))
        .route("/audit", get(read))
        .layer(middleware::from_fn(authenticate))
        .route("/sign-in", post(sign_in))
        .with_state(store)
        .layer(AuditLayer::axum().trusted_proxies(proxies))
}
