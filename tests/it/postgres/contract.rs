//! What every sink promises.

use super::*;
use crate::contract::{Fixture, sink_contract};

/// The JSON of each record, in the order in which they arrived.
pub(super) fn records(database: &Database) -> Vec<String> {
    database.sql("postgres", "SELECT record FROM audited.records ORDER BY arrival")
}

#[test]
fn the_store_keeps_it() {
    sink_contract(|| {
        let database = database();
        Fixture::new(database.store(), move || records(&database))
    });
}
