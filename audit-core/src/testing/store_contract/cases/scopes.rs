//! Whose records a reader sees.

use crate::{AuditStore, KeyRing, Query, Reader, Since, StoreError};
use serde_json::json;

use super::super::StoreUnderTest;
use super::super::block_on;
use super::super::made::{id, made};
use super::{StoreCase, assert_finds, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    a_tenant_sees_its_own_records_alone,
    tenants_that_look_alike_are_several,
    a_hashed_tenant_is_found_across_a_rotation,
    what_is_no_tenant_sees_nothing,
    an_id_of_another_tenant_is_found_nowhere,
};

fn a_tenant_sees_its_own_records_alone(under: &StoreUnderTest) {
    let batch = [
        made("one", json!({ "tenant": "acme" })),
        made("two", json!({ "tenant": "acme", "action": "suite.other" })),
        made("theirs", json!({ "tenant": "other" })),
        made("nobody's", json!({})),
        made("a number's", json!({ "tenant": 7 })),
        made("claimed", json!({ "tenant": "other", "claimed": { "tenant": "acme" } })),
    ];
    under.write(&batch).unwrap();
    assert_finds(&under.tenant("acme"), &Query::new(), &["one", "two"]);
    assert_finds(&under.tenant("acme"), &Query::new().action("suite.made"), &["one"]);
    assert_finds(&under.tenant("other"), &Query::new(), &["theirs", "claimed"]);
    assert_finds(&under.tenant("nobody"), &Query::new(), &[]);
    let all = ["one", "two", "theirs", "nobody's", "a number's", "claimed"];
    assert_finds(&under.global(), &Query::new(), &all);
}

fn tenants_that_look_alike_are_several(under: &StoreUnderTest) {
    let long = "t".repeat(3000);
    let texts = ["acme", "Acme", "acme ", " acme", "acm", "acme%", "a_me", "ac'me", "acme\0", "acme\0x", "äcme", &long];
    let batch: Vec<_> = texts
        .iter()
        // Of a long identity a record shows the start and a digest.
        .map(|text| made(text, json!({ "tenant": super::super::made::cut(text) })))
        .collect();
    under.write(&batch).unwrap();
    for text in texts {
        assert_finds(&under.tenant(text), &Query::new(), &[text]);
    }
}

fn a_hashed_tenant_is_found_across_a_rotation(under: &StoreUnderTest) {
    let old = KeyRing::new("2025", [5; 32]).unwrap();
    let new = KeyRing::new("2026", [6; 32]).unwrap();
    let rotated = KeyRing::new("2026", [6; 32]).unwrap().previous("2025", [5; 32]).unwrap();
    let hash = |keys: &KeyRing, tenant: &str| keys.hashes(Some(tenant), None, tenant).next().unwrap();
    let batch = [
        made("old", json!({ "tenant": hash(&old, "acme") })),
        made("new", json!({ "tenant": hash(&new, "acme") })),
        made("theirs", json!({ "tenant": hash(&new, "other") })),
        made("plain", json!({ "tenant": "acme" })),
        made("nobody's", json!({})),
    ];
    under.write(&batch).unwrap();
    let reader = |keys: &KeyRing, tenant: &str| under.store.tenant_hashed(keys, tenant).unrecorded();
    assert_finds(&reader(&rotated, "acme"), &Query::new(), &["old", "new"]);
    assert_finds(&reader(&new, "acme"), &Query::new(), &["new"]);
    assert_finds(&reader(&rotated, "other"), &Query::new(), &["theirs"]);
    assert_finds(&under.tenant("acme"), &Query::new(), &["plain"]);
}

fn what_is_no_tenant_sees_nothing(under: &StoreUnderTest) {
    let hash = format!("hash:2026:{}", "0a".repeat(16));
    // What a record shows of a long name, which is the name of another.
    let cut = super::super::made::cut(&"t".repeat(3000));
    let texts = ["", "<redacted>", &hash, &cut];
    let batch: Vec<_> = texts.iter().map(|text| made("remains", json!({ "tenant": text }))).collect();
    under.write(&batch).unwrap();
    for text in texts {
        assert_refuses(&under.tenant(text));
    }
    let keys = KeyRing::new("2026", [6; 32]).unwrap();
    assert_refuses(&under.store.tenant_hashed(&keys, "").unrecorded());
}

#[track_caller]
fn assert_refuses(reader: &Reader) {
    let query = Query::new();
    let refusals = [
        block_on(reader.page(&query)).err(),
        block_on(reader.count(&query)).err(),
        block_on(reader.get(id(1))).err(),
        block_on(reader.since(&query, Since::Beginning)).err(),
        block_on(reader.follow(&query, Since::Now)).err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Some(StoreError::InvalidTenant)), "{reader:?}: {refusal:?}");
    }
}

fn an_id_of_another_tenant_is_found_nowhere(under: &StoreUnderTest) {
    let theirs = made("theirs", json!({ "tenant": "other" }));
    let nobodys = made("nobody's", json!({}));
    let own = made("own", json!({ "tenant": "acme" }));
    under.write(&[theirs.clone(), nobodys.clone(), own.clone()]).unwrap();
    let acme = under.tenant("acme");
    let get = |reader: &Reader, id| block_on(reader.get(id)).unwrap().map(|record| record.json().to_owned());
    for record in [&theirs, &nobodys] {
        assert_eq!(get(&acme, record.id().unwrap()), None);
        assert_eq!(get(&under.global(), record.id().unwrap()).as_deref(), Some(record.json()));
    }
    assert_eq!(get(&acme, own.id().unwrap()).as_deref(), Some(own.json()));
    assert_eq!(get(&acme, id(1)), None);
}
