//! The gRPC service `bank.v1.Transfers`, with its client.
//!
//! A build script with `tonic-prost-build` makes such a module of a `.proto` file, and adds the marks by
//! `type_attribute` and `field_attribute`. This one is written by hand, so that nobody needs `protoc`:
//!
//! ```text
//! service Transfers {
//!     rpc Send(Transfer) returns (Receipt);
//!     rpc Watch(Account) returns (stream Movement);
//! }
//! ```

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use audited::Sensitive;
use axum::http::uri::PathAndQuery;
use futures_util::Stream;
use tonic::body::Body;
use tonic::client::Grpc as GrpcClient;
use tonic::codegen::{BoxFuture, http};
use tonic::server::{Grpc, NamedService};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

#[derive(Clone, PartialEq, prost::Message, Sensitive)]
pub(crate) struct Transfer {
    #[prost(uint64, tag = "1")]
    pub(crate) to: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) cents: u64,
    #[prost(string, tag = "3")]
    #[sensitive]
    pub(crate) memo: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Receipt {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Account {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Movement {
    #[prost(uint64, tag = "1")]
    pub(crate) cents: u64,
}

/// What a watcher gets.
pub(crate) type Movements = Pin<Box<dyn Stream<Item = Result<Movement, Status>> + Send>>;

/// What a server implements.
#[async_trait]
pub(crate) trait Transfers: Send + Sync + 'static {
    async fn send(&self, request: Request<Transfer>) -> Result<Response<Receipt>, Status>;

    async fn watch(&self, request: Request<Account>) -> Result<Response<Movements>, Status>;
}

/// The name of the service.
pub(crate) const SERVICE_NAME: &str = "bank.v1.Transfers";

const SEND: &str = "/bank.v1.Transfers/Send";
const WATCH: &str = "/bank.v1.Transfers/Watch";

/// The service that answers requests.
#[derive(Debug)]
pub(crate) struct TransfersServer<T>(Arc<T>);

impl<T> TransfersServer<T> {
    pub(crate) fn new(transfers: T) -> Self {
        Self(Arc::new(transfers))
    }
}

impl<T> Clone for TransfersServer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> NamedService for TransfersServer<T> {
    const NAME: &'static str = SERVICE_NAME;
}

impl<T: Transfers> Service<http::Request<Body>> for TransfersServer<T> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let transfers = Arc::clone(&self.0);
        Box::pin(async move {
            Ok(match request.uri().path() {
                SEND => {
                    let method = service_fn(move |request| {
                        let transfers = Arc::clone(&transfers);
                        async move { transfers.send(request).await }
                    });
                    Grpc::new(ProstCodec::<Receipt, Transfer>::default()).unary(method, request).await
                }
                WATCH => {
                    let method = service_fn(move |request| {
                        let transfers = Arc::clone(&transfers);
                        async move { transfers.watch(request).await }
                    });
                    Grpc::new(ProstCodec::<Movement, Account>::default()).server_streaming(method, request).await
                }
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

/// Calls the service.
#[derive(Clone, Debug)]
pub(crate) struct TransfersClient(GrpcClient<Channel>);

impl TransfersClient {
    pub(crate) fn new(channel: Channel) -> Self {
        Self(GrpcClient::new(channel))
    }

    pub(crate) async fn send(&mut self, request: Request<Transfer>) -> Result<Response<Receipt>, Status> {
        self.ready().await?;
        self.0.unary(request, PathAndQuery::from_static(SEND), ProstCodec::default()).await
    }

    pub(crate) async fn watch(&mut self, request: Request<Account>) -> Result<Response<Streaming<Movement>>, Status> {
        self.ready().await?;
        self.0.server_streaming(request, PathAndQuery::from_static(WATCH), ProstCodec::default()).await
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0.ready().await.map_err(|_| Status::unavailable("no connection"))
    }
}
