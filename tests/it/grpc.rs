//! `AuditLayer::tonic` around a gRPC service, over sockets and with tonic's own client.

use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use audited::{
    Actor, ActorId, AuditLayer, AuditRequest, AuditSink, CoverageMode, Record, Recorder, Stage, StoredDecision,
    StoredOutcome, TrustedProxies, audited, with_recorder, with_recorder_sync,
};
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, IntoRequest, Request, Response, Status};
use tower::{Layer, Service};

use crate::support::{self, Behaviour, Capture, PATIENCE};
use crate::transfers::{
    Account, Movement, Movements, Receipt, SERVICE_NAME, Transfer, Transfers, TransfersClient, TransfersServer,
};

/// Answers with the status of which a transfer has the number; hangs and panics above those.
struct Answering;

const HANG: u64 = 100;
const PANIC: u64 = 101;

/// Accounts: their movements are audited, break, have no end, or break unseen.
const WHOLE: u64 = 1;
const BREAKS: u64 = 2;
const ENDLESS: u64 = 3;
const BREAKS_UNSEEN: u64 = 4;

#[async_trait]
impl Transfers for Answering {
    #[audited(action = "grpc.send", fields(transfer = request.get_ref()))]
    async fn send(&self, request: Request<Transfer>) -> Result<Response<Receipt>, Status> {
        match request.get_ref().cents {
            HANG => std::future::pending().await,
            PANIC => std::panic::panic_any("as planned"),
            cents => match Code::from(i32::try_from(cents).unwrap()) {
                Code::Ok => Ok(Response::new(Receipt { number: 1 })),
                code => Err(Status::new(code, format!("why it is {code:?}"))),
            },
        }
    }

    async fn watch(&self, request: Request<Account>) -> Result<Response<Movements>, Status> {
        if request.get_ref().number == BREAKS_UNSEEN { Ok(movements(BREAKS)) } else { Ok(audited(request.get_ref())) }
    }
}

#[audited(action = "grpc.watch")]
fn audited(account: &Account) -> Response<Movements> {
    movements(account.number)
}

fn movements(number: u64) -> Response<Movements> {
    let some = stream::iter([Ok(Movement { cents: 5 }), Ok(Movement { cents: 7 })]);
    Response::new(match number {
        WHOLE => Box::pin(some),
        BREAKS => Box::pin(some.chain(stream::iter([Err(Status::data_loss("s3cret"))]))),
        _ => Box::pin(some.chain(stream::pending())),
    })
}

/// `ann` is Ann; whoever says anything else is refused.
fn authenticate(request: Request<()>) -> Result<Request<()>, Status> {
    let audit = request.extensions().get::<AuditRequest>().cloned().expect("the layer");
    match request.metadata().get("authorization").map(MetadataValue::as_bytes) {
        None => {}
        Some(b"ann") => audit.identify(Actor::user(ActorId::plain("ann"))),
        Some(b"bob") => return Err(Status::permission_denied("bob has been here too often")),
        Some(_) => return Err(Status::unauthenticated("nobody knows you")),
    }
    Ok(request)
}

async fn serve(sink: impl AuditSink, layer: AuditLayer) -> Channel {
    let recorder = support::recorder(sink);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .layer(Scoping(recorder))
        .layer(layer)
        .add_service(InterceptedService::new(TransfersServer::new(Answering), authenticate))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    connect(address).await
}

/// Scopes a recorder to all that a service does.
#[derive(Clone)]
struct Scoping(Recorder);

#[derive(Clone)]
struct Scoped<S>(S, Recorder);

impl<S> Layer<S> for Scoping {
    type Service = Scoped<S>;

    fn layer(&self, inner: S) -> Scoped<S> {
        Scoped(inner, self.0.clone())
    }
}

impl<S: Service<R>, R> Service<R> for Scoped<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = audited::Scoped<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let future = with_recorder_sync(self.1.clone(), || self.0.call(request));
        with_recorder(self.1.clone(), future)
    }
}

async fn connect(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn transfer(cents: u64) -> Request<Transfer> {
    Request::new(Transfer { to: 815, cents, memo: "s3cret".to_owned() })
}

fn said<T>(message: T, headers: &[(&'static str, &'static str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    request
}

fn layer() -> AuditLayer {
    AuditLayer::tonic([SERVICE_NAME])
}

async fn wait_for(capture: &Capture, action: &'static str) -> Record {
    let capture = capture.clone();
    tokio::task::spawn_blocking(move || capture.wait_for_action(action, PATIENCE)).await.unwrap()
}

/// `action detail decision-or-code` of what was recorded.
fn told(record: &Record) -> String {
    let ended = match (record.decision(), record.outcome()) {
        (Some(StoredDecision::Deny { reason }), _) => format!("denied {reason}"),
        (_, Some(StoredOutcome::Failure { code })) => format!("failed {code}"),
        (_, Some(StoredOutcome::Success)) => "succeeded".to_owned(),
        _ => "unknown".to_owned(),
    };
    format!("{} {} {ended}", record.action(), record.detail().unwrap_or_default())
}

#[tokio::test]
async fn a_call_has_the_context_of_its_request() {
    let capture = Capture::new();
    let proxies = TrustedProxies::new(["127.0.0.1"]).unwrap();
    let mut client = TransfersClient::new(serve(capture.clone(), layer().trusted_proxies(proxies)).await);
    let headers = [("authorization", "ann"), ("x-forwarded-for", "192.0.2.1"), ("x-request-id", "theirs")];
    let answer = client.send(said(transfer(0).into_inner(), &headers)).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "theirs");
    let [record] = &capture.records()[..] else { panic!("one record: {:#?}", capture.records()) };
    assert_eq!(record.actor().and_then(|actor| actor.id).as_deref(), Some("ann"));
    assert_eq!(record.source().unwrap().ip, Some([192, 0, 2, 1].into()));
    assert_eq!(record.correlation_id().as_deref(), Some("theirs"));

    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer()).await);
    let answer = client.send(said(transfer(0).into_inner(), &headers)).await.unwrap();
    let record = capture.records().remove(0);
    assert_eq!(record.source().unwrap().ip, Some([127, 0, 0, 1].into()));
    assert_eq!(record.claimed(), Some(r#"{"client_request_id":"theirs"}"#));
    let given = answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    assert_eq!(record.correlation_id().as_deref(), Some(given.as_str()));
}

#[tokio::test]
async fn what_no_method_sees_is_recorded_once_and_before_the_answer() {
    let capture = Capture::new();
    let channel = serve(capture.clone(), layer()).await;
    let mut client = TransfersClient::new(channel.clone());
    let last = || told(capture.records().last().unwrap());

    let refused = client.send(said(transfer(0).into_inner(), &[("authorization", "carl")])).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unauthenticated, "nobody knows you"));
    let request = r#"http.request {"method":"POST","route":"/bank.v1.Transfers/Send","grpc_status":16} "#;
    assert_eq!(last(), format!("{request}denied unauthenticated"));
    assert_eq!(
        refused.metadata().get("x-request-id").unwrap().to_str().ok(),
        capture.records()[0].correlation_id().as_deref()
    );

    for (path, route) in [
        ("/bank.v1.Transfers/Steal", "/bank.v1.Transfers/Steal"),
        ("/bank.v1.Others/s3cret", "<unmatched>"),
        ("/s3cret", "<unmatched>"),
    ] {
        let mut other = tonic::client::Grpc::new(channel.clone());
        other.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<Account, Receipt>::default();
        let request = Account { number: 1 }.into_request();
        let refused = other.unary(request, path.parse().unwrap(), codec).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented);
        let request = format!(r#"http.request {{"method":"POST","route":"{route}","grpc_status":12}} "#);
        assert_eq!(last(), format!("{request}failed grpc.unimplemented"));
    }
    assert_eq!(capture.records().len(), 4);
    assert!(!format!("{:?}", capture.all()).contains("s3cret"));
}

#[tokio::test]
async fn one_record_and_not_two() {
    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer()).await);
    client.send(transfer(0)).await.unwrap();
    for code in [5, 7, 13] {
        client.send(transfer(code)).await.unwrap_err();
    }
    let told: Vec<_> =
        capture.records().iter().map(|record| told(record).split_once("} ").unwrap().1.to_owned()).collect();
    assert_eq!(told, ["succeeded", "failed grpc.not_found", "denied forbidden", "failed grpc.internal"]);
}

#[tokio::test]
async fn a_stream_says_at_its_end_how_it_ended() {
    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer()).await);
    let mut take = async |number| {
        let mut movements = client.watch(Request::new(Account { number })).await.unwrap().into_inner();
        loop {
            match movements.message().await {
                Ok(Some(_)) => {}
                Ok(None) => break Code::Ok,
                Err(status) => break status.code(),
            }
        }
    };
    assert_eq!(take(WHOLE).await, Code::Ok);
    assert_eq!(take(BREAKS).await, Code::DataLoss);
    let lost = wait_for(&capture, "http.response_lost").await;
    let calls = capture.records();
    assert_eq!(calls.iter().map(told).collect::<Vec<_>>(), ["grpc.watch  succeeded"; 2]);
    assert_eq!((lost.call(), lost.correlation_id()), (calls[1].id(), calls[1].correlation_id()));
    let expected =
        r#"{"method":"POST","route":"/bank.v1.Transfers/Watch","grpc_status":15,"bytes":14,"reason":"status"}"#;
    assert_eq!(lost.detail(), Some(expected));

    // Nothing was there to add it to.
    assert_eq!(take(BREAKS_UNSEEN).await, Code::DataLoss);
    let late = wait_for(&capture, "http.request").await;
    assert!(told(&late).ends_with(r#""grpc_status":15} failed grpc.data_loss"#), "{late:?}");
    assert!(!format!("{:?}", capture.all()).contains("s3cret"));
}

#[tokio::test]
async fn a_client_that_does_not_take_all_of_a_stream_is_added_to_its_record() {
    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer()).await);
    let mut movements = client.watch(Request::new(Account { number: ENDLESS })).await.unwrap().into_inner();
    assert_eq!(movements.message().await.unwrap(), Some(Movement { cents: 5 }));
    drop(movements);
    let lost = wait_for(&capture, "http.response_lost").await;
    let expected = r#"{"method":"POST","route":"/bank.v1.Transfers/Watch","bytes":14,"reason":"dropped"}"#;
    assert_eq!(lost.detail(), Some(expected));
}

#[tokio::test]
async fn calls_that_are_given_up_and_panics_are_recorded() {
    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer()).await);
    let mut request = transfer(HANG);
    request.set_timeout(Duration::from_millis(100));
    client.send(request).await.unwrap_err();
    assert_eq!(wait_for(&capture, "grpc.send").await.stage(), Some(Stage::Cancelled));

    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer()).await);
    client.send(transfer(PANIC)).await.unwrap_err();
    assert_eq!(wait_for(&capture, "grpc.send").await.stage(), Some(Stage::Panicked));
    assert_eq!(capture.records().len(), 1);
    assert!(!format!("{:?}", capture.all()).contains("as planned"));
}

#[tokio::test]
async fn denials_have_no_message() {
    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer().uniform_denials()).await);
    let plain = |status: &Status| {
        let mut headers: Vec<_> = status.metadata().clone().into_headers().into_iter().collect();
        headers.retain(|(name, _)| name.as_ref().is_some_and(|name| name != "x-request-id" && name != "date"));
        (status.code(), status.message().to_owned(), format!("{headers:?}"))
    };
    let by_the_method = plain(&client.send(transfer(7)).await.unwrap_err());
    let before = client.send(said(transfer(0).into_inner(), &[("authorization", "bob")])).await.unwrap_err();
    assert_eq!(by_the_method, plain(&before));
    assert_eq!((by_the_method.0, by_the_method.1.as_str()), (Code::PermissionDenied, ""));
    let limited = client.send(transfer(8)).await.unwrap_err();
    assert_eq!((limited.code(), limited.message()), (Code::ResourceExhausted, ""));
    let failed = client.send(transfer(9)).await.unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::FailedPrecondition, "why it is FailedPrecondition"));

    let alike = layer().uniform_denials_as(audited::DenialStatus::NotFound);
    let mut client = TransfersClient::new(serve(Capture::new(), alike).await);
    let denied = plain(&client.send(transfer(7)).await.unwrap_err());
    assert_eq!(denied, plain(&client.send(transfer(5)).await.unwrap_err()));
    assert_eq!((denied.0, denied.1.as_str()), (Code::NotFound, ""));
}

#[tokio::test]
async fn fail_closed_and_strict_coverage_keep_answers_back() {
    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer().fail_closed()).await);
    capture.set(Behaviour::Fail);
    let refused = client.send(said(transfer(0).into_inner(), &[("authorization", "bob")])).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unavailable, ""));

    let capture = Capture::new();
    let mut client = TransfersClient::new(serve(capture.clone(), layer().coverage(CoverageMode::Strict)).await);
    let kept_back = client.watch(Request::new(Account { number: BREAKS_UNSEEN })).await.unwrap_err();
    assert_eq!((kept_back.code(), kept_back.message()), (Code::Internal, ""));
    let finding = wait_for(&capture, "audit.unaudited").await;
    assert_eq!(finding.detail(), Some(r#"{"method":"POST","route":"/bank.v1.Transfers/Watch"}"#));
}

/// A service that knows how long its answer is, and fails behind it.
#[tokio::test]
async fn a_status_behind_an_answer_of_known_length_is_added_to_the_record_of_its_call() {
    use axum::body::Bytes;
    use axum::http::{HeaderMap, Request, Response};
    use http_body_util::{BodyExt, Full};

    #[audited(action = "grpc.whole")]
    async fn whole() -> Full<Bytes> {
        Full::new(Bytes::from_static(b"message"))
    }
    let capture = Capture::new();
    let service = tower::service_fn(|_: Request<Full<Bytes>>| async {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "7".parse().unwrap())]);
        let body = whole().await.with_trailers(std::future::ready(Some(Ok(trailers))));
        Ok::<_, std::convert::Infallible>(Response::new(body))
    });
    let request = Request::builder().header("content-type", "application/grpc").body(Full::default()).unwrap();
    let answered = with_recorder(support::recorder(capture.clone()), async {
        let answer = tower::ServiceExt::oneshot(layer().layer(service), request).await.unwrap();
        answer.into_body().collect().await.unwrap()
    });
    assert_eq!(answered.await.trailers().unwrap()["grpc-status"], "7");
    let lost = wait_for(&capture, "http.response_lost").await;
    let [call] = &capture.records()[..] else { panic!("one record: {:#?}", capture.records()) };
    assert_eq!((call.action(), lost.call()), ("grpc.whole".into(), call.id()));
    assert!(lost.detail().unwrap().ends_with(r#""reason":"status"}"#), "{lost:?}");
}
