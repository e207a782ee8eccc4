//! `examples/admin_events`: typed events with an HTTP entry and a command line.

mod entries;
mod logins;
mod metadata;
mod names;

#[path = "../../../../examples/admin_events/admin/mod.rs"]
mod admin;

use std::sync::{Arc, LazyLock};

use audited::{KeyRing, MemorySink, Record, Recorder, Surface, with_recorder};
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use self::admin::accounts::{Account, Accounts};
use self::admin::events::{AdminEvent, AdminEventKind, AnyEventKind, OperatorEvent};
use crate::contract::block_on;

/// The token of the command line: a process has one.
static CLI: LazyLock<Surface> = LazyLock::new(|| Surface::mint("cli").unwrap());

fn accounts() -> Arc<Accounts> {
    let account = |id, password| Account { id, password, ..Account::default() };
    Arc::new(Accounts::new([
        ("ann@example.org", Account { admin: true, codes: vec![(31, "111"), (32, "222")], ..account(1, "horse") }),
        ("bob@example.org", Account { admin: true, ..account(2, "battery") }),
        ("cleo@example.org", Account { inactive: true, ..account(3, "staple") }),
        ("dora@example.org", Account { failures: 3, ..account(4, "gone") }),
    ]))
}

/// The admin, its recorder, and what that has recorded.
struct Desk {
    accounts: Arc<Accounts>,
    recorder: Recorder,
    memory: MemorySink,
}

fn keys() -> KeyRing {
    KeyRing::new("test", [7; 32]).unwrap()
}

impl Desk {
    fn new() -> Self {
        let memory = MemorySink::new();
        let builder = Recorder::builder().sink(memory.clone()).keys(keys()).allow_weak_fail_closed();
        Self { accounts: accounts(), recorder: builder.build().unwrap(), memory }
    }

    /// One request; gives all that a client sees of the answer.
    fn http(&self, request: &str, token: &str, body: &Value) -> (u16, String) {
        let (method, path) = request.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap();
        let service = admin::http::service(self.accounts.clone());
        block_on(with_recorder(self.recorder.clone(), async {
            let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            (parts.status.as_u16(), format!("{:?} {}", parts.headers, String::from_utf8_lossy(&body)))
        }))
    }

    fn login(&self, email: &str, password: &str) -> (u16, String) {
        self.http("POST /login", "", &json!({ "email": email, "password": password }))
    }

    /// Logs in, and gives the token.
    fn token(&self, email: &str, password: &str) -> String {
        let (status, answer) = self.login(email, password);
        assert_eq!(status, 200, "{answer}");
        answer.split_once(r#""token":""#).unwrap().1.split('"').next().unwrap().to_owned()
    }

    fn command(&self, words: &str) -> Result<audited::RecordId, String> {
        let words: Vec<_> = words.split(' ').collect();
        block_on(with_recorder(self.recorder.clone(), admin::cli::run(&CLI, &self.accounts, &words)))
    }

    fn records(&self) -> Vec<Record> {
        self.memory.records().into_iter().filter(|record| !record.action().starts_with("audit.")).collect()
    }

    fn actions(&self) -> Vec<String> {
        self.records().iter().map(|record| record.action().into_owned()).collect()
    }
}
