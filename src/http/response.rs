//! From what is to be answered to a response.

use audit_core::{CorrelationId, Refuse, Verdict};
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body::Body;

use super::body::AuditBody;
use super::denial::Instead;
use super::handled::Answered;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The response that goes out: the service's own, or what comes in its place.
pub(super) fn outgoing<B: Body>(
    answered: Answered,
    response: Response<B>,
    challenge: &HeaderValue,
) -> Response<AuditBody<B>> {
    let id = answered.handled().scope().correlation_id().clone();
    let mut response = match answered.instead() {
        Some(instead) => in_place(instead, challenge, Some(&response)),
        None if is_bodiless(answered.handled().method(), response.status()) => response.map(AuditBody::through),
        None => {
            let length = stated_length(&response);
            response.map(|body| AuditBody::watched(body, |exact| answered.delivered_by_a_body(length.or(exact))))
        }
    };
    tie(&mut response, &id);
    response
}

/// The response in place of an error of the service.
pub(super) fn in_place_of_an_error<B: Body>(
    answered: &Answered,
    challenge: &HeaderValue,
) -> Option<Response<AuditBody<B>>> {
    let mut response = in_place::<B>(answered.instead()?, challenge, None);
    tie(&mut response, answered.handled().scope().correlation_id());
    Some(response)
}

fn in_place<B: Body>(
    instead: Instead,
    challenge: &HeaderValue,
    replaced: Option<&Response<B>>,
) -> Response<AuditBody<B>> {
    let mut response = Response::new(AuditBody::empty());
    match instead {
        Instead::Refusal(refusal) => *response.status_mut() = StatusCode::refuse(refusal),
        Instead::Denial(status) => {
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            if status == StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge.clone());
            }
            // For the layers around this one; it is not sent.
            if let Some(verdict) = replaced.and_then(|replaced| replaced.extensions().get::<Verdict>()) {
                response.extensions_mut().insert(verdict.clone());
            }
        }
    }
    if let Some(replaced) = replaced {
        *response.version_mut() = replaced.version();
    }
    response
}

fn tie<B>(response: &mut Response<B>, id: &CorrelationId) {
    // A correlation id has no character that a header could not have.
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
}

/// How much the server sends, whatever the body knows of it: at the length that a header states it stops.
fn stated_length<B>(response: &Response<B>) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the server sends no body, whatever the response holds.
fn is_bodiless(method: &str, status: StatusCode) -> bool {
    let tunnel = method == "CONNECT" && status.is_success();
    let without = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    method == "HEAD" || tunnel || without || status.is_informational()
}
