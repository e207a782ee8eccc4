//! The service, and what it stands on.

use audited::{AuditSink as _, MAX_USER_AGENT_CHARS, TrustedProxies};
use serde_json::{Value, json};

use super::service::{Answer, call, serve};
use super::*;

struct Backend {
    log: Log,
    address: std::net::SocketAddr,
}

impl Backend {
    /// A service behind a proxy at this network.
    async fn behind(proxies: &str, log: Log) -> Self {
        let proxies = TrustedProxies::new([proxies]).unwrap();
        let address = serve(server::service(log.store.clone(), proxies), log.recorder.clone()).await;
        Self { log, address }
    }

    async fn start() -> Self {
        Self::behind("127.0.0.1", Log::in_memory()).await
    }

    async fn call(&self, session: &str, request: &str, body: &str) -> Answer {
        let headers = [format!("authorization: Bearer {session}"), "x-forwarded-for: 6.6.6.6, 198.51.100.7".into()];
        call(self.address, request, &headers, body).await
    }

    async fn sign_in(&self, user: &str, password: &str) -> u16 {
        self.call("", "POST /sign-in", &json!({"user": user, "password": password}).to_string()).await.status
    }

    /// What an administrator of Acme reads.
    async fn rows(&self, query: &str) -> Vec<Value> {
        let answer = self.call("usr_ann", &format!("GET /audit{query}"), "").await;
        assert_eq!(answer.status, 200);
        answer.json().as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn the_ip_is_the_real_clients_behind_a_trusted_proxy() {
    let backend = Backend::start().await;
    assert_eq!(backend.sign_in("usr_ann", "correct horse").await, 200);
    assert_eq!(backend.rows("").await[0]["ip"], "198.51.100.7", "the one before it the client has made up");
}

#[tokio::test]
async fn the_ip_is_the_peers_where_no_proxy_is_trusted() {
    let backend = Backend::behind("203.0.113.1", Log::in_memory()).await;
    assert_eq!(backend.sign_in("usr_ann", "correct horse").await, 200);
    assert_eq!(backend.rows("").await[0]["ip"], "127.0.0.1");
}

#[tokio::test]
async fn the_user_agent_of_a_request_is_cut() {
    let backend = Backend::start().await;
    let headers = ["authorization: Bearer usr_ann".to_owned(), format!("user-agent: {}", "x".repeat(4000))];
    assert_eq!(call(backend.address, "POST /sign-out", &headers, "").await.status, 204);
    assert_eq!(backend.rows("").await[0]["user_agent"], "x".repeat(MAX_USER_AGENT_CHARS));
}

#[tokio::test]
async fn no_bodies_authorization_headers_or_passwords_are_there() {
    let backend = Backend::start().await;
    assert_eq!(backend.sign_in("usr_bob", "n0t-my-password").await, 401);
    assert_eq!(backend.call("s3cret-session", "POST /sign-out", "").await.status, 401);
    assert_eq!(backend.call("", "POST /sign-in", r#"{"n0t-json": s3cret"#).await.status, 400);
    let page = backend.log.global().page(&audited::Query::new()).await.unwrap();
    let all: Vec<_> = page.records.iter().map(|record| record.json()).collect();
    assert!(all.len() > 3, "each of them left a record: {all:#?}");
    let text = all.concat();
    assert!(!["n0t-my", "s3cret", "n0t-json", "Bearer"].iter().any(|secret| text.contains(secret)), "{text}");
}

#[tokio::test]
async fn a_failed_sign_in_says_why_in_the_row_and_not_in_the_answer() {
    let backend = Backend::start().await;
    let wrong = backend.call("", "POST /sign-in", r#"{"user": "usr_bob", "password": "x"}"#).await;
    let unknown = backend.call("", "POST /sign-in", r#"{"user": "usr_zoe", "password": "x"}"#).await;
    assert_eq!((wrong.status, &*wrong.body), (unknown.status, &*unknown.body));
    let row = &backend.rows("?user=usr_bob").await[0];
    assert_eq!(
        (&row["success"], &row["reason"], &row["actor_id"]),
        (&json!(false), &json!("WRONG_PASSWORD"), &json!(null))
    );
    let global = log::rows(&backend.log.global(), None, 10).await.unwrap();
    assert_eq!(global[0].reason.as_deref(), Some("UNKNOWN_USER"));
    assert_eq!((&global[0].user_id, &global[0].tenant_id), (&None, &None), "nobody's name is made up");
}

#[tokio::test]
async fn nobody_reads_another_tenants_rows_by_the_service() {
    let backend = Backend::start().await;
    assert_eq!(backend.call("usr_ann", "DELETE /users/usr_bob", "").await.status, 204);
    let of_eve = backend.call("usr_eve", "GET /audit?user=usr_bob", "").await;
    assert_eq!((of_eve.status, &*of_eve.body), (200, "[]"));
    assert_eq!(backend.rows("?user=usr_bob").await.len(), 1);
    for stranger in ["usr_eve", "usr_bob"] {
        assert_eq!(backend.call(stranger, "DELETE /users/usr_bob", "").await.status, 403, "{stranger}");
    }
    assert_eq!(backend.call("nobody", "GET /audit", "").await.status, 401);
}

#[tokio::test]
async fn a_custom_action_comes_from_the_service() {
    let backend = Backend::start().await;
    assert_eq!(backend.call("usr_ann", "POST /machines", r#"{"region": "ams"}"#).await.status, 201);
    let row = &backend.rows("").await[0];
    assert_eq!(row["action"], "pylon.cloud.fly_machine_provision");
    assert_eq!(row["metadata"], json!({"region": "ams"}));
    assert_eq!(backend.call("usr_ann", "POST /machines", r#"{"cores": 4}"#).await.status, 422, "texts alone");
}

#[tokio::test]
async fn nothing_is_updated_or_deleted() {
    let backend = Backend::start().await;
    backend.sign_in("usr_bob", "battery staple").await;
    let before = backend.rows("").await;
    for verb in ["PUT", "PATCH", "DELETE", "POST"] {
        assert_eq!(backend.call("usr_ann", &format!("{verb} /audit"), "").await.status, 405, "{verb}");
    }
    assert_eq!(backend.call("usr_ann", "DELETE /users/usr_bob", "").await.status, 204);
    let after = backend.rows("").await;
    assert_eq!(after[1..], before, "who was deleted is in the log still");
}

#[tokio::test]
async fn it_is_in_memory_unless_another_backend_is_plugged_in() {
    for log in Log::on_each() {
        let backend = Backend::behind("127.0.0.1", log).await;
        backend.sign_in("usr_ann", "correct horse").await;
        assert_eq!(backend.rows("").await[0]["action"], "sign_in");
    }
    assert!(Log::in_memory().store.describe().starts_with("memory"));
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use audited::{SqliteStore, record, with_context_sync, with_recorder_sync};
    use rusqlite::Connection;

    use super::super::log::{SecurityEvent, rows};
    use super::*;

    #[test]
    fn the_backend_refuses_updates_and_deletes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        let (store, reader) = (SqliteStore::open(&path).unwrap(), path.clone());
        let log = Log::on(|_| Arc::new(store));
        with_recorder_sync(log.recorder.clone(), || record(&SecurityEvent::SignOut).wait()).unwrap();
        let connection = Connection::open(reader).unwrap();
        for change in ["UPDATE audit_records SET action = 'x'", "DELETE FROM audit_records"] {
            assert!(connection.execute(change, []).is_err(), "{change}");
        }
    }

    #[test]
    fn queries_use_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        let store = SqliteStore::open(&path).unwrap();
        let log = Log::on(|_| Arc::new(store));
        with_recorder_sync(log.recorder.clone(), || {
            with_context_sync(within("org_acme", "usr_ann"), || record(&SecurityEvent::SignOut).wait()).unwrap();
        });
        assert_eq!(block_on(rows(&log.tenant("org_acme"), Some("usr_ann"), 1)).unwrap().len(), 1);
        let connection = Connection::open(&path).unwrap();
        for (asked, index) in [
            ("tenant = 'a'", "audit_records_tenant (tenant=?"),
            ("actor_id = 'u'", "audit_records_actor (actor_id=?"),
            ("actor_id = 'u' AND tenant = 'a'", "audit_records_actor (actor_id=? AND tenant=?"),
        ] {
            let newest = format!("SELECT json FROM audit_records WHERE {asked} ORDER BY at DESC, id DESC LIMIT 50");
            let plan = plan_of(&connection, &newest);
            assert!(plan.contains(index), "{asked}: {plan}");
        }
    }

    fn plan_of(connection: &Connection, sql: &str) -> String {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines: Vec<String> = plan.query_map([], |row| row.get("detail")).unwrap().map(Result::unwrap).collect();
        lines.join("; ")
    }
}
