//! Services that panic where nobody expects it: a request is recorded nevertheless, once.

use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use audited::{Action, AuditLayer, CoverageMode, MemorySink, Record, Stage, record_action, with_recorder_sync};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode};
use futures_util::FutureExt;
use tower::{Layer, ServiceExt, service_fn};

use crate::support;

/// What is asked of the service in these tests.
type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// A future that panics when it is dropped, whether it has panicked before or not.
struct Unruly {
    panics_first: bool,
}

impl Future for Unruly {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.panics_first, "the first panic");
        Poll::Pending
    }
}

impl Drop for Unruly {
    fn drop(&mut self) {
        std::panic::panic_any("s3cret of a drop");
    }
}

/// The records of one request, but for what the framework says of itself, and what came out of its future.
fn handled(layer: &AuditLayer, answer: impl Fn() -> Answer + Clone) -> (Vec<Record>, Result<StatusCode, String>) {
    let memory = MemorySink::new();
    let outcome = with_recorder_sync(support::recorder(memory.clone()), || {
        let service = layer.layer(service_fn(move |_: Request| answer()));
        let asked = service.oneshot(Request::new(Body::empty()));
        catch_unwind(AssertUnwindSafe(|| asked.now_or_never()))
    });
    let outcome = match outcome {
        Ok(answered) => Ok(answered.map_or(StatusCode::CONTINUE, |answer| answer.unwrap().status())),
        Err(panic) => Err((*panic.downcast_ref::<&str>().unwrap_or(&"another panic")).to_owned()),
    };
    let records = memory.records().into_iter().filter(|record| record.action().starts_with("http."));
    (records.collect(), outcome)
}

#[test]
fn a_handling_that_panics_while_it_is_dropped_is_recorded_nevertheless() {
    let (records, outcome) = handled(&AuditLayer::new(), || Box::pin(Unruly { panics_first: false }));
    assert_eq!(outcome, Err("s3cret of a drop".to_owned()), "it goes on, as without the layer");
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((record.action(), record.stage()), ("http.request".into(), Some(Stage::Cancelled)));
    assert!(!record.json().contains("s3cret"));
}

#[test]
fn a_handling_that_panics_again_while_it_is_dropped_has_one_record() {
    let (records, outcome) = handled(&AuditLayer::new(), || Box::pin(Unruly { panics_first: true }));
    assert_eq!(outcome, Err("the first panic".to_owned()));
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((record.action(), record.stage()), ("http.request".into(), Some(Stage::Panicked)));
}

#[test]
fn a_layer_whose_own_questions_panic_knows_less_and_records_the_request() {
    let layer =
        AuditLayer::new().peer(|_| std::panic::panic_any("no peer")).route(|_| std::panic::panic_any("no route"));
    let teapot = || -> Answer { Box::pin(ready(Ok(answer_of(StatusCode::IM_A_TEAPOT)))) };
    let (records, outcome) = handled(&layer, teapot);
    assert_eq!(outcome, Ok(StatusCode::IM_A_TEAPOT));
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record.detail(), Some(r#"{"method":"GET","route":"<unmatched>","status":418}"#));
}

fn answer_of(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A body that leaves a record when it is dropped.
struct Leaves;

impl HttpBody for Leaves {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

impl Drop for Leaves {
    fn drop(&mut self) {
        record_action(Action::new("body.dropped")).wait().unwrap();
    }
}

#[test]
fn whatever_becomes_of_a_body_what_it_records_has_the_context_of_the_request() {
    let layer = || AuditLayer::new().coverage(CoverageMode::Off);
    for (layer, method, status) in [
        (layer(), Method::GET, 200),
        // It is not sent.
        (layer(), Method::HEAD, 200),
        (layer(), Method::GET, 204),
        // Another comes in its place.
        (layer().uniform_denials(), Method::GET, 403),
        (layer().coverage(CoverageMode::Strict), Method::GET, 200),
    ] {
        let memory = MemorySink::new();
        let request = Request::builder().method(method.clone()).body(Body::empty()).unwrap();
        let id = with_recorder_sync(support::recorder(memory.clone()), || {
            let service = service_fn(move |_: Request| {
                let mut response = Response::new(Leaves);
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                ready(Ok::<_, Infallible>(response))
            });
            let answer = layer.layer(service).oneshot(request).now_or_never().unwrap().unwrap();
            answer.headers()["x-request-id"].to_str().unwrap().to_owned()
        });
        let record = memory.last("body.dropped").unwrap();
        assert_eq!(record.correlation_id().as_deref(), Some(&*id), "{method} {status}");
    }
}

/// An answer that nobody waits for any more while its record is on its way.
#[test]
fn so_it_has_where_the_answer_is_dropped_with_it() {
    let sink = support::Capture::new();
    let recorder = support::recorder(sink.clone());
    sink.wait_for_action("audit.started", support::PATIENCE);
    let before = sink.batches();
    sink.set(support::Behaviour::HangAsync);
    with_recorder_sync(recorder, || {
        let service = service_fn(|_: Request| async {
            let mut response = Response::new(Told);
            *response.status_mut() = StatusCode::CONFLICT;
            Ok::<_, Infallible>(response)
        });
        let asked = AuditLayer::new().layer(service).oneshot(Request::new(Body::empty()));
        assert!(asked.now_or_never().is_none());
    });
    sink.wait_for_batches(before + 1, support::PATIENCE);
    sink.set(support::Behaviour::Ok);
    let lost = sink.wait_for_action("http.response_lost", support::PATIENCE);
    let told = sink.wait_for_action("body.dropped", support::PATIENCE);
    assert_eq!(told.correlation_id(), lost.correlation_id());
}

/// As [`Leaves`], without waiting.
struct Told;

impl HttpBody for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let recording = std::future::IntoFuture::into_future(record_action(Action::new("body.dropped")));
        assert!(recording.now_or_never().is_none());
    }
}

/// A handling that is never polled was there as well.
#[test]
fn a_handling_that_nobody_polls_is_cancelled() {
    let memory = MemorySink::new();
    with_recorder_sync(support::recorder(memory.clone()), || {
        let mut service =
            AuditLayer::new().layer(service_fn(|_: Request| pending::<Result<Response<Body>, Infallible>>()));
        drop(tower_service::Service::call(&mut service, Request::new(Body::empty())));
    });
    assert_eq!(memory.find("http.request").len(), 1);
}
