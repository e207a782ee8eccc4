use async_trait::async_trait;
use audited::{AuditSink, MemorySink, Stage, audited, with_recorder};
use futures_util::stream;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tower::util::MapFutureLayer;

use super::recorded;
use crate::support::{self, Behaviour, Capture};
use crate::transfers::{Account, Movement, Movements, Receipt, Transfer, Transfers, TransfersClient, TransfersServer};

/// Answers with the status of which a transfer has the number.
struct Answering;

#[async_trait]
impl Transfers for Answering {
    #[audited(action = "rpc.send", resource("account", request.get_ref().to), fields(transfer = request.get_ref()), fail_closed)]
    async fn send(&self, request: Request<Transfer>) -> Result<Response<Receipt>, Status> {
        match Code::from(i32::try_from(request.get_ref().cents).unwrap_or(i32::MAX)) {
            Code::Ok => Ok(Response::new(Receipt { number: 1 })),
            code => Err(Status::new(code, "said to the client")),
        }
    }

    #[audited(action = "rpc.watch", require = request.get_ref().number > 0)]
    async fn watch(&self, request: Request<Account>) -> Result<Response<Movements>, Status> {
        let cents = request.get_ref().number;
        Ok(Response::new(Box::pin(stream::iter([Ok(Movement { cents }), Ok(Movement { cents })]))))
    }
}

async fn client(sink: impl AuditSink) -> TransfersClient {
    let recorder = support::recorder(sink);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .layer(MapFutureLayer::new(move |future| with_recorder(recorder.clone(), future)))
        .add_service(TransfersServer::new(Answering))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    TransfersClient::new(connect(address).await)
}

async fn connect(address: std::net::SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn transfer(cents: u64) -> Request<Transfer> {
    Request::new(Transfer { to: 815, cents, memo: "s3cret".to_owned() })
}

#[tokio::test]
async fn statuses_decide_and_their_messages_stay_with_the_client() {
    let memory = MemorySink::new();
    let mut client = client(memory.clone()).await;
    assert_eq!(client.send(transfer(0)).await.unwrap().into_inner().number, 1);
    assert_eq!(recorded(&memory, "rpc.send"), "allow success");
    let record = memory.last("rpc.send").unwrap();
    assert_eq!(record.detail(), Some(r#"{"transfer":{"to":815,"cents":0,"memo":"<redacted>"}}"#));
    for (code, expected) in [
        (Code::PermissionDenied, "deny forbidden"),
        (Code::Unauthenticated, "deny unauthenticated"),
        (Code::ResourceExhausted, "deny rate_limited"),
        (Code::NotFound, "allow grpc.not_found"),
        (Code::Internal, "allow grpc.internal"),
    ] {
        let status = client.send(transfer(u64::try_from(i32::from(code)).unwrap())).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, "said to the client"));
        assert_eq!(recorded(&memory, "rpc.send"), expected);
    }
    let records = format!("{:?}", memory.records());
    assert!(!records.contains("said to the client") && !records.contains("s3cret"));
}

#[tokio::test]
async fn a_stream_begins_once_it_is_recorded_and_a_guard_refuses_it_without_a_word() {
    let memory = MemorySink::new();
    let mut client = client(memory.clone()).await;
    let mut movements = client.watch(Request::new(Account { number: 7 })).await.unwrap().into_inner();
    assert_eq!(recorded(&memory, "rpc.watch"), "allow success");
    for _ in 0..2 {
        assert_eq!(movements.message().await.unwrap(), Some(Movement { cents: 7 }));
    }
    assert_eq!(movements.message().await.unwrap(), None);
    let refused = client.watch(Request::new(Account { number: 0 })).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, ""));
    assert_eq!(recorded(&memory, "rpc.watch"), "deny forbidden");
}

#[tokio::test]
async fn without_a_record_a_call_is_unavailable() {
    let capture = Capture::new();
    let mut client = client(capture.clone()).await;
    capture.set(Behaviour::Fail);
    let refused = client.send(transfer(0)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unavailable, ""));
    assert_eq!(capture.records().len(), 0);
    capture.set(Behaviour::Ok);
    client.send(transfer(0)).await.unwrap();
    let stages: Vec<_> = capture.records().iter().filter_map(|record| record.stage()).collect();
    assert_eq!(stages, [Stage::Intent, Stage::Completed]);
}
