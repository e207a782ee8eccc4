//! An intent counts as its call, and shows alone only as an orphan.

use crate::{InvalidQuery, Query, Reader, Record, Since, StoreError};
use serde_json::{Value, json};

use super::super::block_on;
use super::super::made::{id, made, moment, names};
use super::super::{StoreUnderTest, arrived, found};
use super::{StoreCase, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    an_intent_counts_as_its_call,
    an_orphan_shows_until_its_call_ends,
    orphans_are_found_alone,
    whether_a_call_has_ended_does_not_depend_on_who_reads,
    what_arrives_has_no_intents,
    what_is_no_intent_has_no_call_to_wait_for,
};

fn intent(name: &str, call: u128, keys: &Value) -> Record {
    let mut all = json!({ "kind": "call", "stage": "intent", "call": id(call), "outcome": null, "tenant": "acme" });
    all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    made(name, all)
}

fn ended(name: &str, call: u128, keys: &Value) -> Record {
    let mut all = json!({ "kind": "call", "id": id(call), "tenant": "acme" });
    all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    made(name, all)
}

#[track_caller]
fn assert_pages(reader: &Reader, query: &Query, expected: &[&str]) {
    let query = query.clone().oldest_first();
    assert_eq!(names(&found(reader, &query)), expected, "{query:?}");
    assert_eq!(names(&found(reader, &query.clone().limit(1))), expected, "one by one: {query:?}");
    assert_eq!(block_on(reader.count(&query)).unwrap(), expected.len() as u64, "counted: {query:?}");
}

fn an_intent_counts_as_its_call(under: &StoreUnderTest) {
    let at = |n: i64| json!({ "occurred_at": moment(n).to_string() });
    // The final record of the second comes before its intent, as from another queue.
    let batch = [
        intent("begun 1", 1, &at(1)),
        ended("ended 1", 1, &at(2)),
        ended("ended 2", 2, &at(3)),
        intent("begun 2", 2, &at(4)),
        intent("begun 3", 3, &at(5)),
        ended("panicked 3", 3, &json!({ "stage": "panicked", "occurred_at": moment(6).to_string() })),
        intent("begun 4", 4, &at(7)),
        ended("cancelled 4", 4, &json!({ "stage": "cancelled", "occurred_at": moment(8).to_string() })),
    ];
    under.write(&batch).unwrap();
    let ended = ["ended 1", "ended 2", "panicked 3", "cancelled 4"];
    assert_pages(&under.global(), &Query::new(), &ended);
    assert_pages(&under.tenant("acme"), &Query::new(), &ended);
    let get = |record: &Record| block_on(under.tenant("acme").get(record.id().unwrap())).unwrap();
    assert!(get(&batch[0]).is_none());
    assert_eq!(get(&batch[1]).unwrap().json(), batch[1].json());
}

fn an_orphan_shows_until_its_call_ends(under: &StoreUnderTest) {
    let begun = intent("begun", 1, &json!({ "occurred_at": moment(1).to_string() }));
    let nameless = intent("of no call", 2, &json!({ "call": null, "occurred_at": moment(2).to_string() }));
    under.write(&[begun.clone(), nameless]).unwrap();
    let acme = under.tenant("acme");
    assert_pages(&acme, &Query::new(), &["begun", "of no call"]);
    assert_eq!(block_on(acme.get(begun.id().unwrap())).unwrap().unwrap().json(), begun.json());
    under.write(&[ended("ended", 1, &json!({ "occurred_at": moment(3).to_string() }))]).unwrap();
    assert_pages(&acme, &Query::new(), &["of no call", "ended"]);
}

fn orphans_are_found_alone(under: &StoreUnderTest) {
    let batch = [
        made("event", json!({ "tenant": "acme" })),
        intent("begun 1", 1, &json!({})),
        ended("ended 1", 1, &json!({})),
        intent("begun 2", 2, &json!({ "action": "door.open", "occurred_at": moment(1).to_string() })),
        intent("begun 3", 3, &json!({ "occurred_at": moment(2).to_string() })),
    ];
    under.write(&batch).unwrap();
    let acme = under.tenant("acme");
    assert_pages(&acme, &Query::new().orphans(), &["begun 2", "begun 3"]);
    assert_pages(&acme, &Query::new().orphans().action("door.open"), &["begun 2"]);
    assert_pages(&under.tenant("other"), &Query::new().orphans(), &[]);
    let refused = block_on(acme.since(&Query::new().orphans(), Since::Beginning));
    assert!(matches!(refused, Err(StoreError::InvalidQuery(InvalidQuery::Stream))));
}

fn whether_a_call_has_ended_does_not_depend_on_who_reads(under: &StoreUnderTest) {
    // What the final record is of, and whether the query asks for it, is no matter.
    let batch = [
        intent("begun", 1, &json!({ "action": "door.open" })),
        ended("ended", 1, &json!({ "action": "gate.open", "tenant": "other" })),
    ];
    under.write(&batch).unwrap();
    for reader in [under.tenant("acme"), under.global()] {
        assert_pages(&reader, &Query::new().action("door.open"), &[]);
        assert_pages(&reader, &Query::new().orphans(), &[]);
    }
    assert_pages(&under.tenant("other"), &Query::new(), &["ended"]);
}

fn what_arrives_has_no_intents(under: &StoreUnderTest) {
    let batch = [intent("begun 1", 1, &json!({})), ended("ended 1", 1, &json!({})), intent("begun 2", 2, &json!({}))];
    under.write(&batch).unwrap();
    assert_eq!(names(&arrived(&under.global(), &Query::new())), ["ended 1"]);
    let mut follow = block_on(under.global().follow(&Query::new(), Since::Beginning)).unwrap();
    assert_eq!(block_on(follow.next()).unwrap().json(), batch[1].json());
}

fn what_is_no_intent_has_no_call_to_wait_for(under: &StoreUnderTest) {
    // An addition names the record that it adds to.
    let batch = [
        ended("ended", 1, &json!({})),
        made("undelivered", json!({ "kind": "system", "call": id(1), "occurred_at": moment(1).to_string() })),
        made("later", json!({ "stage": "of a later version", "call": id(1), "occurred_at": moment(2).to_string() })),
    ];
    under.write(&batch).unwrap();
    assert_pages(&under.global(), &Query::new(), &["ended", "undelivered", "later"]);
    assert_eq!(names(&arrived(&under.global(), &Query::new())), ["ended", "undelivered", "later"]);
}
