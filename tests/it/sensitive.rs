//! What the derive writes.

use audited::{Action, Record, Sensitive};
use serde::Serialize;

#[derive(Serialize, Sensitive)]
struct A {
    id: u64,
    #[sensitive]
    memo: String,
}

#[test]
fn first() {
    let record = Record::builder(Action::new("t.t")).field("v", &A { id: 7, memo: "x".into() }).build();
    assert_eq!(record.detail(), Some(r#"{"v":{"id":7,"memo":"<redacted>"}}"#));
}
