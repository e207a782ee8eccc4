//! What asks for a schema.

use audited::{AuditEvent, Sensitive};

/// It asks for none.
#[derive(AuditEvent)]
#[event(prefix = "user")]
enum UserEvent {
    Created { id: u64 },
}

#[derive(AuditEvent)]
#[event(prefix = "app", schema)]
enum AppEvent {
    #[event(nested)]
    User(UserEvent),
}

#[derive(AuditEvent)]
#[event(prefix = "valued", schema = "yes")]
enum Valued {
    Started,
}

#[derive(AuditEvent)]
#[event(prefix = "twice", schema, schema)]
enum Twice {
    Started,
}

#[derive(Sensitive)]
#[sensitive(schema(draft = 7))]
struct Drafted {
    id: u64,
}

fn main() {}
