use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum Twice {
    Created,
    #[event(action = "user.created")]
    Made,
    #[event(action = "user.deleted")]
    Removed,
    Deleted,
    #[event(action = "user.created")]
    Third,
}

fn main() {
    // The kind is there nevertheless.
    let _ = TwiceKind::Created;
}
