use std::collections::BTreeSet;

use actix_web::{App, test, web};
use audited::{ActorKind, AuditMiddleware, AuditRequest, TrustedProxies};

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

#[tokio::test]
async fn each_of_many_requests_at_once_has_its_own_context() {
    let capture = Capture::new();
    let proxies = TrustedProxies::new(["127.0.0.1"]).unwrap();
    let address = serve(capture.clone(), AuditMiddleware::new().trusted_proxies(proxies));
    let requests = (0..64_u8).map(|nth| {
        tokio::spawn(async move {
            let who = ["ann", "bob", "carl"][usize::from(nth % 3)];
            let headers =
                format!("x-forwarded-for: 192.0.2.{nth}\r\nx-request-id: {who}-{nth}\r\nauthorization: {who}\r\n");
            status(&answer(address, "GET /accounts/7", &headers).await)
        })
    });
    for (nth, request) in requests.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(request.await.unwrap(), [200, 403, 401][nth % 3]);
    }
    let mut seen = BTreeSet::new();
    for record in capture.records() {
        let id = record.correlation_id().unwrap().into_owned();
        let (who, nth) = id.split_once('-').unwrap();
        assert_eq!(record.source().unwrap().ip, Some([192, 0, 2, nth.parse().unwrap()].into()));
        let known = record.actor().and_then(|actor| actor.id);
        assert_eq!(known.as_deref(), Some(who).filter(|who| *who != "carl"), "{record:?}");
        assert_eq!(record.action(), if who == "ann" { "account.show" } else { "http.request" });
        seen.insert(id);
    }
    assert_eq!((seen.len(), capture.records().len()), (64, 64));
}

#[actix_web::test]
async fn without_the_middleware_there_is_no_handle() {
    async fn who(audit: AuditRequest) -> String {
        audit.correlation_id().to_string()
    }
    let app = test::init_service(App::new().route("/", web::get().to(who))).await;
    let response = test::call_service(&app, test::TestRequest::get().to_request()).await;
    assert_eq!(response.status().as_u16(), 500);
    assert!(test::read_body(response).await.is_empty());
    let app = test::init_service(App::new().route("/", web::get().to(who)).wrap(AuditMiddleware::new())).await;
    let response = test::call_service(&app, test::TestRequest::get().to_request()).await;
    let id = response.headers().get("x-request-id").unwrap().clone();
    assert_eq!(test::read_body(response).await, id.as_bytes());
}
