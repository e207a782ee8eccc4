//! A gRPC service of transfers: what each call leaves, also those that never come to a method.
//!
//! `cargo run --features tonic --example tonic_service` runs it, calls it over a socket, and prints the records.

mod transfers;

use std::error::Error;
use std::net::SocketAddr;

use async_trait::async_trait;
use audited::{Actor, ActorId, AuditLayer, AuditRequest, MemorySink, Recorder, StoredDecision, StoredOutcome, audited};
use futures_util::stream;
use tokio::net::TcpListener;
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};
use transfers::{
    Account, Movement, Movements, Receipt, SERVICE_NAME, Transfer, Transfers, TransfersClient, TransfersServer,
};

struct Bank;

#[async_trait]
impl Transfers for Bank {
    #[audited(
        action = "transfer.send",
        resource("account", request.get_ref().to),
        fields(transfer = request.get_ref()),
        fail_closed,
        unlocked
    )]
    async fn send(&self, request: Request<Transfer>) -> Result<Response<Receipt>, Status> {
        match request.get_ref().cents {
            0 => Err(Status::invalid_argument("nothing to send")),
            cents if cents > 100_000 => Err(Status::permission_denied("more than a clerk may send")),
            cents => Ok(Response::new(Receipt { number: cents + 1 })),
        }
    }

    #[audited(action = "account.watch", resource("account", request.get_ref().number), unlocked)]
    async fn watch(&self, request: Request<Account>) -> Result<Response<Movements>, Status> {
        let mut movements = vec![Ok(Movement { cents: 5 }), Ok(Movement { cents: 7 })];
        if request.get_ref().number == 13 {
            movements.push(Err(Status::data_loss("page 3 of the ledger is gone")));
        }
        Ok(Response::new(Box::pin(stream::iter(movements))))
    }
}

/// Authentication: it says who acts, in one call. What it refuses the layer records.
fn authenticate(request: Request<()>) -> Result<Request<()>, Status> {
    let token = request.metadata().get("authorization").map(MetadataValue::as_bytes);
    if token != Some(b"Bearer ann-token") {
        return Err(Status::unauthenticated("whose token is this?"));
    }
    if let Some(audit) = request.extensions().get::<AuditRequest>() {
        audit.identify(Actor::user(ActorId::plain("ann")));
    }
    Ok(request)
}

/// Serves on a port of its own.
async fn serve() -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = Server::builder()
        .layer(AuditLayer::tonic([SERVICE_NAME]).uniform_denials())
        .add_service(InterceptedService::new(TransfersServer::new(Bank), authenticate))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    Ok(address)
}

/// What the clients ask for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Send { cents: u64, token: &'static str },
    Watch { account: u64 },
}

const ASKED: [Asked; 6] = [
    Asked::Send { cents: 1200, token: "Bearer ann-token" },
    Asked::Send { cents: 0, token: "Bearer ann-token" },
    Asked::Send { cents: 1_000_000, token: "Bearer ann-token" },
    Asked::Send { cents: 1200, token: "Bearer carl-token" },
    Asked::Watch { account: 7 },
    Asked::Watch { account: 13 },
];

/// Asks, and takes all of the answer.
async fn ask(client: &mut TransfersClient, asked: Asked) -> Result<Vec<u64>, Status> {
    let (token, account) = match asked {
        Asked::Send { token, .. } => (token, None),
        Asked::Watch { account } => ("Bearer ann-token", Some(account)),
    };
    let token = token.parse().map_err(|_| Status::internal("no token"))?;
    match asked {
        Asked::Send { cents, .. } => {
            let mut request = Request::new(Transfer { to: 815, cents, memo: "for the garden".into() });
            request.metadata_mut().insert("authorization", token);
            Ok(vec![client.send(request).await?.into_inner().number])
        }
        Asked::Watch { .. } => {
            let mut request = Request::new(Account { number: account.unwrap_or_default() });
            request.metadata_mut().insert("authorization", token);
            let mut movements = client.watch(request).await?.into_inner();
            let mut cents = Vec::new();
            while let Some(movement) = movements.message().await? {
                cents.push(movement.cents);
            }
            Ok(cents)
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TransfersClient, Box<dyn Error>> {
    Ok(TransfersClient::new(Endpoint::from_shared(format!("http://{address}"))?.connect().await?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production: a Journal.
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build()?;
    recorder.install()?;
    let mut client = connect(serve().await?).await?;

    let mut printed = memory.len();
    for asked in ASKED {
        match ask(&mut client, asked).await {
            Ok(answer) => println!("{asked:?}: {answer:?}"),
            Err(status) => println!("{asked:?}: {:?} {:?}", status.code(), status.message()),
        }
        // What is added to a stream that has broken nobody waits for.
        recorder.flush(std::time::Duration::from_secs(5))?;
        for record in memory.records().iter().skip(printed) {
            let decision = match record.decision() {
                Some(StoredDecision::Deny { reason }) => format!("denied: {reason}"),
                Some(_) => "allowed".into(),
                None => String::new(),
            };
            let outcome = match record.outcome() {
                Some(StoredOutcome::Failure { code }) => format!("failed: {code}"),
                Some(StoredOutcome::Success) => "succeeded".into(),
                _ => String::new(),
            };
            println!("    {:<20} {decision} {outcome} {}", record.action(), record.detail().unwrap_or_default());
        }
        printed = memory.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use audited::{Kind, Stage};
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn each_call_leaves_what_it_should_and_denials_say_nothing() {
        let memory = MemorySink::new();
        let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
        recorder.install().unwrap();
        let mut client = connect(serve().await.unwrap()).await.unwrap();
        let mut answers = Vec::new();
        for asked in ASKED {
            answers.push(match ask(&mut client, asked).await {
                Ok(answer) => Ok(answer),
                Err(status) => Err((status.code(), status.message().to_owned())),
            });
        }
        assert_eq!(
            answers,
            [
                Ok(vec![1201]),
                Err((Code::InvalidArgument, "nothing to send".into())),
                Err((Code::PermissionDenied, String::new())),
                Err((Code::Unauthenticated, String::new())),
                Ok(vec![5, 7]),
                Err((Code::DataLoss, "page 3 of the ledger is gone".into())),
            ]
        );
        recorder.flush(std::time::Duration::from_secs(30)).unwrap();
        let finals = memory.records().into_iter().filter(|record| {
            record.action() == "http.response_lost"
                || record.kind() == Some(Kind::Call) && record.stage() != Some(Stage::Intent)
        });
        let left: Vec<_> = finals.map(|record| record.action().into_owned()).collect();
        let expected = ["transfer.send", "transfer.send", "transfer.send", "http.request"];
        assert_eq!(left[..4], expected);
        assert_eq!(left[4..], ["account.watch", "account.watch", "http.response_lost"]);
        assert!(!format!("{:?}", memory.records()).contains("garden"));
    }
}
