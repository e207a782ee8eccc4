//! The layer, and what it can be told.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;
use tower_layer::Layer;

use super::client::TrustedProxies;
use super::coverage::CoverageMode;
use super::denial::{DenialStatus, Denials};
use super::handled::Rules;
use super::service::AuditService;

/// Makes the context of each request, and records what no function with `#[audited]` can see of it.
///
/// It is the outermost layer of a service:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use audited::{Actor, ActorId, AuditLayer, AuditRequest, TrustedProxies, audited};
/// use axum::extract::{Path, Request};
/// use axum::middleware::{self, Next};
/// use axum::response::Response;
/// use axum::routing::post;
/// use axum::{Json, Router};
///
/// #[audited(action = "account.close", resource("account", id))]
/// async fn close(Path(id): Path<u64>, Json(reason): Json<u8>) {}
///
/// async fn authenticate(audit: AuditRequest, request: Request, next: Next) -> Response {
///     audit.identify(Actor::user(ActorId::hash("ann@example.org")));
///     next.run(request).await
/// }
///
/// # fn main() -> Result<(), audited::InvalidTrustedProxies> {
/// let audit = AuditLayer::axum().trusted_proxies(TrustedProxies::new(["10.0.0.0/8"])?).uniform_denials();
/// let app: Router = Router::new()
///     .route("/accounts/{id}/close", post(close))
///     .layer(middleware::from_fn(authenticate))
///     .layer(audit);
/// // axum::serve(listener, app.into_make_service_with_connect_info::<std::net::SocketAddr>())
/// # Ok(())
/// # }
/// # }
/// ```
///
/// # The context
///
/// The address of the client ([`TrustedProxies`] says when a proxy is believed), its user agent and origin, and a
/// correlation id, which the client gets back as `x-request-id` with every answer. The client's own request id and trace
/// are kept as `claimed.client_request_id` and `claimed.trace_id`; that of a trusted proxy is taken over. Authentication
/// adds who acts by [`AuditRequest`](crate::AuditRequest). What surrounds the layer comes first, and is copied.
///
/// # What it records
///
/// Under the action `http.request`, with the method, the route (the pattern, never the path) and the status, and
/// acknowledged before the answer goes on:
///
/// - a request that was refused or failed, where nothing inside says so: whatever the extractors, the authentication, the
///   router or another layer answered. The verdict is that of the answer ([`Verdict`](crate::Verdict) among its
///   extensions, else its status). An audited call, or an event, that was denied or failed accounts for it already; one
///   that was allowed does not, be it that of the authentication, or of a handler whose value nobody could serialise;
/// - a service that gives an error, or panics;
/// - a request that was dropped before its answer: the client hung up, its body never came to an end and the server gave
///   up. Its stage is `cancelled`. Nobody is there to wait for this one.
///
/// Where the record says nothing of a status, there was no answer. A request that succeeded and left no record is a
/// finding ([`CoverageMode`]). What a function with `#[not_audited]` answers leaves nothing, unless it is a denial.
///
/// An answer that was not given to the end is added to the record of the request, whichever that is, as
/// `http.response_lost`: how many bytes were given to the server, and whether the body `failed`, `panicked`, was
/// `dropped` by who should have sent it, or went `unanswered` altogether. What the server holds in its buffers counts as
/// given; an empty body cannot be lost.
///
/// A layer inside of another one leaves no record of its own. It adds the route, should the outer one not know it; and
/// where it is told to be stricter ([`CoverageMode::Strict`], [`fail_closed`](Self::fail_closed), uniform denials, with the
/// outer one's challenge), the outer one is that for its requests.
///
/// What the server refuses before there is a request, such as a malformed head, no layer sees.
#[derive(Clone)]
pub struct AuditLayer {
    pub(super) rules: Arc<Rules>,
    pub(super) challenge: HeaderValue,
    pub(super) peer: Option<Arc<PeerOf>>,
    pub(super) route: Option<Arc<RouteOf>>,
    /// Whether clients may ask in gRPC.
    #[cfg(feature = "tonic")]
    pub(super) grpc: bool,
}

type PeerOf = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;
type RouteOf = dyn Fn(&Parts) -> Option<Cow<'static, str>> + Send + Sync;

impl AuditLayer {
    /// Makes a layer for any stack of tower. It knows no address and no route until it is told where they are.
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use audited::AuditLayer;
    ///
    /// /// What the router of this service puts into the extensions of a request.
    /// #[derive(Clone)]
    /// struct Route(&'static str);
    ///
    /// let layer = AuditLayer::new()
    ///     .peer(|request| request.extensions.get::<SocketAddr>().map(SocketAddr::ip))
    ///     .route(|request| request.extensions.get::<Route>().map(|route| route.0.into()));
    /// ```
    #[allow(clippy::new_without_default, reason = "nobody wants one that knows nothing by accident")]
    pub fn new() -> Self {
        let challenge = HeaderValue::from_static("Bearer");
        Self {
            rules: Arc::default(),
            challenge,
            peer: None,
            route: None,
            #[cfg(feature = "tonic")]
            grpc: false,
        }
    }

    /// Makes a layer that takes the peer from axum's `ConnectInfo<SocketAddr>` and the route from its `MatchedPath`.
    ///
    /// The first is there where the service is made by `into_make_service_with_connect_info::<SocketAddr>()`; the second
    /// where the layer is one of a router, added behind its routes. Around a whole router the route is known by a second
    /// layer inside of it.
    #[cfg(feature = "axum")]
    pub fn axum() -> Self {
        use std::net::SocketAddr;

        use axum::extract::connect_info::MockConnectInfo;
        use axum::extract::{ConnectInfo, MatchedPath};

        Self::new()
            .peer(|request| {
                let mocked = || request.extensions.get::<MockConnectInfo<SocketAddr>>().map(|mock| mock.0);
                let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
                peer.or_else(mocked).map(|peer| peer.ip())
            })
            .route(|request| {
                let matched = request.extensions.get::<MatchedPath>()?;
                Some(matched.as_str().to_owned().into())
            })
    }

    /// Asks `peer` for the address at the other end of the connection: not for one from a header.
    #[must_use]
    pub fn peer(mut self, peer: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.peer = Some(Arc::new(peer));
        self
    }

    /// Asks `route` for the pattern that a request has matched. Where it knows none, records say `<unmatched>`. It must
    /// not give the path: what it gives is in the record as it is.
    #[must_use]
    pub fn route(mut self, route: impl Fn(&Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static) -> Self {
        self.route = Some(Arc::new(route));
        self
    }

    /// Believes these proxies; otherwise none.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        Arc::make_mut(&mut self.rules).proxies = proxies;
        self
    }

    /// Sets what is done about a request that succeeded and left no record; otherwise [`CoverageMode::Report`].
    ///
    /// What is recorded until the service has answered counts, and in tasks that it spawns meanwhile with
    /// [`carry`](crate::carry). What is recorded only while the body of the answer streams comes too late.
    #[must_use]
    pub fn coverage(mut self, mode: CoverageMode) -> Self {
        Arc::make_mut(&mut self.rules).coverage = mode;
        self
    }

    /// Keeps an answer back whose record by this layer is not acknowledged. The client gets 503 without a body; and 500,
    /// which nobody takes for retryable, where the service may have done something: it failed, or recorded something.
    ///
    /// As for `#[audited(…, fail_closed)]` the sink has to promise a disk, or
    /// [`allow_weak_fail_closed_for`](crate::RecorderBuilder::allow_weak_fail_closed_for) to name `http.request`.
    /// Otherwise the layer is fail-open: the answer goes on, and the loss is counted.
    #[must_use]
    pub fn fail_closed(mut self) -> Self {
        Arc::make_mut(&mut self.rules).fail_closed = true;
        self
    }

    /// Makes of each denial its status and nothing else: no body, and only headers that are always the same. So two
    /// denials with one status are the same bytes, whatever their reason, but for the date and the `x-request-id`.
    ///
    /// A denial is what its [`Verdict`](crate::Verdict) or its status says is one (401, 403, 429), and a 4xx or 5xx where the
    /// audited call inside was denied. With a status of none of the 4xx it becomes 403. A service may answer 404 where it
    /// is a secret that something exists; so what really is not found is answered alike.
    ///
    /// How long an answer takes is not hidden, nor what a layer around this one adds to it. So does axum, to whatever is
    /// answered where a route has not the method: an `allow`, unless the layer is around the whole router, as in
    /// `AuditLayer::axum().layer(router)`.
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

impl fmt::Debug for AuditLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLayer").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService::new(inner, self.clone())
    }
}
