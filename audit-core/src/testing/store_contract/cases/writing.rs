//! A record is stored once, and nothing else in its place.

use std::thread;

use crate::{Query, Record, SinkError, StoredRecord};
use serde_json::json;

use super::super::block_on;
use super::super::made::{altered, id, made, name, names, of_json, placed};
use super::super::{StoreUnderTest, arrived, found};
use super::{StoreCase, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    a_record_that_comes_again_is_stored_once,
    callers_at_once_store_a_record_once,
    another_content_under_an_id_is_a_conflict,
    another_record_in_a_place_is_a_conflict,
    a_place_is_one_of_its_stream,
    a_place_may_be_known_later_or_not,
    a_batch_is_written_whole_or_not_at_all,
    what_comes_back_is_what_came,
};

#[track_caller]
fn assert_conflict(under: &StoreUnderTest, batch: &[Record]) {
    let refused = under.write(batch);
    assert!(matches!(refused, Err(SinkError::Conflict(_))), "{refused:?}");
}

#[track_caller]
fn assert_has(under: &StoreUnderTest, expected: &[&str]) {
    let all = under.global();
    assert_eq!(names(&arrived(&all, &Query::new())), expected);
    assert_eq!(found(&all, &Query::new()).len(), expected.len());
    assert_eq!(block_on(all.count(&Query::new())).unwrap(), expected.len() as u64);
}

fn a_record_that_comes_again_is_stored_once(under: &StoreUnderTest) {
    let (one, two) = (made("one", json!({})), placed(&made("two", json!({})), "s", 7));
    for batch in [
        vec![one.clone()],
        vec![one.clone(), one.clone()],
        vec![two.clone(), one.clone(), two.clone()],
        vec![one.clone(), two.clone()],
        vec![two.clone()],
    ] {
        under.write(&batch).unwrap();
    }
    assert_has(under, &["one", "two"]);
}

fn callers_at_once_store_a_record_once(under: &StoreUnderTest) {
    let records: Vec<_> = (0..40).map(|n| placed(&made(&n.to_string(), json!({})), "s", n)).collect();
    thread::scope(|scope| {
        for caller in 0..6 {
            let records = &records;
            scope.spawn(move || {
                for batch in records.chunks(1 + caller % 3) {
                    under.write(batch).unwrap();
                }
            });
        }
    });
    let mut found = names(&arrived(&under.global(), &Query::new()));
    found.sort_by_key(|name| name.parse::<u64>().unwrap());
    assert_eq!(found, (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
}

fn another_content_under_an_id_is_a_conflict(under: &StoreUnderTest) {
    let one = made("one", json!({}));
    under.write(std::slice::from_ref(&one)).unwrap();
    let other = altered(&one);
    assert_conflict(under, std::slice::from_ref(&other));
    assert_conflict(under, &[placed(&other, "s", 1)]);
    assert_conflict(under, &[one.clone(), other.clone()]);
    let (new, other_new) = (made("new", json!({})), made("new", json!({})));
    under.write(&[new.clone(), other_new]).unwrap();
    let fresh = made("fresh", json!({}));
    assert_conflict(under, &[fresh.clone(), altered(&fresh)]);
    assert_has(under, &["one", "new", "new"]);
    assert_eq!(block_on(under.global().get(one.id().unwrap())).unwrap().unwrap().json(), one.json());
}

fn another_record_in_a_place_is_a_conflict(under: &StoreUnderTest) {
    let (one, two) = (made("one", json!({})), made("two", json!({})));
    under.write(&[placed(&one, "s", 7)]).unwrap();
    assert_conflict(under, &[placed(&two, "s", 7)]);
    // Neither has one record two places.
    assert_conflict(under, &[placed(&one, "s", 8)]);
    assert_conflict(under, &[placed(&one, "t", 7)]);
    let (three, four) = (made("three", json!({})), made("four", json!({})));
    assert_conflict(under, &[placed(&three, "s", 9), placed(&four, "s", 9)]);
    under.write(&[placed(&two, "s", 8), placed(&three, "s", 9)]).unwrap();
    under.write(std::slice::from_ref(&four)).unwrap();
    // It is there without a place; this one is taken.
    assert_conflict(under, &[placed(&four, "s", 9)]);
    assert_has(under, &["one", "two", "three", "four"]);
}

fn a_place_is_one_of_its_stream(under: &StoreUnderTest) {
    let streams = ["s", "S", "s ", "s\0", "s\0x", "", "s%", "'"];
    let seqs = [0, 1, i64::MAX.cast_unsigned(), i64::MAX.cast_unsigned() + 1, u64::MAX];
    let mut expected = Vec::new();
    for stream in streams {
        let batch: Vec<_> = seqs.map(|seq| placed(&made(&format!("{stream} {seq}"), json!({})), stream, seq)).into();
        under.write(&batch).unwrap();
        under.write(&batch).unwrap();
        expected.extend(batch.iter().map(|record| name(&record.clone().into())));
        assert_conflict(under, &[placed(&made("other", json!({})), stream, u64::MAX)]);
    }
    assert_has(under, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    // What has half a place has none.
    let half = |keys| made("half", keys);
    under.write(&[half(json!({ "stream": "s" })), half(json!({ "stream": "s" })), half(json!({ "seq": 1 }))]).unwrap();
    under.write(&[half(json!({ "stream": "s", "seq": -1 })), half(json!({ "stream": "s", "seq": -1 }))]).unwrap();
}

fn a_place_may_be_known_later_or_not(under: &StoreUnderTest) {
    let (one, two, three) = (made("one", json!({})), made("two", json!({})), made("three", json!({})));
    under.write(std::slice::from_ref(&one)).unwrap();
    under.write(&[placed(&one, "s", 1)]).unwrap();
    under.write(&[placed(&two, "s", 2)]).unwrap();
    under.write(std::slice::from_ref(&two)).unwrap();
    under.write(&[three.clone(), placed(&three, "s", 3)]).unwrap();
    assert_has(under, &["one", "two", "three"]);
}

fn a_batch_is_written_whole_or_not_at_all(under: &StoreUnderTest) {
    let known = placed(&made("known", json!({})), "s", 1);
    under.write(std::slice::from_ref(&known)).unwrap();
    let many: Vec<_> = (0..50).map(|n| made(&n.to_string(), json!({}))).collect();
    let bad = [altered(&known), placed(&made("other", json!({})), "s", 1), altered(&many[3])];
    for bad in bad {
        for at in [0, 4, 25, 50] {
            let mut batch = many.clone();
            batch.insert(at, bad.clone());
            assert_conflict(under, &batch);
            assert_has(under, &["known"]);
        }
    }
    under.write(&many).unwrap();
    assert_eq!(arrived(&under.global(), &Query::new()).len(), 51);
}

fn what_comes_back_is_what_came(under: &StoreUnderTest) {
    let texts = [
        r#"{"schema":1,"id":"ID","action":"a"}"#,
        r#" { "action" : "a" , "id":"ID","schema":1, "later": [1, 2.50, 1e3, {"x":null}], "a\"b": "c" } "#,
        r#"{"schema":1,"id":"ID","action":"\u0061\u0000\/","tenant":"\u0000","unknown":"\ud800 \uD83D\uDE00"}"#,
        r#"{"schema":1,"id":"ID","action":"a","actor":"none","subjects":{},"resource":[],"decision":1,"kind":{},"call":"x"}"#,
        r#"{"schema":1,"id":"ID","action":"a","detail":{"n":340282366920938463463374607431768211455,"x":-0.0,"x":1}}"#,
        r#"{"schema":1,"id":"ID","action":"a","subjects":[{"kind":"user","id":"\u0000"},{"kind":"","id":""}]}"#,
    ];
    let deep = format!(r#"{{"schema":1,"id":"ID","action":"a","detail":{}1{}}}"#, "[".repeat(400), "]".repeat(400));
    let wide = format!(r#"{{"schema":1,"id":"ID","action":"a","detail":"{}"}}"#, "ü'%\\u0000".repeat(30_000));
    let texts = texts.into_iter().chain([&*deep, &wide]);
    let batch: Vec<_> = (1..).zip(texts).map(|(n, text)| of_json(&text.replace("ID", &id(n).to_string()))).collect();
    under.write(&batch).unwrap();
    under.write(&batch).unwrap();
    let json = |records: Vec<StoredRecord>| records.iter().map(|record| record.json().to_owned()).collect::<Vec<_>>();
    let expected: Vec<_> = batch.iter().map(|record| record.json().to_owned()).collect();
    assert_eq!(json(arrived(&under.global(), &Query::new())), expected);
    assert_eq!(json(found(&under.global(), &Query::new().oldest_first())), expected);
    for record in &batch {
        assert_eq!(block_on(under.global().get(record.id().unwrap())).unwrap().unwrap().json(), record.json());
    }
}
