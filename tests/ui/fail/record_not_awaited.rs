//! A record that nobody awaits is none.

#![deny(unused_must_use)]

use audited::{AuditEvent, record};

#[derive(AuditEvent)]
#[event(prefix = "thing")]
enum Thing {
    Saved,
}

async fn save() {
    record(&Thing::Saved);
}

fn main() {
    drop(save());
}
