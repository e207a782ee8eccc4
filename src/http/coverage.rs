//! The layer that finds requests which leave no record.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use audit_core::{Coverage, Covered, Effect, Refusal, Refuse, covered_call, report_unaudited};
use http::request::Parts;
use http::{Method, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// What a [`CoverageLayer`] does about a request that left no record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CoverageMode {
    /// Nothing: it does not even look.
    Off,
    /// It leaves a record, `audit.unaudited`, and the answer goes out.
    #[default]
    Report,
    /// It leaves that record, and the answer does not go out: the client gets the one that a refused call gets whose
    /// effect may have happened, 500 without a body.
    ///
    /// The handler has run: what it did is done, and not undone. That is why the status is none that a client takes for
    /// retryable.
    Strict,
}

/// Finds the requests that leave no record, though no function with `#[not_audited]` handled them.
///
/// It goes around everything that can answer, and inside of what scopes a recorder. The record that it leaves has the
/// method and the route: the pattern, never the path, since that may hold what nobody has classified. The feature
/// `axum` brings [`CoverageLayer::matched_path`]; with any other router [`CoverageLayer::new`] is told where the
/// pattern is.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use audited::{CoverageLayer, CoverageMode, audited, not_audited};
/// use axum::Router;
/// use axum::routing::{get, post};
///
/// #[audited(action = "account.close")]
/// async fn close() {}
///
/// #[not_audited(reason = "says that the service lives")]
/// async fn healthz() {}
///
/// let app: Router = Router::new()
///     .route("/accounts/{id}/close", post(close))
///     .route("/healthz", get(healthz))
///     // Of the routes alone: what matches none is answered without a handler.
///     .route_layer(CoverageLayer::matched_path(CoverageMode::Strict));
/// # }
/// ```
///
/// # What counts
///
/// What is recorded until the handler has answered, or fails, and in tasks that it spawns meanwhile with
/// [`carry`](crate::carry). The body of the answer passes untouched: what is recorded only while a body streams comes
/// too late, so that a handler of which that is all leaves nothing. In [`CoverageMode::Strict`] such a body is dropped
/// unread.
///
/// A panic goes on through the layer. Where nothing had been recorded before it, the request is a finding nevertheless;
/// an audited function that panics has left its record. Of a request that the client gave up, and whose handling was
/// dropped, nothing is said: nobody was answered.
#[derive(Clone)]
pub struct CoverageLayer {
    mode: CoverageMode,
    route: Arc<RouteOf>,
}

type RouteOf = dyn Fn(&Parts) -> Option<Cow<'static, str>> + Send + Sync;

/// What stands in a record for a route that is not known.
const UNMATCHED: &str = "<unmatched>";

impl CoverageLayer {
    /// Makes a layer that asks `route` for the pattern which a request has matched. Where it knows none, the record
    /// says `<unmatched>`. It must not give the path: what it gives is in the record as it is.
    ///
    /// ```
    /// use audited::{CoverageLayer, CoverageMode};
    ///
    /// /// What the router of this service puts into the extensions of a request.
    /// #[derive(Clone)]
    /// struct Route(&'static str);
    ///
    /// let layer = CoverageLayer::new(CoverageMode::Report, |request| {
    ///     request.extensions.get::<Route>().map(|route| route.0.into())
    /// });
    /// ```
    pub fn new<F>(mode: CoverageMode, route: F) -> Self
    where
        F: Fn(&Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        Self { mode, route: Arc::new(route) }
    }

    /// Makes a layer that takes the route from axum's `MatchedPath`.
    #[cfg(feature = "axum")]
    pub fn matched_path(mode: CoverageMode) -> Self {
        Self::new(mode, |request| {
            let matched = request.extensions.get::<axum::extract::MatchedPath>()?;
            Some(matched.as_str().to_owned().into())
        })
    }
}

impl fmt::Debug for CoverageLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoverageLayer").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for CoverageLayer {
    type Service = CoverageService<S>;

    fn layer(&self, inner: S) -> CoverageService<S> {
        CoverageService { inner, layer: self.clone() }
    }
}

/// What a [`CoverageLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct CoverageService<S> {
    inner: S,
    layer: CoverageLayer,
}

impl<S, Asked, Answered> Service<Request<Asked>> for CoverageService<S>
where
    S: Service<Request<Asked>, Response = Response<Answered>>,
    Answered: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CoverageFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Asked>) -> Self::Future {
        let CoverageLayer { mode, route } = &self.layer;
        if *mode == CoverageMode::Off {
            return CoverageFuture { state: State::Off { future: self.inner.call(request) } };
        }
        let (parts, body) = request.into_parts();
        let found = Finding { mode: *mode, method: name(&parts.method), route: route(&parts) };
        let request = Request::from_parts(parts, body);
        let covered = covered_call(|| self.inner.call(request));
        CoverageFuture { state: State::Covered { covered, found } }
    }
}

pin_project! {
    /// The future of an answer: what a [`CoverageService`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct CoverageFuture<F> {
        #[pin]
        state: State<F>,
    }
}

impl<F> fmt::Debug for CoverageFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoverageFuture").finish_non_exhaustive()
    }
}

pin_project! {
    #[project = Polled]
    enum State<F> {
        Off {
            #[pin]
            future: F,
        },
        Covered {
            #[pin]
            covered: Covered<F>,
            found: Finding,
        },
    }
}

/// What is to be said of a request should it leave nothing.
struct Finding {
    mode: CoverageMode,
    method: &'static str,
    route: Option<Cow<'static, str>>,
}

impl<F, Answered, E> Future for CoverageFuture<F>
where
    F: Future<Output = Result<Response<Answered>, E>>,
    Answered: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (mut covered, found) = match self.project().state.project() {
            Polled::Off { future } => return future.poll(cx),
            Polled::Covered { covered, found } => (covered, found),
        };
        let polled = catch_unwind(AssertUnwindSafe(|| covered.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready((_, Coverage::Unaudited))) if found.mode == CoverageMode::Strict => {
                found.report();
                let effect = Effect::MayHaveHappened;
                Poll::Ready(Ok(Response::refuse(Refusal::Unavailable { effect })))
            }
            Ok(Poll::Ready((answer, coverage))) => {
                if coverage == Coverage::Unaudited {
                    found.report();
                }
                Poll::Ready(answer)
            }
            Err(panic) => {
                if covered.coverage() == Coverage::Unaudited {
                    found.report();
                }
                resume_unwind(panic)
            }
        }
    }
}

impl Finding {
    fn report(&self) {
        report_unaudited(self.method, self.route.as_deref().unwrap_or(UNMATCHED));
    }
}

/// The name of a method of the standard; any other is text of the client, which nobody has classified.
fn name(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 9] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::PATCH, "PATCH"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::CONNECT, "CONNECT"),
        (Method::TRACE, "TRACE"),
    ];
    KNOWN.iter().find(|(known, _)| known == method).map_or("<other>", |(_, name)| name)
}
