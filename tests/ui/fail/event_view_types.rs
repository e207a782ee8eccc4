use audited::{AuditEvent, StoredRecord};
use serde::Serialize;

#[derive(Serialize)]
struct Unread;

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum NotAsked {
    Created,
}

#[derive(AuditEvent)]
#[event(prefix = "user", view)]
enum NotRead {
    Created {
        #[sensitive(plain)]
        unread: Unread,
        #[sensitive(hash)]
        hashed: Unread,
    },
}

#[derive(AuditEvent)]
#[event(prefix = "outer", view)]
enum Outer {
    #[event(nested)]
    Inner(NotAsked),
}

fn main() {
    let stored = StoredRecord::parse("{}").unwrap();
    let _ = stored.view::<NotAsked>();
}
