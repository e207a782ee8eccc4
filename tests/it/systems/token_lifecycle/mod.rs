//! The tokens of a gateway: each line of what its log promises is the name of a test.

#[path = "../../../../examples/token_lifecycle/events.rs"]
mod events;
#[path = "../../../../examples/token_lifecycle/server.rs"]
mod server;

mod fields;
mod log;

use std::net::SocketAddr;

use audited::{KeyRing, TRACING_TARGET};
use serde_json::{Value, json};
use tracing::dispatcher::DefaultGuard;

use self::server::Tokens;
use super::service::{Answer, call, serve};
use crate::support::{Log, Logged};

const ANN: &str = "ann@example.org";

/// The key server, and what it logs; all of it on the thread of the test.
struct Gateway {
    address: SocketAddr,
    keys: KeyRing,
    log: Log,
    _listening: DefaultGuard,
}

/// A token as its bearer has it.
struct Given {
    jti: String,
    bearer: String,
}

impl Gateway {
    async fn start() -> Self {
        let (log, keys) = (Log::default(), KeyRing::new("2026", [7; 32]).unwrap());
        let listening = tracing::dispatcher::set_default(&log.dispatch());
        let recorder = events::recorder(keys.clone()).allow_weak_fail_closed().build().unwrap();
        let address = serve(server::service(Tokens::default()), recorder).await;
        Self { address, keys, log, _listening: listening }
    }

    async fn issue(&self, wanted: &Value) -> Given {
        let given = call(self.address, "POST /tokens", &[], &wanted.to_string()).await.json();
        let text = |key: &str| given[key].as_str().unwrap().to_owned();
        Given { jti: text("jti"), bearer: text("bearer") }
    }

    /// One for the CRM alone, once, and with all that there is to say.
    async fn issue_to_ann(&self) -> Given {
        let wanted = json!({"email": ANN, "name": "Ann Smith", "backends": ["crm"], "tools": ["find"],
            "rate_limit": 1, "ttl_ms": 3_600_000});
        self.issue(&wanted).await
    }

    async fn call(&self, bearer: &str, path: &str) -> Answer {
        call(self.address, &format!("GET /backends/{path}"), &[format!("authorization: Bearer {bearer}")], "").await
    }

    async fn revoke(&self, jti: &str) -> Answer {
        call(self.address, &format!("DELETE /tokens/{jti}"), &[], "").await
    }

    /// The lines of the log that are records, without what the framework says about itself.
    fn records(&self) -> Vec<Logged> {
        let logged = self.log.on(TRACING_TARGET).into_iter();
        logged.filter(|line| json_of(line)["kind"] != "system").collect()
    }

    /// What the field `audit` of each line of an action holds.
    fn audits(&self, action: &str) -> Vec<Value> {
        self.records().iter().map(json_of).filter(|audit| audit["action"] == action).collect()
    }

    /// The one line of an action.
    #[track_caller]
    fn audit(&self, action: &str) -> Value {
        let mut audits = self.audits(action);
        assert_eq!(audits.len(), 1, "{action}: {audits:#?}");
        audits.remove(0)
    }

    /// What is shown in place of an address.
    fn shown(&self, email: &str) -> String {
        events::shown(&self.keys, email).texts()[0].clone()
    }
}

fn json_of(line: &Logged) -> Value {
    serde_json::from_str(&line.fields["audit"]).unwrap()
}
