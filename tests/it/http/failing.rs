//! What becomes of answers while no sink takes records, of services that fail or panic, and of floods.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audited::{
    AuditLayer, AuditRequest, Deny, FloodControl, Loss, Record, Recorder, Refusal, Stage, StoredOutcome, audited,
    not_audited, with_recorder,
};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::{any, get};
use futures_util::FutureExt;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::served::Served;
use crate::support::{Behaviour, Capture, PATIENCE};

#[derive(Debug, Deny)]
enum Never {
    #[failed("audit_unavailable")]
    Audit,
}

impl From<Refusal> for Never {
    fn from(_: Refusal) -> Self {
        Self::Audit
    }
}

impl axum::response::IntoResponse for Never {
    fn into_response(self) -> axum::response::Response {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

#[audited(action = "safe.open", fail_closed)]
async fn open() -> Result<&'static str, Never> {
    Ok("open")
}

#[audited(action = "safe.look")]
async fn look() -> &'static str {
    "seen"
}

async fn fails() -> (StatusCode, &'static str) {
    (StatusCode::BAD_GATEWAY, "s3cret of the handler")
}

#[not_audited(reason = "says that the service lives")]
async fn lives() {}

fn safe() -> Router {
    Router::new().route("/open", get(open)).route("/look", get(look)).route("/fails", get(fails))
}

/// A recorder whose sink can be told what to do.
fn recorder(sink: &Capture, deadline: Duration) -> Recorder {
    let recorder = Recorder::builder().sink(sink.clone()).deadline(deadline).allow_weak_fail_closed().build().unwrap();
    sink.wait_for_action("audit.started", PATIENCE);
    recorder
}

#[tokio::test]
async fn an_answer_without_its_record_is_kept_back_where_that_is_asked_for() {
    let sink = Capture::new();
    let served = Served::by(recorder(&sink, PATIENCE), safe().layer(AuditLayer::axum().fail_closed())).await;
    assert_eq!(served.get("GET /nowhere").await.status(), 404);
    sink.set(Behaviour::Fail);
    for (what, status) in [("GET /nowhere", 503), ("POST /look", 503), ("GET /fails", 500)] {
        let answer = served.get(what).await;
        assert_eq!((answer.status(), answer.body()), (status, ""), "{what}");
        assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    }
    // What has its own record goes by its own policy.
    assert_eq!(served.get("GET /look").await.body(), "seen");
}

#[tokio::test]
async fn a_weak_sink_is_not_relied_on_unless_it_is_said_so() {
    for (name, status) in [("safe.open", 503), ("http.request", 404)] {
        let closed: Vec<_> = audited::catalogue().actions;
        let weak = closed.into_iter().filter(|action| action.policy.as_deref() == Some("fail_closed"));
        let others = weak.map(|action| action.action);
        let sink = Capture::new();
        let recorder =
            Recorder::builder().sink(sink).allow_weak_fail_closed_for(others.chain([name.to_owned()])).build().unwrap();
        let served = Served::by(recorder, safe().layer(AuditLayer::axum().fail_closed())).await;
        assert_eq!(served.get("GET /nowhere").await.status(), status, "{name}");
    }
}

#[tokio::test]
async fn otherwise_the_answer_goes_on_and_the_loss_is_counted() {
    let sink = Capture::new();
    let recorder = recorder(&sink, PATIENCE);
    let served = Served::by(recorder.clone(), safe().layer(AuditLayer::axum())).await;
    sink.set(Behaviour::Fail);
    assert_eq!(served.get("GET /fails").await.body(), "s3cret of the handler");
    assert_eq!(recorder.stats().unacknowledged, 1);
    sink.set(Behaviour::Ok);
    served.get("GET /look").await;
    assert!(sink.wait_for_action("audit.gap", PATIENCE).detail().unwrap().contains("http.request"));
}

#[tokio::test]
async fn a_refused_call_is_not_recorded_again_by_its_layer() {
    let (sink, lost) = (Capture::new(), Arc::new(Mutex::new(Vec::new())));
    let told = lost.clone();
    let recorder = Recorder::builder()
        .sink(sink.clone())
        .on_loss(move |loss| told.lock().unwrap().push(loss.action.to_owned()))
        .allow_weak_fail_closed()
        .build()
        .unwrap();
    let served = Served::by(recorder, safe().layer(AuditLayer::axum())).await;
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::Fail);
    assert_eq!(served.get("GET /open").await.status(), 503);
    assert_eq!(*lost.lock().unwrap(), ["safe.open"], "the intent");
}

#[tokio::test]
async fn no_answer_goes_out_before_its_record() {
    let sink = Capture::new();
    let recorder = recorder(&sink, PATIENCE);
    let app = safe().route("/lives", get(lives)).layer(AuditLayer::axum());
    let served = Served::by(recorder, app).await;
    let its_batch = sink.batches() + 1;
    sink.set(Behaviour::HangAsync);
    let mut stream = served.send("GET /nowhere", &[], "").await;
    let waits = sink.clone();
    tokio::task::spawn_blocking(move || waits.wait_for_batches(its_batch, PATIENCE)).await.unwrap();
    // Whatever this thread would have sent by now, it has sent before the answer to this one.
    assert_eq!(served.get("GET /lives").await.status(), 200);
    let early = stream.try_read(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(early, Err(io::ErrorKind::WouldBlock));
    sink.set(Behaviour::Ok);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn a_sink_that_hangs_holds_an_answer_up_to_the_deadline() {
    let sink = Capture::new();
    let recorder = recorder(&sink, Duration::from_millis(50));
    let open = Served::by(recorder.clone(), safe().layer(AuditLayer::axum())).await;
    let closed = Served::by(recorder.clone(), safe().layer(AuditLayer::axum().fail_closed())).await;
    sink.set(Behaviour::HangBlocking);
    assert_eq!(open.get("GET /nowhere").await.status(), 404);
    assert_eq!(closed.get("GET /nowhere").await.status(), 503);
    sink.set(Behaviour::Ok);
    drop((open, closed));
}

#[tokio::test]
async fn who_hangs_up_on_a_call_that_waits_for_its_record_is_told_of_once() {
    static GONE: Semaphore = Semaphore::const_new(0);
    struct Gone;
    impl Drop for Gone {
        fn drop(&mut self) {
            GONE.add_permits(1);
        }
    }
    async fn until_it_is_gone(request: Request, next: Next) -> axum::response::Response {
        let _gone = Gone;
        next.run(request).await
    }
    let sink = Capture::new();
    let recorder = recorder(&sink, PATIENCE);
    let app = safe().layer(middleware::from_fn(until_it_is_gone)).layer(AuditLayer::axum());
    let served = Served::by(recorder, app).await;
    let its_batch = sink.batches() + 1;
    sink.set(Behaviour::HangAsync);
    let stream = served.send("GET /look", &[], "").await;
    let waits = sink.clone();
    tokio::task::spawn_blocking(move || waits.wait_for_batches(its_batch, PATIENCE)).await.unwrap();
    drop(stream);
    GONE.acquire().await.unwrap().forget();
    sink.set(Behaviour::Ok);
    // A mark behind all that could still come.
    served.get("GET /nowhere").await;
    let actions: Vec<_> = sink.all().iter().map(|record| record.action().into_owned()).collect();
    assert_eq!(actions, ["audit.started", "safe.look", "audit.undelivered", "http.request"]);
    assert_eq!(sink.all()[2].call(), sink.all()[1].id());
}

#[tokio::test]
async fn an_error_of_the_service_passes_after_its_record() {
    let sink = Capture::new();
    let failing = service_fn(|_: Request| async { Err::<Response<Body>, _>(io::Error::other("s3cret")) });
    let request = || Request::new(Body::empty());
    let with = recorder(&sink, PATIENCE);

    let error = with_recorder(with.clone(), AuditLayer::new().layer(failing).oneshot(request())).await;
    assert_eq!(error.unwrap_err().to_string(), "s3cret");
    let [record] = &sink.records()[..] else { panic!("{:?}", sink.records()) };
    assert_eq!(record.outcome(), Some(StoredOutcome::Failure { code: "service_error".into() }));
    assert_eq!(record.detail(), Some(r#"{"method":"GET","route":"<unmatched>"}"#));

    sink.set(Behaviour::Fail);
    let closed = AuditLayer::new().fail_closed().layer(failing);
    let refused = with_recorder(with, closed.oneshot(request())).await.unwrap();
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// A service that panics in its call, and not in its future.
#[tokio::test]
async fn a_panic_of_the_call_itself_is_recorded_before_it_goes_on() {
    let sink = Capture::new();
    let service = service_fn(|request: Request| {
        assert!(request.uri().path() != "/", "as planned");
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    });
    let mut layered = AuditLayer::new().layer(service);
    let request = Request::new(Body::empty());
    let called = with_recorder(recorder(&sink, PATIENCE), async {
        let future = layered.ready().await.unwrap().call(request);
        tokio::spawn(audited::carry(future)).await
    });
    assert!(called.await.unwrap_err().is_panic());
    let [record] = &sink.records()[..] else { panic!("{:?}", sink.records()) };
    assert_eq!((record.stage(), record.action()), (Some(Stage::Panicked), "http.request".into()));
    assert!(!record.json().contains("as planned"));
}

fn coalesced(sink: &Capture) -> Vec<String> {
    let all = sink.all().into_iter().filter(|record| record.action() == "audit.coalesced");
    all.filter_map(|record| record.detail().map(str::to_owned)).collect()
}

fn http_requests(sink: &Capture) -> Vec<Record> {
    sink.records().into_iter().filter(|record| record.action() == "http.request").collect()
}

#[tokio::test]
async fn a_scanner_that_nobody_knows_buys_no_write_for_each_refusal() {
    async fn known(audit: AuditRequest) -> StatusCode {
        audit.identify(audited::Actor::user(audited::ActorId::plain("ann")));
        StatusCode::NOT_FOUND
    }
    let sink = Capture::new();
    let flood = FloodControl::new(2, Duration::from_secs(3600));
    let recorder =
        Recorder::builder().sink(sink.clone()).flood_control(flood).allow_weak_fail_closed().build().unwrap();
    let app = safe().route("/known", any(known)).layer(AuditLayer::axum());
    let served = Served::by(recorder.clone(), app).await;
    for _ in 0..20 {
        assert_eq!(served.get("GET /.env").await.status(), 404);
    }
    assert_eq!(http_requests(&sink).len(), 3, "the quota, and one that says what follows");
    // Whom authentication knows, and what the service is at fault for, is always written.
    for _ in 0..5 {
        served.get("GET /known").await;
        served.get("GET /fails").await;
    }
    assert_eq!(http_requests(&sink).len(), 13);
    recorder.shutdown(PATIENCE).unwrap();
    let [counted] = &coalesced(&sink)[..] else { panic!("{:?}", coalesced(&sink)) };
    let expected = r#"{"action":"http.request","reason":"http.404","ip":"127.0.0.1","denials":17,"#;
    assert!(counted.starts_with(expected), "{counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_connections_at_once_are_told_apart() {
    async fn who(audit: AuditRequest, request: Request) -> StatusCode {
        let name = request.uri().query().unwrap().to_owned();
        audit.identify(audited::Actor::user(audited::ActorId::plain(&*name)));
        tokio::task::yield_now().await;
        StatusCode::CONFLICT
    }
    let app = Router::new().route("/", get(who)).layer(AuditLayer::axum());
    let served = Arc::new(Served::new(app).await);
    let clients = (0..200).map(|client| {
        let served = served.clone();
        tokio::spawn(async move {
            let answer = served.get(&format!("GET /?{client}")).await;
            (answer.header("x-request-id").unwrap().to_owned(), client.to_string())
        })
    });
    let mut answered = std::collections::BTreeMap::new();
    for client in clients.collect::<Vec<_>>() {
        let (id, client) = client.await.unwrap();
        answered.insert(id, client);
    }
    let records = served.records();
    assert_eq!((records.len(), answered.len()), (200, 200));
    for record in records {
        let actor = record.actor().unwrap().id;
        assert_eq!(answered.get(&*record.correlation_id().unwrap()), actor.as_ref(), "{record:?}");
    }
}

#[tokio::test]
async fn a_request_that_gives_up_while_it_waits_for_room_is_counted() {
    static ANSWERED: Semaphore = Semaphore::const_new(0);
    async fn answers() -> StatusCode {
        // On this one thread the rest of the answer is made before anybody sees this.
        ANSWERED.add_permits(1);
        StatusCode::CONFLICT
    }
    let sink = Capture::new();
    let recorder = Recorder::builder().sink(sink.clone()).max_in_flight(1).deadline(PATIENCE).allow_weak_fail_closed();
    let recorder = recorder.build().unwrap();
    let app = Router::new().route("/", get(answers)).layer(AuditLayer::axum());
    let served = Served::by(recorder.clone(), app).await;
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::HangAsync);
    let first = served.send("GET /", &[], "").await;
    ANSWERED.acquire().await.unwrap().forget();
    let second = served.send("GET /", &[], "").await;
    ANSWERED.acquire().await.unwrap().forget();
    assert_eq!(recorder.stats().lost, 0);
    drop(second);
    while recorder.stats().lost == 0 {
        tokio::task::yield_now().await;
    }
    // Its record, and that its answer was lost.
    assert_eq!(recorder.losses().into_iter().collect::<Vec<_>>(), [("full", 2)]);
    sink.set(Behaviour::Ok);
    drop(first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_more_requests_than_there_is_room_for_each_is_recorded_or_counted() {
    const REQUESTS: usize = 1000;
    let (sink, lost) = (Capture::new(), Arc::new(Mutex::new(0)));
    let told = lost.clone();
    let count = move |loss: &Loss<'_>| {
        if loss.action == "http.request" {
            *told.lock().unwrap() += 1;
        }
    };
    let recorder = Recorder::builder().sink(sink.clone()).max_in_flight(2).deadline(PATIENCE).on_loss(count);
    let recorder = recorder.allow_weak_fail_closed().build().unwrap();
    let missing = service_fn(|_: Request| async {
        let response = Response::builder().status(StatusCode::NOT_FOUND).body(Body::empty());
        Ok::<_, Infallible>(response.unwrap())
    });
    let service = AuditLayer::new().layer(missing);
    let asked = (0..REQUESTS).map(|number| {
        let (recorder, asked) = (recorder.clone(), service.clone().oneshot(Request::new(Body::empty())));
        tokio::spawn(with_recorder(recorder, async move {
            // Each third gives up as soon as it has to wait.
            if number % 3 == 0 { asked.now_or_never() } else { Some(asked.await) }.is_some()
        }))
    });
    let mut answered = 0;
    for asked in asked.collect::<Vec<_>>() {
        answered += usize::from(asked.await.unwrap());
    }
    recorder.shutdown(PATIENCE).unwrap();
    let (written, lost) = (http_requests(&sink).len(), *lost.lock().unwrap());
    assert_eq!(written + lost, REQUESTS, "{written} and {lost}");
    assert!(
        written >= answered && answered >= REQUESTS - REQUESTS.div_ceil(3),
        "{answered} answered, {written} written"
    );
}
