//! What is different with gRPC: where the peer, the method and the status are, and what a refusal is.

use std::borrow::Cow;
use std::net::IpAddr;

use audit_core::{Deny, Verdict};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Response};
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Request, Status as GrpcStatus};

use super::denial::Instead;
use super::layer::AuditLayer;
use super::status::Status;

/// The most characters of the name of a method.
const MAX_METHOD_CHARS: usize = 64;

impl AuditLayer {
    /// Makes a layer for a server of tonic that has these services; `SERVICE_NAME` of a generated module is the name.
    ///
    /// The peer is that of the TCP connection, with TLS or without. The route is the path, as in
    /// `/bank.v1.Transfers/Send`, where the service is one of these; of others, clients can invent as many as they like.
    ///
    /// A call says how it ended by its status, so that is read: at once, where it failed without a message, or at the end
    /// of its stream. A stream that ends with another status than `OK` after its record was written is added to it as
    /// `http.response_lost`, with the reason `status` and the `grpc_status`. What is answered in place of a service is a
    /// status without a message: `UNAVAILABLE`, `INTERNAL` where the service may have done something, and for denials
    /// `PERMISSION_DENIED`, `UNAUTHENTICATED`, `NOT_FOUND` or `RESOURCE_EXHAUSTED`; what a stream says at its end is as the
    /// service says it. Requests that are no gRPC are treated as those of [`AuditLayer::new`]. A layer for gRPC-Web goes
    /// around this one.
    ///
    /// ```
    /// # mod transfers_server { pub const SERVICE_NAME: &str = "bank.v1.Transfers"; }
    /// use audited::{Actor, ActorId, AuditLayer, AuditRequest};
    /// use tonic::{Request, Status};
    ///
    /// let layer = AuditLayer::tonic([transfers_server::SERVICE_NAME]).uniform_denials();
    /// // Server::builder().layer(layer).add_service(TransfersServer::with_interceptor(…, authenticate))
    ///
    /// /// Interceptors and methods find the request's handle among its extensions.
    /// fn authenticate(request: Request<()>) -> Result<Request<()>, Status> {
    ///     let audit = request.extensions().get::<AuditRequest>().ok_or_else(|| Status::internal(""))?;
    ///     audit.identify(Actor::user(ActorId::hash("ann@example.org")));
    ///     Ok(request)
    /// }
    /// # let _ = (layer, authenticate);
    /// ```
    pub fn tonic(services: impl IntoIterator<Item = &'static str>) -> Self {
        let services: Vec<_> = services.into_iter().collect();
        let mut layer = Self::new().peer(peer).route(move |request| route(request.uri.path(), &services));
        layer.grpc = true;
        layer
    }
}

fn peer(request: &Parts) -> Option<IpAddr> {
    if let Some(connection) = request.extensions.get::<TcpConnectInfo>() {
        return connection.remote_addr().map(|address| address.ip());
    }
    // Only tonic itself knows whether it was built with TLS.
    let request = Request::from_parts(MetadataMap::new(), request.extensions.clone(), ());
    request.remote_addr().map(|address| address.ip())
}

fn route(path: &str, services: &[&'static str]) -> Option<Cow<'static, str>> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let named = method.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let known = named && (1..=MAX_METHOD_CHARS).contains(&method.len()) && services.contains(&service);
    known.then(|| path.to_owned().into())
}

/// Whether a client asks in gRPC, and so understands a status of it.
pub(super) fn is_grpc(request: &Parts) -> bool {
    request.headers.get(CONTENT_TYPE).is_some_and(|sent| sent.as_bytes().starts_with(b"application/grpc"))
}

/// What a response to gRPC says so far, unless it carries a [`Verdict`].
pub(super) fn read<B>(response: &Response<B>) -> (Status, Verdict) {
    let stated = response.extensions().get::<Verdict>().cloned();
    let status = match code_in(response.headers()) {
        Some(code) => Status::Grpc(Some(code)),
        None if response.status() == http::StatusCode::OK => Status::Grpc(None),
        None => Status::Http(response.status().as_u16()),
    };
    let verdict = match status {
        Status::Grpc(Some(code)) if code != Code::Ok => verdict(code),
        Status::Grpc(_) => Verdict::success(),
        Status::Http(_) => audit_core::Decide::decide(&response.status()),
    };
    (status, stated.unwrap_or(verdict))
}

/// What a code says of a call.
pub(super) fn verdict(code: Code) -> Verdict {
    GrpcStatus::new(code, "").deny()
}

/// The code among headers or trailers. One that no standard knows is `UNKNOWN`.
pub(super) fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get(GrpcStatus::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()))
}

/// What goes out in place of an answer.
pub(super) fn in_place<B: Default>(instead: Instead, replaced: Option<Status>) -> Response<B> {
    let status = match (instead, replaced) {
        (Instead::Refusal(refusal), _) => refusal.into(),
        // Its own code, of several that mean the same status.
        (Instead::Denial(status), Some(Status::Grpc(Some(code)))) if as_http(code) == status => {
            GrpcStatus::new(code, "")
        }
        (Instead::Denial(status), _) => GrpcStatus::new(denial(status), ""),
    };
    status.into_http()
}

fn denial(status: u16) -> Code {
    match status {
        401 => Code::Unauthenticated,
        404 => Code::NotFound,
        429 => Code::ResourceExhausted,
        _ => Code::PermissionDenied,
    }
}

/// As the mapping of Google's APIs, but that a method which is not there is the client's mistake.
pub(super) const fn as_http(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::Unimplemented => 405,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_of_known_services_are_routes() {
        let services = ["bank.v1.Transfers"];
        let path = "/bank.v1.Transfers/Send";
        assert_eq!(route(path, &services).as_deref(), Some(path));
        let long = format!("/bank.v1.Transfers/{}", "a".repeat(65));
        for path in [
            "/bank.v1.Other/Send",
            "/bank.v1.Transfers/",
            "/bank.v1.Transfers/Send/4711",
            "/bank.v1.Transfers/ann@example.org",
            "bank.v1.Transfers/Send",
            "/bank.v1.Transfers",
            "/",
            &long,
        ] {
            assert_eq!(route(path, &services), None, "{path}");
        }
    }

    #[test]
    fn a_denial_keeps_its_code_where_that_is_the_one_to_show() {
        let shown = |instead, replaced| code_in(in_place::<()>(instead, replaced).headers());
        let replaced = |code| Some(Status::Grpc(Some(code)));
        assert_eq!(shown(Instead::Denial(400), replaced(Code::FailedPrecondition)), Some(Code::FailedPrecondition));
        assert_eq!(shown(Instead::Denial(404), replaced(Code::PermissionDenied)), Some(Code::NotFound));
        assert_eq!(shown(Instead::Denial(403), Some(Status::Grpc(None))), Some(Code::PermissionDenied));
        assert_eq!(shown(Instead::Denial(401), None), Some(Code::Unauthenticated));
    }
}
