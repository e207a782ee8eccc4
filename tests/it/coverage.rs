//! A request that leaves no record, and is not meant to leave none, is a finding.

use audited::{
    Action, Coverage, CoverageTable, MemorySink, Recorder, audited, carry, covered, not_audited, record_action,
    report_unaudited, with_recorder,
};

#[audited(action = "covered.transfer")]
async fn transfer() -> u32 {
    tokio::task::yield_now().await;
    1
}

#[audited(action = "covered.look", unlocked)]
fn look() -> u32 {
    2
}

#[not_audited(reason = "says that the service lives")]
async fn healthz() -> &'static str {
    tokio::task::yield_now().await;
    "ok"
}

async fn forgotten() -> u32 {
    tokio::task::yield_now().await;
    3
}

async fn of<F: IntoFuture>(request: F) -> Coverage {
    let recorder = Recorder::builder().sink(MemorySink::new()).allow_weak_fail_closed().build().unwrap();
    with_recorder(recorder, covered(request)).await.1
}

#[tokio::test]
async fn a_call_or_an_event_covers_a_request() {
    assert_eq!(of(transfer()).await, Coverage::Audited);
    assert_eq!(of(async { look() }).await, Coverage::Audited);
    assert_eq!(of(record_action(Action::new("covered.event"))).await, Coverage::Audited);
    assert_eq!(of(healthz()).await, Coverage::Exempt);
    assert_eq!(of(forgotten()).await, Coverage::Unaudited);
}

#[tokio::test]
async fn what_is_exempt_and_audited_is_audited() {
    assert_eq!(of(async { (healthz().await, transfer().await) }).await, Coverage::Audited);
    assert_eq!(of(async { (transfer().await, healthz().await) }).await, Coverage::Audited);
}

#[tokio::test]
async fn a_carried_task_counts_and_another_request_does_not() {
    assert_eq!(of(async { tokio::spawn(carry(transfer())).await.unwrap() }).await, Coverage::Audited);
    assert_eq!(of(async { tokio::spawn(transfer()).await.unwrap() }).await, Coverage::Unaudited);
}

#[tokio::test]
async fn what_is_left_in_a_scope_is_left_in_the_one_around_it() {
    assert_eq!(of(async { covered(transfer()).await.1 }).await, Coverage::Audited);
    assert_eq!(of(async { covered(healthz()).await.1 }).await, Coverage::Exempt);
    assert_eq!(of(async { covered(forgotten()).await.1 }).await, Coverage::Unaudited);
}

#[tokio::test]
async fn a_call_that_is_dropped_covers_its_request() {
    let coverage = of(async {
        let mut call = Box::pin(transfer());
        assert!(futures_poll_once(call.as_mut()).await.is_none());
    });
    assert_eq!(coverage.await, Coverage::Audited);
}

/// Polls once.
async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        let polled = std::pin::Pin::new(&mut future).poll(cx);
        std::task::Poll::Ready(match polled {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_finding_is_a_record_of_its_own() {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    with_recorder(recorder, async { report_unaudited("GET", "/accounts/{id}\n") }).await;
    let record = memory.last("audit.unaudited").unwrap();
    assert_eq!(record.detail(), Some(r#"{"method":"GET","route":"/accounts/{id}\n"}"#));
    assert_eq!(record.json().lines().count(), 1);
}

#[tokio::test]
async fn a_table_says_what_each_route_leaves() {
    let recorder = Recorder::builder().sink(MemorySink::new()).allow_weak_fail_closed().build().unwrap();
    let mut table = CoverageTable::new();
    let walked = with_recorder(recorder, async {
        assert_eq!(table.visit("POST /transfers", transfer()).await, 1);
        table.visit("GET /healthz", healthz()).await;
        table.assert_covered();
        // Of two requests to one route the least counts.
        table.visit("POST /transfers", forgotten()).await;
        table
    });
    let table = walked.await;
    assert_eq!(table.to_string(), "GET /healthz     exempt\nPOST /transfers  UNAUDITED\n");
    let failed = std::panic::catch_unwind(|| table.assert_covered()).unwrap_err();
    let message = failed.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("1 of 2 routes left no record") && message.contains("POST /transfers  UNAUDITED"));
}

mod service {
    use audited::{Coverage, MemorySink, Recorder, covered, report_unaudited, with_recorder};
    use axum::Router;
    use axum::extract::{MatchedPath, Request};
    use axum::http::StatusCode;
    use axum::middleware::{self, Next};
    use axum::response::{IntoResponse, Response};
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// What a strict service does: an answer that nobody could account for does not leave.
    async fn strict(matched: MatchedPath, request: Request, next: Next) -> Response {
        let method = request.method().to_string();
        match covered(next.run(request)).await {
            (_, Coverage::Unaudited) => {
                report_unaudited(&method, matched.as_str());
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            (answer, _) => answer,
        }
    }

    #[tokio::test]
    async fn a_middleware_finds_the_route_that_leaves_nothing() {
        let memory = MemorySink::new();
        let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
        let app = Router::new()
            .route("/transfers/{id}", get(|| async { super::transfer().await.to_string() }))
            .route("/healthz", get(super::healthz))
            .route("/forgotten/{id}", get(|| async { super::forgotten().await.to_string() }))
            .route_layer(middleware::from_fn(strict))
            .layer(middleware::from_fn(move |request: Request, next: Next| {
                with_recorder(recorder.clone(), next.run(request))
            }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        for (path, status) in [("/transfers/1", "200"), ("/healthz", "200"), ("/forgotten/s3cret", "500")] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        }
        server.abort();
        let found: Vec<_> =
            memory.records().into_iter().filter(|record| record.action() == "audit.unaudited").collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].detail(), Some(r#"{"method":"GET","route":"/forgotten/{id}"}"#));
    }
}
