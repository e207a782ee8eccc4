//! From what is to be answered to a response of actix.

use std::fmt;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{Error, HttpResponse, ResponseError};
use audit_core::{CorrelationId, Verdict};

use super::super::delivery::is_bodiless;
use super::super::denial::Instead;
use super::super::handled::Answered;
use super::body::AuditMessageBody;

/// The response that goes out: the service's own, or what comes in its place.
pub(super) fn outgoing<B: MessageBody>(
    answered: Answered,
    response: ServiceResponse<B>,
    challenge: &HeaderValue,
) -> ServiceResponse<AuditMessageBody<B>> {
    let id = answered.handled().scope().correlation_id().clone();
    let Some(instead) = answered.instead() else {
        let through = is_bodiless(answered.handled().method(), response.status().as_u16());
        let mut response = response.map_body(|_, body| {
            if through {
                return AuditMessageBody::through(body);
            }
            let length = match body.size() {
                BodySize::None => Some(0),
                BodySize::Sized(length) => Some(length),
                BodySize::Stream => None,
            };
            AuditMessageBody::watched(body, answered.delivered_by_a_body(length))
        });
        tie(response.headers_mut(), &id);
        return response;
    };
    let in_place = InPlace { instead, challenge: challenge.clone(), id };
    let (request, replaced) = response.into_parts();
    // For what is around this one; it is not sent.
    let verdict = replaced.extensions().get::<Verdict>().cloned();
    drop(replaced);
    let mut response = in_place.error_response().map_body(|_, _| AuditMessageBody::empty());
    if let Some(verdict) = verdict {
        response.extensions_mut().insert(verdict);
    }
    ServiceResponse::new(request, response)
}

/// The error that goes out: the service's own, or what comes in its place.
pub(super) fn outgoing_error(answered: &Answered, mut error: Error, challenge: HeaderValue) -> Error {
    let id = answered.handled().scope().correlation_id().clone();
    if let Some(instead) = answered.instead() {
        return InPlace { instead, challenge, id }.into();
    }
    error.add_response_mapper(move |mut response| {
        tie(response.headers_mut(), &id);
        response
    });
    error
}

fn tie(headers: &mut HeaderMap, id: &CorrelationId) {
    // A correlation id has no character that a header could not have.
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

/// What comes in place of an answer.
struct InPlace {
    instead: Instead,
    challenge: HeaderValue,
    id: CorrelationId,
}

impl ResponseError for InPlace {
    fn status_code(&self) -> StatusCode {
        match self.instead {
            Instead::Refusal(refusal) => refusal.status_code(),
            Instead::Denial(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN),
        }
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::new(self.status_code());
        if self.instead == Instead::Denial(401) {
            response.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
        }
        tie(response.headers_mut(), &self.id);
        response
    }
}

impl fmt::Display for InPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.instead {
            Instead::Refusal(_) => "unavailable",
            Instead::Denial(_) => "denied",
        })
    }
}

impl fmt::Debug for InPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
