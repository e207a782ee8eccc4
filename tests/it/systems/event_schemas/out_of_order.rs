//! Rows that commit in another order than they were written in, on a real server.

use audited::with_recorder;

use super::audit_log::list::Live;
use super::*;
use crate::servers::postgres::database;
use crate::support::PATIENCE;

fn happened(event_type: &'static str) -> Happened<'static> {
    Happened { event_type, ..Happened::default() }
}

async fn next(stream: &mut Live) -> (StoredRecord, String) {
    tokio::time::timeout(PATIENCE, stream.next()).await.expect("nothing arrives").unwrap()
}

#[test]
fn none_is_skipped_also_when_rows_commit_out_of_order() {
    let database = database();
    let store = database.store();
    let reader = store.global("test").unrecorded();
    let recorder = Recorder::builder().sink(store.clone()).vocabulary(types()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(with_recorder(recorder.clone(), async {
        let [mut early, mut late] =
            [database.client("service").await.unwrap(), database.client("service").await.unwrap()];
        let mut stream = live(&reader, &Filter::default()).await.unwrap();

        let first = early.transaction().await.unwrap();
        happened("role_grant_create").record().in_transaction(&store.within(&first)).await.unwrap();
        let second = late.transaction().await.unwrap();
        happened("invite_create").record().in_transaction(&store.within(&second)).await.unwrap();
        happened("bootstrap").record().await.unwrap();
        let (event, _) = next(&mut stream).await;
        assert_eq!(event.action(), "bootstrap", "nobody waits for those that began before");
        second.commit().await.unwrap();
        let (event, seen) = next(&mut stream).await;
        assert_eq!(event.action(), "invite_create");
        drop(stream);

        // It was written before everything that the client has seen, and commits while it is away.
        happened("logout").record().await.unwrap();
        first.commit().await.unwrap();
        happened("invite_delete").record().await.unwrap();
        let gap = Filter { since_seq: Some(seen), ..Filter::default() };
        let missed = list(&reader, &gap).await.unwrap().events;
        assert_eq!(names(&missed), "role_grant_create logout invite_delete", "the oldest first");
        let mut stream = live(&reader, &gap).await.unwrap();
        let mut streamed = Vec::new();
        for _ in 0..3 {
            streamed.push(next(&mut stream).await.0);
        }
        assert_eq!(streamed, missed, "a stream that reconnects gets the same");
    }));
    recorder.shutdown(PATIENCE).unwrap();
}
