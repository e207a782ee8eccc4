use audited::{AuditMiddleware, Stage};
use tokio::io::AsyncReadExt;

use super::{actions, answer, detail, send, serve, status, wait_for};
use crate::support::{Capture, eventually};

#[tokio::test]
async fn a_client_that_hangs_up_leaves_a_cancelled_record() {
    for (path, action) in [("/slow", "account.slow"), ("/unaudited_slow", "http.request")] {
        let capture = Capture::new();
        let address = serve(capture.clone(), AuditMiddleware::new());
        let stream = send(address, &format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        wait_for(&capture, "slow.began").await;
        // One that only closes its side may still read: actix goes on.
        stream.set_zero_linger().unwrap();
        drop(stream);
        let record = wait_for(&capture, action).await;
        assert_eq!(record.stage(), Some(Stage::Cancelled), "{path}");
        assert_eq!(actions(&capture), ["slow.began", action], "{path}");
    }
}

#[tokio::test]
async fn a_body_that_never_comes_to_an_end_leaves_a_cancelled_record() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    let head = "POST /accounts HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n12";
    drop(send(address, head).await);
    let record = wait_for(&capture, "http.request").await;
    // The server may tell the extractor that the client has gone, or drop the request.
    match record.stage() {
        Some(Stage::Cancelled) => assert_eq!(detail(&record), r#"{"method":"POST","route":"/accounts"}"#),
        stage => assert_eq!((stage, detail(&record).contains("400")), (Some(Stage::Completed), true)),
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_added_to_its_record() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    answer(address, "GET /export", "").await;
    let lost = wait_for(&capture, "http.response_lost").await;
    let call = capture.records().remove(0);
    assert_eq!((lost.call(), &*call.action()), (call.id(), "account.export"));
    let expected = r#"{"method":"GET","route":"/export","status":200,"bytes":6,"reason":"failed"}"#;
    assert_eq!(detail(&lost), expected);
    assert_eq!(lost.correlation_id(), call.correlation_id());
    assert!(!lost.json().contains("s3cret"));
}

#[tokio::test]
async fn a_client_that_does_not_take_all_is_added_to_the_record() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    let mut stream = send(address, "GET /follow HTTP/1.1\r\nhost: test\r\n\r\n").await;
    stream.read_exact(&mut vec![0; 40_000]).await.unwrap();
    drop(stream);
    let lost = wait_for(&capture, "http.response_lost").await;
    assert!(detail(&lost).ends_with(r#""reason":"dropped"}"#), "{lost:?}");
}

#[tokio::test]
async fn what_was_given_to_the_end_or_has_no_body_is_not_lost() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    for (start, expected) in [("GET /accounts/7", 200), ("HEAD /accounts/7", 200), ("GET /accounts/2", 204)] {
        assert_eq!(status(&answer(address, start, "").await), expected);
    }
    assert_eq!(status(&answer(address, "GET /nowhere", "").await), 404);
    // Whatever comes of those, comes before this one.
    answer(address, "GET /export", "").await;
    wait_for(&capture, "http.response_lost").await;
    eventually("all records", || actions(&capture).len() == 6);
    assert_eq!(actions(&capture)[..4], ["account.show", "account.show", "account.show", "http.request"]);
}
