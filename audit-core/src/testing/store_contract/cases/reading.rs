//! That somebody reads is a record, which the reading itself does not find.

use crate::{AuditContext, AuditStore, Query, Reader, Recorder, Since, StoredRecord, TenantId, with_context_sync};
use serde_json::json;

use super::super::block_on;
use super::super::made::made;
use super::super::{StoreUnderTest, arrived, found};
use super::{StoreCase, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    a_reading_does_not_find_itself,
    a_reading_is_of_the_tenant_that_it_reads,
};

/// A recorder that writes into the store that is read.
pub(in super::super) fn recorder(under: &StoreUnderTest) -> Recorder {
    Recorder::builder().sink(under.store.clone()).allow_weak_fail_closed().build().unwrap()
}

/// The readings that are recorded, as they arrived.
pub(in super::super) fn readings(under: &StoreUnderTest) -> Vec<StoredRecord> {
    arrived(&under.global(), &Query::new().action("audit.read"))
}

fn reads(records: &[StoredRecord]) -> usize {
    records.iter().filter(|record| record.action() == "audit.read").count()
}

fn a_reading_does_not_find_itself(under: &StoreUnderTest) {
    let recorder = recorder(under);
    let batch: Vec<_> = (0..5).map(|n| made(&n.to_string(), json!({ "tenant": "acme" }))).collect();
    under.write(&batch).unwrap();
    let (acme, all) = (under.store.tenant("acme"), under.store.global("suite"));
    let (acme, all) = (acme.recorded_by(recorder.clone()), all.recorded_by(recorder.clone()));
    for (round, reader) in [&acme, &all, &acme].into_iter().enumerate() {
        // It finds those before, and not the one that it begins with.
        let before = readings(under).len();
        let visible = if round == 1 { before } else { readings_of_acme(under) };
        for query in [Query::new().limit(2), Query::new().oldest_first().limit(2)] {
            let found = found(reader, &query);
            assert!(found.len() >= 5 + visible);
        }
        let after_pages = readings(under).len();
        assert_eq!(after_pages, before + 2, "one a reading, however many pages");
        let visible = if round == 1 { after_pages } else { readings_of_acme(under) };
        let arrived = arrived(reader, &Query::new().limit(2));
        assert_eq!(reads(&arrived), visible, "its own is hidden");
        assert_eq!(readings(under).len(), before + 3, "one a reading, however often it goes on");
        let query = Query::new().action("audit.read");
        let visible = if round == 1 { readings(under).len() } else { readings_of_acme(under) };
        assert_eq!(block_on(reader.count(&query)).unwrap(), visible as u64);
        assert_eq!(readings(under).len(), before + 4);
        follows_all_but_itself(under, reader, before + 5);
    }
    recorder.flush(crate::testing::contract::drive::PATIENCE).unwrap();
}

fn readings_of_acme(under: &StoreUnderTest) -> usize {
    arrived(&under.tenant("acme"), &Query::new().action("audit.read")).len()
}

fn follows_all_but_itself(under: &StoreUnderTest, reader: &Reader, readings_then: usize) {
    let mut follow = block_on(reader.follow(&Query::new().limit(1), Since::Now)).unwrap();
    let own = readings(under).pop().unwrap();
    assert_eq!(readings(under).len(), readings_then);
    for n in 0..3 {
        let record = made(&n.to_string(), json!({ "tenant": "acme" }));
        under.write(std::slice::from_ref(&record)).unwrap();
        assert_eq!(block_on(follow.next()).unwrap().json(), record.json());
    }
    // Nor does who goes on with its cursor.
    let cursor = follow.cursor();
    let mut again = block_on(reader.follow(&Query::new().limit(1), Since::Cursor(cursor))).unwrap();
    let record = made("again", json!({ "tenant": "acme" }));
    under.write(std::slice::from_ref(&record)).unwrap();
    assert_eq!(block_on(again.next()).unwrap().json(), record.json());
    assert_eq!(readings(under).len(), readings_then);
    let others = block_on(under.tenant("acme").count(&Query::new().id(own.id().unwrap()))).unwrap();
    assert_eq!(others, u64::from(own.tenant().is_some()), "others find it");
}

fn a_reading_is_of_the_tenant_that_it_reads(under: &StoreUnderTest) {
    let recorder = recorder(under);
    let acme = under.store.tenant("acme").recorded_by(recorder.clone());
    block_on(acme.count(&Query::new())).unwrap();
    let global = under.store.global("a review").recorded_by(recorder.clone());
    block_on(global.count(&Query::new())).unwrap();
    // What authentication has set stays; what is read is a claim then.
    let of_ours = AuditContext::new().tenant(TenantId::plain("ours"));
    with_context_sync(of_ours, || block_on(acme.count(&Query::new()))).unwrap();
    let readings = readings(under);
    let tenants: Vec<_> = readings.iter().map(|record| record.tenant().map(std::borrow::Cow::into_owned)).collect();
    assert_eq!(tenants, [Some("acme".into()), None, Some("ours".into())]);
    assert_eq!(readings[2].claimed(), Some(r#"{"tenant":"acme"}"#));
    assert_eq!(arrived(&under.tenant("acme"), &Query::new()).len(), 1);
}
