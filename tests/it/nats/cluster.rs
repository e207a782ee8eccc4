//! Three servers, one of which dies.

use audited::Durability;

use super::*;
use crate::servers::free_port;
use crate::support::eventually;

fn start() -> Vec<Server> {
    let routes: Vec<_> = (0..3).map(|_| free_port()).collect();
    let all = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect::<Vec<_>>().join(",");
    let start = |(n, port): (usize, &u16)| {
        let (name, own) = (format!("n{n}"), format!("nats://127.0.0.1:{port}"));
        nats::start_with(&["--name", &name, "--cluster_name", "c", "--cluster", &own, "--routes", &all])
    };
    routes.iter().enumerate().map(start).collect()
}

#[test]
fn a_stream_with_three_replicas_outlives_one_of_its_servers() {
    let mut servers = start();
    let mut options = options(&servers[0]).replicas(3).connect_within(PATIENCE);
    for server in &servers[1..] {
        options = options.server(url(server));
    }
    let sink = options.clone().connect().unwrap();
    // What no server has synced is lost when all of them lose power.
    assert_eq!(sink.durability(), Durability::OsBuffer);
    let write = |batch: &[Record]| eventually("it is acknowledged", || block_on(sink.write(batch)).is_ok());
    write(&records(0..200));
    servers[0].kill();
    write(&records(200..400));
    servers[0].restart();
    write(&records(400..500));
    let directory = tempfile::tempdir().unwrap();
    let store = audited::MemorySink::new();
    let feed = options.feed(store.clone(), directory.path().join("dead")).start().unwrap();
    feed.flush(PATIENCE).unwrap();
    let found = counts(jsons(&store.records()));
    assert_eq!(found.len(), 500);
    assert!(found.values().all(|count| *count == 1));
}
