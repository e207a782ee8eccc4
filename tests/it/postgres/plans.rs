//! Who asks for what an index is over does not make the server read everything.

use audited::{PostgresSetUp, Timestamp};

use super::*;

const ROWS: u64 = 20_000;
const TENANTS: u64 = 100;

#[test]
fn a_tenant_is_found_by_an_index_among_many() {
    let settings = ["session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0"];
    let cluster = crate::servers::postgres::start_with(&settings, |_| {});
    let database = cluster.empty_database();
    let set_up = PostgresSetUp::new().grant_writer("service").unwrap().grant_reader("auditor").unwrap();
    block_on(set_up.run(&database.options("postgres"))).unwrap();
    let store = database.store();
    let now = Timestamp::now().as_unix_micros();
    let row = |n: u64| {
        // A part of them in the partition of now, the others in the default one.
        let micros = if n.is_multiple_of(2) { now + n.cast_signed() } else { 1_000 * n.cast_signed() };
        let moment = Timestamp::from_unix_micros(micros).unwrap().to_string();
        let fields = json!({
            "occurred_at": moment, "tenant": format!("tenant-{}", n / 2 % TENANTS), "action": format!("door.{}", n % 7),
            "actor": { "kind": "user", "id": format!("user-{}", n % 997) }, "correlation_id": format!("request-{n}"),
        });
        placed(n.into(), "s", n, fields)
    };
    for first in (0..ROWS).step_by(2_000) {
        write(&store, &(first..first + 2_000).map(row).collect::<Vec<_>>()).unwrap();
    }
    database.sql("postgres", "ANALYZE");
    let asked = |query: &Query| {
        let before = cluster.log().len();
        let page = block_on(store.tenant("tenant-7").unrecorded().page(&query.clone().limit(50))).unwrap();
        assert!(page.records.iter().all(|record| record.tenant().as_deref() == Some("tenant-7")));
        let plans = cluster.log()[before..].to_owned();
        let plan = plans.split("Query Text:").find(|plan| plan.starts_with(" SELECT r.record")).unwrap_or_default();
        assert!(!plan.is_empty() && read_whole(plan).is_none(), "{query:?}:\n{plans}");
        (page.records.len(), plan.to_owned())
    };
    let from = Timestamp::from_unix_micros(now).unwrap();
    for query in [Query::new(), Query::new().oldest_first(), Query::new().from(from), Query::new().action("door.3")] {
        let (found, plan) = asked(&query);
        assert!(found > 0 && plan.contains("_tenant_micros_id_idx"), "{query:?}:\n{plan}");
    }
    let (found, plan) = asked(&Query::new().correlation_id("request-14"));
    assert!(found == 1 && plan.contains("_correlation_id_idx"), "{plan}");
    // Who reads by SQL does not see how his tenant is filtered, and has the same index.
    let sql = "SET audited.tenant = 'tenant-7';
        EXPLAIN SELECT record FROM audited.records ORDER BY micros DESC, id DESC LIMIT 50";
    let plan = database.sql("auditor", sql).join("\n");
    assert!(plan.contains("_tenant_micros_id_idx") && read_whole(&plan).is_none(), "{plan}");
}

/// What a plan reads all of, but for the partitions of the months to come, which have nothing in them.
fn read_whole(plan: &str) -> Option<&str> {
    plan.lines().find(|line| line.contains("Seq Scan") && !line.contains("rows=1 "))
}
