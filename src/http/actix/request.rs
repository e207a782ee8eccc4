//! The extractor of actix.

use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use thiserror::Error;

use super::super::request::AuditRequest;

/// [`AuditRequest`] was extracted from a request that came through no [`AuditMiddleware`](crate::AuditMiddleware). The
/// client gets 500 without a body, the log says what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "no `AuditMiddleware` is around this handler: add `.wrap(AuditMiddleware::new())` to the app, behind all others"
)]
pub struct NoAuditMiddleware;

impl FromRequest for AuditRequest {
    type Error = NoAuditMiddleware;
    type Future = Ready<Result<Self, NoAuditMiddleware>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(NoAuditMiddleware))
    }
}

impl ResponseError for NoAuditMiddleware {
    fn error_response(&self) -> HttpResponse<BoxBody> {
        tracing::error!(target: "audited", "{self}");
        HttpResponse::new(self.status_code())
    }
}
