use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user")]
struct UserCreated {
    id: u64,
}

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum Nothing {}

fn event<E: AuditEvent>(_: &E) {}

fn main() {
    // An event nevertheless: nothing follows from the mistake above.
    event(&UserCreated { id: 1 });
}
