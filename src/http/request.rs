//! What the handlers of a request know of its audit.

use audit_core::{Actor, AuditContext, CorrelationId};

use super::handled::Handled;

/// The audit of the request that is handled: what an `AuditLayer` or an `AuditMiddleware` puts among its
/// extensions.
///
/// Authentication says who acts, in one call; whoever learns more adds it. Both are in every record that is made of the
/// request from then on, the layer's own included, and what is set is never replaced: a differing value is kept in the
/// record under `claimed`, and the record is flagged. The handle may be cloned and taken into tasks.
///
/// With the feature `axum`, and with `actix`, it is an extractor:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use audited::{Actor, ActorId, AuditContext, AuditRequest, TenantId};
/// use axum::extract::Request;
/// use axum::http::{StatusCode, header};
/// use axum::middleware::Next;
/// use axum::response::{IntoResponse, Response};
///
/// async fn authenticate(audit: AuditRequest, request: Request, next: Next) -> Response {
///     let token = request.headers().get(header::AUTHORIZATION);
///     if token.is_none_or(|token| token != "Bearer ann-token") {
///         return StatusCode::UNAUTHORIZED.into_response();
///     }
///     audit.identify(Actor::user(ActorId::hash("ann@example.org")));
///     audit.extend(AuditContext::new().tenant(TenantId::plain("acme")).role("admin"));
///     next.run(request).await
/// }
/// # }
/// ```
///
/// A [`with_context`](crate::with_context) inside of the layer replaces all of the request's context for what it scopes,
/// the address and the correlation id too: use this handle, or [`extend_context`](crate::extend_context).
#[derive(Clone, Debug)]
pub struct AuditRequest(pub(super) Handled);

impl AuditRequest {
    /// Says who acts.
    pub fn identify(&self, actor: Actor) {
        self.extend(AuditContext::new().actor(actor));
    }

    /// Adds to the context of the request.
    pub fn extend(&self, context: AuditContext) {
        self.0.scope().extend(context);
    }

    /// The context of the request, as it is now.
    pub fn context(&self) -> AuditContext {
        self.0.scope().context()
    }

    /// What ties the records of this request together. The client gets it as `x-request-id`.
    pub fn correlation_id(&self) -> &CorrelationId {
        self.0.scope().correlation_id()
    }
}

#[cfg(feature = "axum")]
mod extractor {
    use axum::extract::FromRequestParts;
    use axum::http::StatusCode;
    use axum::http::request::Parts;
    use axum::response::{IntoResponse, Response};
    use thiserror::Error;

    use super::AuditRequest;

    /// [`AuditRequest`] was extracted from a request that came through no [`AuditLayer`](crate::AuditLayer). The client
    /// gets 500 without a body, the log says what is missing.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
    #[error(
        "no `AuditLayer` is around this handler: add `.layer(AuditLayer::axum())` to the router, behind its routes"
    )]
    pub struct NoAuditLayer;

    impl<S: Sync> FromRequestParts<S> for AuditRequest {
        type Rejection = NoAuditLayer;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoAuditLayer> {
            parts.extensions.get::<Self>().cloned().ok_or(NoAuditLayer)
        }
    }

    impl IntoResponse for NoAuditLayer {
        fn into_response(self) -> Response {
            tracing::error!(target: "audited", "{self}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(feature = "axum")]
pub use extractor::NoAuditLayer;
