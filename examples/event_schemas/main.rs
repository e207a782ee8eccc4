//! An audit log with typed events and added ones, whose live stream reconnects and misses nothing.
//!
//! ```sh
//! cargo run --features sqlite --example event_schemas
//! ```

mod audit_log;

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use audited::{
    Actor as AuditedActor, AuditContext, AuditStore, Fields, Forwarder, Journal, Payload, PayloadType, Reader,
    Recorder, Seen, SqliteStore, record, with_context,
};
use rusqlite::{Connection, TransactionBehavior};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use audit_log::events::{AuthEvent, AuthEventView, event_types};
use audit_log::json::EventJson;
use audit_log::list::{Filter, List, Live, list, live};
use audit_log::write::{Actor, Happened, Target};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("app.db"))?;
    let mut app = Connection::open(folder.path().join("app.db"))?;
    app.execute_batch("CREATE TABLE role_grants (id TEXT, role TEXT)")?;

    // A name that is taken fails at the start.
    if let Err(error) = event_types([("login", Payload::any())]) {
        println!("{error}\n");
    }
    let types = event_types([("comment_hidden", Payload::new().field("comment_id", PayloadType::Integer))])?;
    let journal = Journal::open(folder.path().join("audit"))?;
    let forwarder = Forwarder::builder(&journal, store.clone()).start()?;
    let recorder = Recorder::builder().sink(journal).vocabulary(types).build()?;
    recorder.install()?;

    let [ann, bob] = ["ann", "bob"].map(|_| Actor { id: Uuid::now_v7(), account_id: Uuid::now_v7() });
    let names = HashMap::from([(ann.account_id, "ann".to_owned()), (bob.account_id, "bob".to_owned())]);
    let reader = store.global("example");

    println!("A client follows:");
    let mut stream = live(&reader, &Filter::default()).await?;
    let context = AuditContext::new().actor(AuditedActor::user(ann.account_id));
    with_context(context, record(&AuthEvent::Login { username: "ann".into() })).await?;
    let seen = show_next(&mut stream).await?;
    drop(stream);

    println!("It loses its connection. Meanwhile");
    println!("  a transaction grants a role, and does not commit yet;");
    let granted = Happened {
        event_type: "role_grant_create",
        by: Some(ann),
        target: Some(Target::Actor(bob)),
        metadata: fields(json!({ "role_grant_id": Uuid::now_v7(), "role": "editor" })),
        ..Happened::default()
    };
    let tx = app.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("INSERT INTO role_grants VALUES ('g1', 'editor')", [])?;
    granted.record().wait_in_transaction(&store.within(&tx))?;

    println!("  an event of the application's own happens, and one that nobody has heard of, and one that drifts;");
    let ip = Some([192, 0, 2, 7].into());
    let by_ann = Happened { by: Some(ann), ip, ..Happened::default() };
    for (event_type, metadata) in [
        ("comment_hidden", json!({ "comment_id": 7, "because": "spam" })),
        ("comment_eaten", json!({})),
        ("password_change", json!({ "sessions_revoked": "all" })),
    ] {
        Happened { event_type, metadata: fields(metadata), ..by_ann.clone() }.record().await?;
    }
    println!("  the transaction commits, after all of these; another one is rolled back.");
    tx.commit()?;
    let tx = app.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("DELETE FROM role_grants", [])?;
    Happened { event_type: "role_grant_revoke", ..granted.clone() }.record().wait_in_transaction(&store.within(&tx))?;
    tx.rollback()?;

    println!("It comes back with the last place that it has seen, and gets all that it has missed, once:");
    let mut stream = live(&reader, &Filter { since_seq: Some(seen.clone()), ..Filter::default() }).await?;
    for _ in 0..4 {
        show_next(&mut stream).await?;
    }
    println!("and then what happens:");
    let revoked = fields(json!({ "count": 2 }));
    let target = Some(Target::Account(bob.account_id));
    Happened { event_type: "session_revoke_all", target, metadata: revoked, ..by_ann }.record().await?;
    show_next(&mut stream).await?;
    println!("A client that asks for lists, two events each, gets the same:");
    let mut filter = Filter { limit: Some(2), since_seq: Some(seen), ..Filter::default() };
    loop {
        let List { events, next } = list(&reader, &filter).await?;
        if events.is_empty() {
            break;
        }
        println!("  {}", events.iter().map(|event| event.action().into_owned()).collect::<Vec<_>>().join(", "));
        filter.since_seq = next.map(|next| next.to_string());
    }

    let stats = recorder.stats();
    println!("\nmetadata drift: {}, unknown types: {}; all of them are written", stats.drift, stats.unknown);
    what_bob_sees(&reader, bob, &names).await?;
    recorder.shutdown(Duration::from_secs(5))?;
    forwarder.stop(Duration::from_secs(30))?;
    Ok(())
}

/// Prints the next event, and gives the place behind it.
async fn show_next(stream: &mut Live) -> Result<String, Box<dyn Error>> {
    let (event, seq) = stream.next().await?;
    println!("  {:<18} {} {}", event.action(), event.detail().unwrap_or("{}"), flags(&event));
    Ok(seq)
}

fn flags(event: &Fields) -> String {
    event.flags().join(", ")
}

/// What is about one account: as the JSON of clients, and as a type.
async fn what_bob_sees(reader: &Reader, bob: Actor, names: &HashMap<Uuid, String>) -> Result<(), Box<dyn Error>> {
    let about_bob = Filter { account_id: Some(bob.account_id), ..Filter::default() };
    for event in list(reader, &about_bob).await?.events {
        let Some(row) = EventJson::of(&event) else { continue };
        println!("\n{}", serde_json::to_string_pretty(&row.named(names))?);
        match event.view::<AuthEvent>()? {
            AuthEventView::RoleGrantCreate { role: Seen::Value(role), .. } => println!("As a type: the role is {role}"),
            other => println!("As a type: {other:?}"),
        }
    }
    Ok(())
}

fn fields(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    /// What this program records is in the lock beside it, and changes only where a reviewer sees it.
    #[test]
    fn the_lock_holds() {
        audited::assert_locked!(file = "examples/event_schemas/audit.lock");
    }
}
