//! What the middleware makes of a service.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::Poll;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::{Error, HttpMessage};
use audit_core::__private::contained;
use audit_core::{Decide, Deny, Scoped};

use super::super::client::{self, HeaderLines};
use super::super::handled::{Answered, Handled};
use super::super::request::AuditRequest;
use super::super::status::Status;
use super::AuditMiddleware;
use super::answer::{outgoing, outgoing_error};
use super::body::AuditMessageBody;

/// What an [`AuditMiddleware`] makes of a service.
pub struct AuditMiddlewareService<S> {
    service: S,
    middleware: AuditMiddleware,
}

impl<S> AuditMiddlewareService<S> {
    pub(super) const fn new(service: S, middleware: AuditMiddleware) -> Self {
        Self { service, middleware }
    }
}

impl<S, B> Service<ServiceRequest> for AuditMiddlewareService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<AuditMessageBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let AuditMiddleware { rules, challenge } = &self.middleware;
        let route = request.match_pattern().map(Cow::Owned);
        let around = request.extensions().get::<AuditRequest>().cloned();
        if let Some(AuditRequest(handled)) = around {
            handled.matched(route);
            handled.tighten(rules);
            let future = self.service.call(request);
            return Box::pin(async { Ok(future.await?.map_body(|_, body| AuditMessageBody::through(body))) });
        }
        let peer = request.peer_addr().map(|peer| peer.ip());
        let client = client::read(request.headers(), peer, &rules.proxies);
        let handled = Handled::begin(rules.clone(), client, request.method().as_str(), route);
        request.extensions_mut().insert(AuditRequest(handled.clone()));
        let called = catch_unwind(AssertUnwindSafe(|| handled.scope().enter(|| self.service.call(request))));
        match called {
            Ok(future) => Box::pin(handle(Running::new(handled, future), challenge.clone())),
            Err(panic) => Box::pin(panicked(handled, panic)),
        }
    }
}

impl HeaderLines for HeaderMap {
    fn lines<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.get_all(name).map(HeaderValue::as_bytes)
    }
}

/// A request that the service is at work on.
struct Running<F> {
    future: Option<Pin<Box<Scoped<F>>>>,
    handled: Option<Handled>,
}

impl<F: Future> Running<F> {
    fn new(handled: Handled, future: F) -> Self {
        Self { future: Some(Box::pin(handled.scope().scope(future))), handled: Some(handled) }
    }

    /// What the service answers, or what it panicked with.
    async fn answer(mut self) -> Option<(Handled, Result<F::Output, Box<dyn Any + Send>>)> {
        let future = self.future.as_mut()?;
        let answer = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        let answer = answer.await;
        // Before the record: what is dropped may leave some. What panicked first is what goes on.
        contained(|| self.future = None);
        Some((self.handled.take()?, answer))
    }
}

impl<F> Drop for Running<F> {
    fn drop(&mut self) {
        // What the handling still holds is dropped within it, and may leave records. Or panic.
        let dropped = catch_unwind(AssertUnwindSafe(|| self.future = None));
        if let Some(handled) = self.handled.take() {
            handled.cancelled();
            handled.scope().over();
        }
        dropped.unwrap_or_else(|panic| resume_unwind(panic));
    }
}

/// An answer whose record is on its way.
struct Waiting(Option<Answered>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(answered) = self.0.take() {
            answered.dropped();
        }
    }
}

async fn handle<F, B>(
    running: Running<F>,
    challenge: HeaderValue,
) -> Result<ServiceResponse<AuditMessageBody<B>>, Error>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    let Some((handled, answer)) = running.answer().await else { unreachable!("it runs until it has answered") };
    let answer = match answer {
        Ok(answer) => answer,
        Err(panic) => return panicked(handled, panic).await,
    };
    let (recording, answered) = match &answer {
        Ok(response) => handled.answered(Status::Http(response.status().as_u16()), response.response().decide()),
        Err(error) => {
            let status = error.as_response_error().status_code().as_u16();
            handled.answered(Status::Http(status), error.deny())
        }
    };
    handled.scope().over();
    let mut waiting = Waiting(Some(answered));
    if let Some(recording) = recording {
        let acknowledged = recording.await;
        if let Some(answered) = &mut waiting.0 {
            answered.acknowledged(&acknowledged);
        }
    }
    let Some(answered) = waiting.0.take() else { unreachable!("nobody else takes it") };
    match answer {
        Ok(response) => Ok(outgoing(answered, response, &challenge)),
        Err(error) => Err(outgoing_error(&answered, error, challenge)),
    }
}

/// The panic goes on once its record is acknowledged, or not.
async fn panicked<T>(handled: Handled, panic: Box<dyn Any + Send>) -> T {
    let recording = handled.panicked();
    handled.scope().over();
    if let Some(recording) = recording {
        let _ = recording.await;
    }
    resume_unwind(panic)
}

impl<S> fmt::Debug for AuditMiddlewareService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditMiddlewareService").field("middleware", &self.middleware).finish_non_exhaustive()
    }
}
