//! How the server finds it: the plans are in its log.

use super::*;
use crate::servers::postgres::start_with;

#[test]
fn the_newest_of_a_tenant_are_found_by_walking_an_index_and_what_arrived_last_by_another() {
    let cluster = start_with(
        &["session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0", "auto_explain.log_analyze=on"],
        |_| {},
    );
    let database = cluster.database();
    let store = database.store();
    let now = audited::Timestamp::now().as_unix_micros();
    let records: Vec<_> = (0..6_000_u64)
        .map(|n| {
            let moment = audited::Timestamp::from_unix_micros(now - i64::try_from(n).unwrap() * 1_000_000_000).unwrap();
            let tenant = if n % 1_000 == 7 { "small" } else { "large" };
            placed(
                n.into(),
                "s",
                n,
                json!({ "tenant": tenant, "occurred_at": (moment.to_string()), "action": (format!("a{}", n % 100)) }),
            )
        })
        .collect();
    for batch in records.chunks(1_000) {
        write(&store, batch).unwrap();
    }
    database.sql("postgres", "ANALYZE");
    // Gives the plan of what is asked.
    let plan = |marker: &str, asks: &dyn Fn()| {
        let before = cluster.log().len();
        asks();
        let log = cluster.log().split_off(before);
        let mut plans = log.split("Query Text: ").skip(1).filter(|plan| plan.starts_with(marker));
        plans.next().unwrap_or_else(|| panic!("no plan in {log}")).to_owned()
    };
    // The most rows that a step of it gave.
    let most = |plan: &str| {
        let rows = plan
            .split("(actual ")
            .skip(1)
            .filter_map(|step| step.split("rows=").nth(1)?.split(' ').next()?.parse::<f64>().ok());
        rows.fold(0.0, f64::max)
    };
    for (tenant, there) in [("large", 10), ("small", 6)] {
        let page = plan("SELECT r.record", &|| {
            let page = block_on(store.tenant(tenant).unrecorded().page(&Query::new().limit(10))).unwrap();
            assert_eq!(page.records.len(), there);
        });
        // A few that an index finds may be sorted; many must not even be looked at.
        let walks = page.contains("Index Scan Backward") && !page.contains("->  Sort");
        assert!((walks || there < 10) && !page.contains("Rows Removed"), "{page}");
        assert!(most(&page) <= 11.0, "{page}");
    }
    let id = records[4_321].id().unwrap();
    let get = plan("SELECT r.record", &|| {
        assert!(block_on(store.global("test").unrecorded().get(id)).unwrap().is_some());
    });
    assert!(most(&get) <= 1.0 && !get.contains("Rows Removed"), "{get}");
    let position = block_on(store.position()).unwrap();
    write(&store, &[record(9_999, json!({}))]).unwrap();
    let grown = plan("(SELECT r.xid", &|| block_on(store.grown(&position)).unwrap());
    assert!(grown.contains("xid_arrival_idx") && !grown.contains("->  Sort") && most(&grown) <= 2.0, "{grown}");
}
