//! What every sink promises.

use super::*;

/// The JSON of each record, in the order in which they arrived.
pub(super) fn records(database: &Database) -> Vec<String> {
    database.sql("postgres", "SELECT record FROM audited.records ORDER BY arrival")
}

#[cfg(feature = "testing")]
audited::testing::sink_contract!(the_store_keeps_it, || {
    let database = database();
    let store = database.store();
    audited::testing::SinkUnderTest::new(store)
        .reads(move || records(&database))
        .runs_in(crate::contract::ours::in_tokio)
});
