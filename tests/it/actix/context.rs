use audited::{ActorKind, AuditMiddleware, TrustedProxies};

use super::{answer, header, serve, status};
use crate::support::Capture;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn nobody_is_believed_who_is_not_trusted() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    let headers = format!(
        "authorization: ann\r\nuser-agent: curl\r\norigin: https://example.org\r\nx-forwarded-for: 192.0.2.1\r\n\
         x-request-id: mine\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n"
    );
    let answer = answer(address, "GET /accounts/7?token=s3cret", &headers).await;
    assert_eq!(status(&answer), 200);
    let [record] = &capture.records()[..] else { panic!("one record: {:#?}", capture.records()) };
    assert_eq!(record.action(), "account.show");
    assert_eq!(record.actor().map(|actor| actor.kind), Some(Some(ActorKind::User)));
    let source = record.source().unwrap();
    assert_eq!(source.ip, Some([127, 0, 0, 1].into()));
    assert_eq!((source.user_agent.as_deref(), source.origin.as_deref()), (Some("curl"), Some("https://example.org")));
    assert_eq!(record.correlation_id().as_deref(), header(&answer, "x-request-id"));
    assert_eq!(record.claimed(), Some(format!(r#"{{"trace_id":"{TRACE}","client_request_id":"mine"}}"#).as_str()));
    assert!(!record.json().contains("s3cret"));
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let capture = Capture::new();
    let proxies = TrustedProxies::new(["127.0.0.0/8", "10.0.0.0/8"]).unwrap();
    let address = serve(capture.clone(), AuditMiddleware::new().trusted_proxies(proxies));
    let headers = format!(
        "x-forwarded-for: 198.51.100.9, 192.0.2.1, 10.0.0.1\r\nx-request-id: theirs\r\n\
         traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n"
    );
    let answer = answer(address, "GET /accounts/7", &headers).await;
    assert_eq!(header(&answer, "x-request-id"), Some("theirs"));
    let record = capture.records().remove(0);
    assert_eq!(record.source().unwrap().ip, Some([192, 0, 2, 1].into()));
    assert_eq!(record.correlation_id().as_deref(), Some("theirs"));
    assert_eq!((record.trace_id().as_deref(), record.claimed()), (Some(TRACE), None));
}
