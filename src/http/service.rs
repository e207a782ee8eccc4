//! What a layer makes of a service.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::__private::{Recording, contained};
use audit_core::Scoped;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::AuditBody;
use super::client;
use super::handled::{Answered, Handled};
use super::layer::AuditLayer;
use super::request::AuditRequest;
use super::response::Answering;

/// What an [`AuditLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct AuditService<S> {
    inner: S,
    layer: AuditLayer,
}

impl<S> AuditService<S> {
    pub(super) const fn new(inner: S, layer: AuditLayer) -> Self {
        Self { inner, layer }
    }
}

impl<S, Asked, Answer> Service<Request<Asked>> for AuditService<S>
where
    S: Service<Request<Asked>, Response = Response<Answer>>,
    Answer: Body,
{
    type Response = Response<AuditBody<Answer>>;
    type Error = S::Error;
    type Future = AuditFuture<S::Future, Answer, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Asked>) -> Self::Future {
        let AuditLayer { rules, peer, route, .. } = &self.layer;
        let (mut parts, body) = request.into_parts();
        let route = route.as_ref().and_then(|route| contained(|| route(&parts)).flatten());
        if let Some(AuditRequest(handled)) = parts.extensions.get::<AuditRequest>() {
            handled.matched(route);
            handled.tighten(rules);
            let future = self.inner.call(Request::from_parts(parts, body));
            return AuditFuture { state: State::Through { future } };
        }
        let peer = peer.as_ref().and_then(|peer| contained(|| peer(&parts)).flatten());
        let client = client::read(&parts.headers, peer, &rules.proxies);
        let answering = Answering::of(&self.layer, &parts);
        let handled = Handled::begin(rules.clone(), client, parts.method.as_str(), route);
        parts.extensions.insert(AuditRequest(handled.clone()));
        let request = Request::from_parts(parts, body);
        let called = catch_unwind(AssertUnwindSafe(|| handled.scope().enter(|| self.inner.call(request))));
        let state = match called {
            Ok(future) => {
                let running = Running { handled, answering };
                State::Running { future: running.handled.scope().scope(future), running: Some(running) }
            }
            Err(panic) => State::panicked(&handled, panic),
        };
        AuditFuture { state }
    }
}

pin_project! {
    /// The future of an answer: what an [`AuditService`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct AuditFuture<F, B, E> {
        #[pin]
        state: State<F, B, E>,
    }

    impl<F, B, E> PinnedDrop for AuditFuture<F, B, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut state = this.project().state;
            match state.as_mut().project() {
                Polled::Running { running, .. } => {
                    let running = running.take();
                    // What the handling still holds is dropped within it, and may leave records. Or panic.
                    let dropped = catch_unwind(AssertUnwindSafe(|| state.set(State::Over)));
                    if let Some(Running { handled, .. }) = running {
                        handled.cancelled();
                        handled.scope().over();
                    }
                    dropped.unwrap_or_else(|panic| resume_unwind(panic));
                }
                Polled::Recording { recording, held } => {
                    drop(recording.take());
                    if let Some(Held { answered, result, .. }) = held.take() {
                        let handled = answered.handled().clone();
                        answered.dropped();
                        handled.scope().enter(|| drop(result));
                    }
                }
                Polled::Through { .. } | Polled::Panicked { .. } | Polled::Over => {}
            }
        }
    }
}

pin_project! {
    #[project = Polled]
    enum State<F, B, E> {
        // A layer around this one does it all.
        Through {
            #[pin]
            future: F,
        },
        Running {
            #[pin]
            future: Scoped<F>,
            running: Option<Running>,
        },
        // The answer is there, and goes out once the record is acknowledged.
        Recording {
            recording: Option<Recording>,
            held: Option<Held<B, E>>,
        },
        Panicked {
            recording: Option<Recording>,
            panic: Option<Box<dyn Any + Send>>,
        },
        Over,
    }
}

/// A request that the service is at work on.
struct Running {
    handled: Handled,
    answering: Answering,
}

/// What the service has answered.
struct Held<B, E> {
    answered: Answered,
    result: Result<Response<B>, E>,
    answering: Answering,
}

impl<F, B, E> State<F, B, E> {
    fn panicked(handled: &Handled, panic: Box<dyn Any + Send>) -> Self {
        let recording = handled.panicked();
        handled.scope().over();
        Self::Panicked { recording, panic: Some(panic) }
    }
}

impl<F, B, E> Future for AuditFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<AuditBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                Polled::Through { future } => return future.poll(cx).map_ok(|answer| answer.map(AuditBody::through)),
                Polled::Running { mut future, running } => {
                    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                        Ok(Poll::Pending) => return Poll::Pending,
                        Ok(Poll::Ready(answer)) => {
                            running.take().map_or(State::Over, |running| running.answered(answer))
                        }
                        Err(panic) => {
                            let running = running.take();
                            // Before the record: what is dropped may leave some. The first panic is the one that goes on.
                            contained(|| state.set(State::Over));
                            running.map_or(State::Over, |running| State::panicked(&running.handled, panic))
                        }
                    }
                }
                Polled::Recording { recording, held } => {
                    let acknowledged = match recording {
                        Some(recording) => Some(ready!(Pin::new(recording).poll(cx))),
                        None => None,
                    };
                    let Some(Held { mut answered, result, answering }) = held.take() else { over() };
                    if let Some(acknowledged) = acknowledged {
                        answered.acknowledged(&acknowledged);
                    }
                    state.set(State::Over);
                    return Poll::Ready(match result {
                        Ok(response) => Ok(answering.outgoing(answered, response)),
                        Err(error) => answering.in_place_of_an_error(&answered).ok_or(error),
                    });
                }
                Polled::Panicked { recording, panic } => {
                    if let Some(recording) = recording {
                        // Acknowledged or not, it goes on.
                        let _ = ready!(Pin::new(recording).poll(cx));
                    }
                    let panic = panic.take();
                    state.set(State::Over);
                    resume_unwind(panic.unwrap_or_else(|| over()))
                }
                Polled::Over => over(),
            };
            state.set(next);
        }
    }
}

impl Running {
    fn answered<F, B, E>(self, result: Result<Response<B>, E>) -> State<F, B, E> {
        let Self { handled, answering } = self;
        let (recording, answered) = match &result {
            Ok(response) => {
                let (status, verdict) = answering.read(response);
                handled.answered(status, verdict)
            }
            Err(_) => handled.failed(),
        };
        handled.scope().over();
        State::Recording { recording, held: Some(Held { answered, result, answering }) }
    }
}

#[cold]
fn over() -> ! {
    panic!("the future of a request was polled after it had returned")
}

impl<F, B, E> fmt::Debug for AuditFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditFuture").finish_non_exhaustive()
    }
}
