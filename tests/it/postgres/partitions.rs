//! Partitions are made ahead, and go with their record.

use std::time::Duration;

use audited::{PostgresPeriod, PostgresRetention, PostgresSetUp, Timestamp};

use super::*;

const PARTITIONS: &str = "SELECT inhrelid::regclass::text FROM pg_inherits
    WHERE inhparent = 'audited.records'::regclass ORDER BY 1";

fn at(n: u128, moment: &str) -> Record {
    placed(n, "s", u64::try_from(n).unwrap(), json!({ "occurred_at": moment }))
}

/// Adds a partition as if it had been made in its time.
fn add(database: &Database, year: u32) {
    let micros = |year: u32| format!("audited.micros('{year}-01-01')");
    let sql = format!("SELECT audited.add_partition('records_{year}', {}, {})", micros(year), micros(year + 1));
    database.sql("postgres", &sql);
}

#[test]
fn coming_partitions_are_made_and_the_default_one_catches_the_rest() {
    let database = crate::servers::postgres::shared().empty_database();
    let set_up = PostgresSetUp::new().grant_writer("service").unwrap();
    block_on(set_up.clone().partitions(PostgresPeriod::Day, 0).run(&database.options("postgres"))).unwrap();
    assert_eq!(database.sql("postgres", PARTITIONS).len(), 2, "that of today, and the default");
    let store = database.store();
    let day = 86_400_000_000;
    let now = Timestamp::now().as_unix_micros();
    let on = |days: i64| Timestamp::from_unix_micros(now + days * day).unwrap().to_string();
    let times = [on(0), on(1), on(3), "1969-12-31T23:59:59.999999Z".into(), "9999-06-01T00:00:00Z".into()];
    let records: Vec<_> = times.iter().zip(1..).map(|(time, n)| at(n, time)).collect();
    write(&store, &records).unwrap();
    let held = |table: &str| database.sql("postgres", &format!("SELECT count(*) FROM {table}"))[0].clone();
    assert_eq!(held("audited.records_default"), "4");
    // The service makes the rest, but for those that the default has records of already.
    block_on(set_up.partitions(PostgresPeriod::Day, 4).run(&database.options("postgres"))).unwrap();
    assert_eq!(
        database.sql("postgres", PARTITIONS).len(),
        4,
        "tomorrow's and that of the third day stay where they are"
    );
    database.sql("postgres", "UPDATE audited.settings SET ahead = 7");
    let made = block_on(store.maintain()).unwrap();
    assert_eq!(made.len(), 3);
    assert_eq!(block_on(store.maintain()).unwrap(), [""; 0]);
    for partition in database.sql("postgres", PARTITIONS) {
        let always = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'A' AND tgrelid = ";
        assert_eq!(database.sql("postgres", &format!("{always}'{partition}'::regclass")), ["2"], "{partition}");
        let walled = format!("SELECT relrowsecurity FROM pg_class WHERE oid = '{partition}'::regclass");
        assert_eq!(database.sql("postgres", &walled), ["t"], "{partition}");
    }
    write(&store, &[at(9, &on(6))]).unwrap();
    assert_eq!(held("audited.records_default"), "4");
    let newest: Vec<_> = found(&store, &Query::new()).iter().map(|record| record.seq().unwrap()).collect();
    assert_eq!(newest, [5, 9, 3, 2, 1, 4]);
}

#[test]
fn what_came_while_no_partition_was_made_gets_one_and_stays_what_it_is() {
    let database = crate::servers::postgres::shared().empty_database();
    let set_up = PostgresSetUp::new().grant_writer("service").unwrap().partitions(PostgresPeriod::Day, 0);
    block_on(set_up.run(&database.options("postgres"))).unwrap();
    let store = database.store();
    let now = Timestamp::now().as_unix_micros();
    let on = |days: i64| Timestamp::from_unix_micros(now + days * 86_400_000_000).unwrap().to_string();
    // Nobody has called it for two days, as it were.
    let records: Vec<_> = [1, 2, 2].iter().zip(1..).map(|(days, n)| at(n, &on(*days))).collect();
    write(&store, &records).unwrap();
    let rows = "SELECT id, xid, arrival, record FROM audited.records ORDER BY arrival";
    let rows = || database.sql("postgres", &format!("SELECT row::text FROM ({rows}) AS row"));
    let (before, count) = (rows(), |table: &str| database.sql("postgres", &format!("SELECT count(*) FROM {table}")));
    assert_eq!(count("audited.records_default"), ["3"]);
    database.sql("postgres", "UPDATE audited.settings SET ahead = 4");
    let made = block_on(store.maintain()).unwrap();
    assert_eq!(made.len(), 3, "one for both days, and the two behind: {made:?}");
    assert_eq!(count("audited.records_default"), ["0"]);
    assert_eq!(count(&format!("audited.{}", made[0])), ["3"]);
    assert_eq!(rows(), before);
    assert_eq!(block_on(store.maintain()).unwrap(), [""; 0]);
    for partition in database.sql("postgres", PARTITIONS) {
        let always = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'A' AND tgrelid = ";
        assert_eq!(database.sql("postgres", &format!("{always}'{partition}'::regclass")), ["2"], "{partition}");
        let walled = format!("SELECT relrowsecurity FROM pg_class WHERE oid = '{partition}'::regclass");
        assert_eq!(database.sql("postgres", &walled), ["t"], "{partition}");
        assert!(database.try_sql("postgres", &format!("DELETE FROM {partition}")).is_err(), "{partition}");
        assert!(database.try_sql("service", &format!("SELECT FROM {partition}")).is_err(), "{partition}");
    }
    // Both are written into from now on: what comes again is the same, and another day is in the default one.
    write(&store, &records).unwrap();
    write(&store, &[at(4, &on(2)), at(5, &on(9))]).unwrap();
    assert_eq!(
        (count(&format!("audited.{}", made[0])), count("audited.records_default")),
        (vec!["4".into()], vec!["1".into()])
    );
    let indexes = |table: &str| {
        let sql = format!(
            "SELECT count(*) FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid WHERE indrelid = '{table}'::regclass"
        );
        database.sql("postgres", &sql)
    };
    assert_eq!(indexes("audited.records_default"), indexes(&format!("audited.{}", made[0])));
    // What is of a time far ahead does not take the time until then with it.
    write(&store, &[at(6, &on(5)), at(7, &on(3_000))]).unwrap();
    database.sql("postgres", "UPDATE audited.settings SET ahead = 6");
    assert_eq!(block_on(store.maintain()).unwrap().len(), 1, "the sixth day");
    assert_eq!(count("audited.records_default"), ["3"]);
}

#[test]
fn old_partitions_go_with_a_record_of_it_and_what_was_there_is_still_known() {
    let database = database();
    let store = database.store();
    for year in [2015, 2016, 2017] {
        add(&database, year);
    }
    let old: Vec<_> = (0..6).map(|n| at(n, &format!("{}-07-01T00:00:00Z", 2014 + n))).collect();
    write(&store, &old).unwrap();
    let owner = database.options("postgres");
    let refused = block_on(PostgresRetention::older_than(Duration::from_secs(1)).run(&database.options("service")));
    assert_eq!(refused.unwrap_err().sql_state(), Some("42501"));
    assert_eq!(found(&store, &Query::new()).len(), 6, "nothing is gone, and nothing is said to be");

    let before = PostgresRetention::before("2016-12-31T00:00:00Z".parse().unwrap());
    let retained = block_on(before.run(&owner)).unwrap();
    assert_eq!((retained.partitions, retained.records), (vec!["records_2015".to_owned()], 1));
    let retained = block_on(PostgresRetention::before("2017-01-01T00:00:00Z".parse().unwrap()).detach().run(&owner));
    assert_eq!(retained.unwrap().partitions, ["records_2016"]);
    assert_eq!(database.sql("postgres", "SELECT count(*) FROM audited.records_2016"), ["1"], "for an archive");
    let nothing = block_on(PostgresRetention::older_than(Duration::from_secs(u64::MAX)).run(&owner)).unwrap();
    assert_eq!(nothing.partitions, [""; 0]);

    let said = found(&store, &Query::new().action("audit.retained").oldest_first());
    let details: Vec<Value> = said.iter().map(|record| record.detail_as().unwrap()).collect();
    assert_eq!(details[0]["partition"], "records_2015");
    assert_eq!(
        (&details[0]["from"], &details[0]["until"]),
        (&json!("2015-01-01T00:00:00.000000Z"), &json!("2016-01-01T00:00:00.000000Z"))
    );
    assert_eq!((&details[0]["records"], &details[0]["became"]), (&json!(1), &json!("dropped")));
    assert_eq!((&details[1]["partition"], &details[1]["became"]), (&json!("records_2016"), &json!("detached")));
    let left: Vec<_> = found(&store, &Query::new().action("door.open")).iter().map(|record| record.seq()).collect();
    assert_eq!(left, [Some(5), Some(4), Some(3), Some(0)], "those of the default partition, too");

    // A forwarder that delivers again brings nothing back, and is not told that it had to.
    write(&store, &old).unwrap();
    assert_eq!(found(&store, &Query::new().action("door.open")).len(), 4);
    let other = placed(1, "s", 1, json!({ "action": "door.shut" }));
    assert!(matches!(write(&store, &[other]), Err(audited::SinkError::Conflict(_))));
}
