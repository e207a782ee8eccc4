//! A text is no id before it says how it may be shown.

use audited::{Actor, AuditContext, Resource, Subject};

fn main() {
    let _ = Actor::user("ann");
    let _ = Actor::service(String::from("billing"));
    let _ = Subject::user("bob");
    let _ = Resource::new("account", "7");
    let _ = AuditContext::new().tenant("acme");
}
