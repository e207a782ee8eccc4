use std::time::Duration;

use audit_core::__private::carried;
use audit_core::{ActorKind, AnyOf, AuditSink as _, AuditStore as _, Query, Reader, Record, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::super::SqliteStore;
use super::super::asked::{Asked, block_on};
use super::super::file::Place;
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_micros(4_000_000_000_000_000 + second * 1_000_000).unwrap()
}

/// Of a tenant, by a user.
fn record(n: u128) -> Record {
    let json = json!({
        "schema": 1, "id": Uuid::from_u128(n).to_string(), "action": "door.open", "tenant": "acme",
        "actor": {"kind": "user", "id": "u-1"}, "occurred_at": at(5).to_string(),
    });
    carried(&StoredRecord::parse(json.to_string()).unwrap())
}

/// What SQLite means to do.
struct Plans {
    asked: Asked,
    reading: Reading,
    _directory: tempfile::TempDir,
}

impl Plans {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.db");
        drop(SqliteStore::open(&path).unwrap());
        let reading = Place::of(&path).unwrap().reading(Duration::ZERO).unwrap();
        Self { asked: Asked::default(), reading: Reading::new(reading).unwrap(), _directory: directory }
    }

    fn tenant(&self) -> Reader {
        self.asked.tenant("acme").unrecorded()
    }

    fn global(&self) -> Reader {
        self.asked.global("test").unrecorded()
    }

    fn first(&self, reader: &Reader, query: &Query) -> String {
        block_on(reader.page(query)).unwrap();
        self.of(page)
    }

    fn count(&self, reader: &Reader, query: &Query) -> String {
        block_on(reader.count(query)).unwrap();
        self.of(number)
    }

    /// Of the first page, and of the one behind it.
    fn two(&self, reader: &Reader, query: &Query) -> [String; 2] {
        let next = block_on(reader.page(query)).unwrap().next.unwrap();
        let first = self.of(page);
        block_on(reader.page(&query.clone().after(next))).unwrap();
        [first, self.of(page)]
    }

    fn of(&self, statement: fn(&Reading, &Selection) -> (String, Vec<Value>)) -> String {
        let (sql, params) = statement(&self.reading, &self.asked.selection());
        let mut plan = self.reading.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = plan.query_map(params_from_iter(&params), |row| row.get::<_, String>(3)).unwrap();
        steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
    }
}

#[test]
fn a_page_begins_where_the_one_before_has_ended() {
    let plans = Plans::new();
    block_on(plans.asked.write(&[record(1), record(2)])).unwrap();
    let (newest, oldest) = (Query::new(), Query::new().oldest_first());
    for (query, first, next) in [
        (newest.clone().until(at(9)), "at<?", "(at,id)<(?,?)"),
        (newest.clone().until(at(9)).until(at(8)), "at<?", "(at,id)<(?,?)"),
        (newest.from(at(0)).until(at(9)), "at>? AND at<?", "at>? AND (at,id)<(?,?)"),
        (oldest.clone().from(at(0)), "at>?", "(at,id)>(?,?)"),
        (oldest.from(at(0)).until(at(9)), "at>? AND at<?", "(at,id)>(?,?) AND at<?"),
    ] {
        let user = query.clone().actor(ActorKind::User, "u-1");
        for (reader, query, search) in [
            (plans.global(), &query, "time ("),
            (plans.tenant(), &query, "tenant (tenant=? AND "),
            (plans.tenant(), &user, "actor (actor_id=? AND tenant=? AND "),
        ] {
            let [page, behind] = plans.two(&reader, &query.clone().limit(1));
            let search = |bounds| format!("SEARCH r USING INDEX audit_records_{search}{bounds})");
            assert!(page.starts_with(&search(first)), "{page}");
            assert!(behind.starts_with(&search(next)), "{behind}");
            assert!(!behind.contains("ORDER BY"), "{behind}");
        }
    }
}

type Ask = fn(Query, AnyOf) -> Query;

/// What asks for an id, and how its records are looked for.
const IDS: [(Ask, &str); 5] = [
    (Query::correlation_id, "SEARCH r USING INDEX audit_records_request (correlation_id=?"),
    (|query, any| query.actor(ActorKind::User, any), "SEARCH r USING INDEX audit_records_actor (actor_id=?"),
    (|query, any| query.resource("account", any), "SEARCH r USING INDEX audit_records_resource (resource_id=?"),
    (|query, any| query.subject("user", any), "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)"),
    (Query::user, "MULTI-INDEX OR; INDEX 1; SEARCH r USING INDEX audit_records_actor (actor_id=?"),
];

#[test]
fn an_id_leads_to_its_records_whatever_else_is_asked() {
    let plans = Plans::new();
    let besides: [fn(Query) -> Query; 7] = [
        |query| query,
        |query| query.action("door.open"),
        |query| query.actions(["door.open", "door.shut"]).action_prefix("window."),
        |query| query.denied(),
        |query| query.until(at(9)),
        |query| query.from(at(0)).until(at(9)).action("door.open"),
        |query| query.from(at(0)).until(at(9)).denied().oldest_first(),
    ];
    for (ask, begins) in IDS {
        for any in [AnyOf::from("1"), AnyOf::from_iter(["1", "2"])] {
            for beside in besides {
                let query = beside(ask(Query::new(), any.clone()));
                for (reader, tenant) in [(plans.global(), ""), (plans.tenant(), " AND tenant=?")] {
                    let tenant = if begins.ends_with('?') { tenant } else { "" };
                    for plan in [plans.first(&reader, &query), plans.count(&reader, &query)] {
                        assert!(plan.starts_with(&format!("{begins}{tenant}")), "{query:?}: {plan}");
                        for broad in ["records_time", "records_tenant", "records_action", "records_denied"] {
                            assert!(!plan.contains(broad), "{query:?}: {plan}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_tenant_and_an_action_lead_to_their_records_where_no_id_is_asked_for() {
    let plans = Plans::new();
    for (reader, query, search) in [
        (plans.tenant(), Query::new(), "tenant (tenant=?)"),
        (plans.tenant(), Query::new().actor_kind(ActorKind::User), "tenant (tenant=?)"),
        (plans.tenant(), Query::new().action("door.open"), "tenant_action (tenant=? AND action=?)"),
        (plans.tenant(), Query::new().denied(), "denied (tenant=?)"),
        (plans.global(), Query::new().action("door.open"), "action (action=?)"),
    ] {
        let plan = plans.first(&reader, &query);
        assert!(plan.starts_with(&format!("SEARCH r USING INDEX audit_records_{search}")), "{plan}");
        assert!(!plan.contains("ORDER BY"), "{plan}");
    }
}

#[test]
fn the_end_of_a_prefix_is_behind_all_that_begin_with_it() {
    for (prefix, end) in
        [("a", "b"), ("a\u{10ffff}", "b"), ("\u{d7ff}", "\u{e000}"), ("x.", "x/"), ("\u{7f}", "\u{80}")]
    {
        assert_eq!(behind_all(prefix).as_deref(), Some(end), "{prefix:?}");
        assert!(*format!("{prefix}\u{10ffff}\u{10ffff}") < *end);
    }
    assert_eq!(behind_all(""), None);
    assert_eq!(behind_all("\u{10ffff}"), None);
}
