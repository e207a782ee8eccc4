//! What the derive writes, shows and registers.

mod foreign;
mod free_keys;
mod modes;
mod policy;
mod registry;
mod serde;
mod shapes;
mod unregistered;

use audited::{Action, Record, Sensitive};

/// The record of one value, under the key `v`.
fn record_of<T: Sensitive + ?Sized>(value: &T) -> Record {
    Record::builder(Action::new("test.write")).field("v", value).build()
}

/// The JSON that a record holds of one value.
fn written<T: Sensitive + ?Sized>(value: &T) -> String {
    let record = record_of(value);
    let detail = record.detail().expect("a detail");
    assert!(record.flags().is_empty(), "{:?} in {detail}", record.flags());
    detail.strip_prefix(r#"{"v":"#).and_then(|rest| rest.strip_suffix('}')).expect("one field").to_owned()
}
