//! Texts of somebody who wants more than is theirs: found nowhere but where they stand, or refused.

use crate::{ActorKind, AnyOf, InvalidQuery, Query, Since, StoreError};
use serde_json::json;

use super::super::StoreUnderTest;
use super::super::block_on;
use super::super::made::{HOSTILE, cut, made};
use super::{StoreCase, assert_finds, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    hostile_texts_are_texts,
    hostile_texts_of_a_tenant_find_nothing_of_another,
    a_query_that_asks_too_much_is_refused,
    a_query_may_ask_a_lot,
};

fn hostile_texts_are_texts(under: &StoreUnderTest) {
    let one = |text: &&str| {
        let both = json!({ "kind": text, "id": text });
        made(
            text,
            json!({
                "action": format!("x{text}y"), "actor": { "kind": "user", "id": text }, "subjects": [both], "resource": both,
                "decision": "deny", "reason": text, "outcome": "failure", "code": text, "correlation_id": text,
                "tenant": "acme", "detail": { "text": text, "keys": { format!("k{text}"): "there" } },
            }),
        )
    };
    let batch: Vec<_> = HOSTILE.iter().map(one).collect();
    under.write(&batch).unwrap();
    let acme = under.tenant("acme");
    for &text in HOSTILE {
        for query in [
            Query::new().action(format!("x{text}y")),
            Query::new().action_prefix(format!("x{text}y")),
            Query::new().actor(ActorKind::User, text),
            Query::new().subject(text, text),
            Query::new().resource(text, text),
            Query::new().resource_kind(text),
            Query::new().deny_reason(text),
            Query::new().failure_code(text),
            Query::new().correlation_id(text),
            Query::new().text("detail.text", text),
            Query::new().text(format!("detail.keys.k{text}"), "there"),
        ] {
            let count = block_on(acme.count(&query)).unwrap();
            let found = super::names(&super::found(&acme, &query));
            assert_eq!((count, found), (1, vec![text.to_owned()]), "{text:?}: {query:?}");
        }
        let prefixed: Vec<_> = HOSTILE.iter().copied().filter(|other| format!("{other}y").starts_with(text)).collect();
        assert_finds(&acme, &Query::new().action_prefix(format!("x{text}")), &prefixed);
    }
}

fn hostile_texts_of_a_tenant_find_nothing_of_another(under: &StoreUnderTest) {
    let theirs = json!({
        "tenant": "acme", "action": "door.open", "actor": { "kind": "user", "id": "ann" }, "decision": "deny",
        "reason": "closed", "outcome": "failure", "code": "closed", "correlation_id": "r-1",
        "subjects": [{ "kind": "user", "id": "ann" }], "resource": { "kind": "door", "id": "7" },
    });
    under.write(&[made("theirs", theirs)]).unwrap();
    for &text in HOSTILE {
        assert_finds(&under.tenant(text), &Query::new(), &[]);
        let other = under.tenant("other");
        for query in [
            Query::new().action(text),
            Query::new().action_prefix(text),
            Query::new().user(text),
            Query::new().subject(text, text),
            Query::new().resource(text, text),
            Query::new().deny_reason(text),
            Query::new().failure_code(text),
            Query::new().correlation_id(text),
            Query::new().text(text, text),
            Query::new().text("tenant", text),
        ] {
            assert_finds(&other, &query, &[]);
        }
    }
}

fn a_query_that_asks_too_much_is_refused(under: &StoreUnderTest) {
    under.write(&[made("one", json!({ "tenant": "acme" }))]).unwrap();
    let huge = "x".repeat(1 << 20);
    let many = || (0..5000).map(|n: u32| n.to_string()).collect::<AnyOf>();
    let conditions = (0..200).fold(Query::new(), |query, _| query.succeeded());
    for query in [
        Query::new().deny_reason(&huge),
        Query::new().action(&huge),
        Query::new().action_prefix(&huge),
        Query::new().resource_kind(&huge),
        Query::new().text(&huge, "x"),
        Query::new().text("x", &huge),
        Query::new().correlation_id(many()),
        Query::new().actions((0..5000).map(|n: u32| n.to_string())),
        conditions,
    ] {
        for reader in [under.tenant("acme"), under.global()] {
            let refused = [
                block_on(reader.page(&query)).err(),
                block_on(reader.count(&query)).err(),
                block_on(reader.since(&query, Since::Beginning)).err(),
                block_on(reader.follow(&query, Since::Beginning)).err(),
            ];
            for refused in refused {
                assert!(matches!(refused, Some(StoreError::InvalidQuery(InvalidQuery::TooLarge))), "{refused:?}");
            }
        }
    }
}

fn a_query_may_ask_a_lot(under: &StoreUnderTest) {
    let long = "ü".repeat(20_000);
    let resource = json!({ "kind": cut(&long), "id": cut(&long) });
    let keys =
        json!({ "actor": { "kind": "user", "id": cut(&long) }, "resource": resource, "detail": { "text": long } });
    under.write(&[made("long", keys), made("other", json!({}))]).unwrap();
    let all = under.global();
    assert_finds(&all, &Query::new().user(&long), &["long"]);
    assert_finds(&all, &Query::new().text("detail.text", &long), &["long"]);
    assert_finds(&all, &Query::new().resource(cut(&long), &long), &["long"]);
    let many: Vec<_> = (0..900).map(|n: u32| format!("n-{n}")).chain(["other".to_owned()]).collect();
    assert_finds(&all, &Query::new().text("detail.name", AnyOf::from_iter(many.clone())), &["other"]);
    assert_finds(&all, &Query::new().actions(many).action_prefix("suite."), &["long", "other"]);
    let conditions = (0..60).fold(Query::new(), |query, n: u32| match n % 3 {
        0 => query.succeeded(),
        1 => query.action("suite.made"),
        _ => query.text("detail.name", "other"),
    });
    assert_finds(&all, &conditions, &["other"]);
}
