//! From what is to be answered to a response.

use audit_core::{CorrelationId, Decide, Refuse, Verdict};
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body::Body;

use super::body::AuditBody;
use super::delivery::is_bodiless;
use super::denial::Instead;
#[cfg(feature = "tonic")]
use super::grpc;
use super::handled::Answered;
use super::layer::AuditLayer;
use super::status::Status;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How a request is answered: in HTTP, or in gRPC, by which a refusal is something else.
#[derive(Clone, Debug)]
pub(super) struct Answering {
    challenge: HeaderValue,
    #[cfg(feature = "tonic")]
    grpc: bool,
}

impl Answering {
    pub(super) fn of(layer: &AuditLayer, request: &Parts) -> Self {
        let _ = request;
        Self {
            challenge: layer.challenge.clone(),
            #[cfg(feature = "tonic")]
            grpc: layer.grpc && grpc::is_grpc(request),
        }
    }

    /// What a response says.
    #[cfg_attr(not(feature = "tonic"), expect(clippy::unused_self, reason = "only gRPC says it otherwise"))]
    pub(super) fn read<B>(&self, response: &Response<B>) -> (Status, Verdict) {
        #[cfg(feature = "tonic")]
        if self.grpc {
            return grpc::read(response);
        }
        (Status::Http(response.status().as_u16()), response.decide())
    }

    /// The response that goes out: the service's own, or what comes in its place.
    pub(super) fn outgoing<B: Body>(&self, answered: Answered, response: Response<B>) -> Response<AuditBody<B>> {
        let id = answered.handled().scope().correlation_id().clone();
        let mut response = match answered.instead() {
            Some(instead) => {
                let in_place = self.in_place(instead, Some(&response));
                answered.handled().scope().enter(|| drop(response));
                in_place
            }
            None if is_bodiless(answered.handled().method(), response.status().as_u16()) => {
                response.map(|body| AuditBody::watched(body, |_| answered.delivered_by_a_body(Some(0))))
            }
            None => {
                let length = stated_length(&response);
                response.map(|body| AuditBody::watched(body, |exact| answered.delivered_by_a_body(length.or(exact))))
            }
        };
        tie(&mut response, &id);
        response
    }

    /// The response in place of an error of the service.
    pub(super) fn in_place_of_an_error<B: Body>(&self, answered: &Answered) -> Option<Response<AuditBody<B>>> {
        let mut response = self.in_place::<B>(answered.instead()?, None);
        tie(&mut response, answered.handled().scope().correlation_id());
        Some(response)
    }

    fn in_place<B: Body>(&self, instead: Instead, replaced: Option<&Response<B>>) -> Response<AuditBody<B>> {
        let mut response = self.refusal(instead, replaced);
        if let Some(replaced) = replaced {
            // For the layers around this one; it is not sent.
            if let (Instead::Denial(_), Some(verdict)) = (instead, replaced.extensions().get::<Verdict>()) {
                response.extensions_mut().insert(verdict.clone());
            }
        }
        response
    }

    fn refusal<B: Body>(&self, instead: Instead, replaced: Option<&Response<B>>) -> Response<AuditBody<B>> {
        #[cfg(feature = "tonic")]
        if self.grpc {
            let status = grpc::in_place(instead, replaced.map(|replaced| self.read(replaced).0));
            return status.map(|()| AuditBody::empty());
        }
        let _ = replaced;
        let mut response = Response::new(AuditBody::empty());
        match instead {
            Instead::Refusal(refusal) => *response.status_mut() = StatusCode::refuse(refusal),
            Instead::Denial(status) => {
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
                if status == StatusCode::UNAUTHORIZED {
                    response.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
                }
            }
        }
        response
    }
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
