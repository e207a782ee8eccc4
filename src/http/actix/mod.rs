//! The middleware for services of actix-web.

mod answer;
mod body;
mod request;
mod service;

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::HeaderValue;

use super::client::TrustedProxies;
use super::coverage::CoverageMode;
use super::denial::{DenialStatus, Denials};
use super::handled::Rules;

pub use body::AuditMessageBody;
pub use request::NoAuditMiddleware;
pub use service::AuditMiddlewareService;

/// Makes the context of each request of an actix-web service, and records what no function with `#[audited]` can see of
/// it.
///
/// It is what `AuditLayer` is for a stack of tower, and does the same: that one's documentation says what it records and
/// when. It is the outermost middleware, that is the last one that an `App` wraps:
///
/// ```
/// use actix_web::{App, web};
/// use audited::{AuditMiddleware, TrustedProxies, audited};
///
/// #[audited(action = "account.close", resource("account", *id))]
/// async fn close(id: web::Path<u64>) -> &'static str {
///     "closed"
/// }
///
/// # fn main() -> Result<(), audited::InvalidTrustedProxies> {
/// let audit = AuditMiddleware::new().trusted_proxies(TrustedProxies::new(["10.0.0.0/8"])?).uniform_denials();
/// // HttpServer::new(move || …)
/// let app = App::new().route("/accounts/{id}/close", web::post().to(close)).wrap(audit.clone());
/// # drop(app);
/// # Ok(())
/// # }
/// ```
///
/// Authentication says who acts by [`AuditRequest`](crate::AuditRequest), which is among the extensions of the request
/// and is an extractor.
///
/// # What is different
///
/// The peer is that of the connection, and the route the pattern of the resource, as in `/accounts/{id}/close`, also where
/// it does not know the method. An error that a middleware further inside gives is an answer; its status is what its
/// [`status_code`](actix_web::ResponseError::status_code) says, and of its body nobody sees to the end. actix lets a handler
/// run on when the client has only closed its side of the connection, so that is no hang-up. And it answers
/// some requests by itself, before any middleware: those that are no HTTP, or whose head is too long or too slow. They
/// leave nothing.
#[derive(Clone)]
pub struct AuditMiddleware {
    rules: Arc<Rules>,
    challenge: HeaderValue,
}

impl AuditMiddleware {
    /// Believes no proxy, reports what is not audited, is fail-open, and leaves denials as they are.
    #[allow(clippy::new_without_default, reason = "as `AuditLayer::new`")]
    pub fn new() -> Self {
        Self { rules: Arc::default(), challenge: HeaderValue::from_static("Bearer") }
    }

    /// Believes these proxies; otherwise none.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        Arc::make_mut(&mut self.rules).proxies = proxies;
        self
    }

    /// Sets what is done about a request that succeeded and left no record; otherwise [`CoverageMode::Report`].
    #[must_use]
    pub fn coverage(mut self, mode: CoverageMode) -> Self {
        Arc::make_mut(&mut self.rules).coverage = mode;
        self
    }

    /// Keeps an answer back whose record by this middleware is not acknowledged. The client gets 503 without a body; and
    /// 500, which nobody takes for retryable, where the service may have done something.
    ///
    /// As for `#[audited(…, fail_closed)]` the sink has to promise a disk, or
    /// [`allow_weak_fail_closed_for`](crate::RecorderBuilder::allow_weak_fail_closed_for) to name `http.request`.
    #[must_use]
    pub fn fail_closed(mut self) -> Self {
        Arc::make_mut(&mut self.rules).fail_closed = true;
        self
    }

    /// Makes of each denial its status and nothing else: no body, and only headers that are always the same. So two
    /// denials with one status are the same bytes, whatever their reason, but for the date and the `x-request-id`.
    ///
    /// A service may answer 404 where it is a secret that something exists; so what really is not found is answered alike.
    #[must_use]
    pub fn uniform_denials(mut self) -> Self {
        Arc::make_mut(&mut self.rules).denials = Denials::Bare;
        self
    }

    /// Gives all denials one status, as [`uniform_denials`](Self::uniform_denials) does otherwise.
    #[must_use]
    pub fn uniform_denials_as(mut self, status: DenialStatus) -> Self {
        Arc::make_mut(&mut self.rules).denials = Denials::Alike(status);
        self
    }

    /// Sets the `www-authenticate` of uniform denials with 401; otherwise `Bearer`.
    #[must_use]
    pub fn challenge(mut self, challenge: HeaderValue) -> Self {
        self.challenge = challenge;
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for AuditMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<AuditMessageBody<B>>;
    type Error = Error;
    type Transform = AuditMiddlewareService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AuditMiddlewareService::new(service, self.clone())))
    }
}

impl fmt::Debug for AuditMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditMiddleware").field("rules", &self.rules).finish_non_exhaustive()
    }
}
