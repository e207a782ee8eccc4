use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum UserEvent {
    Created,
    Deleted,
}

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum Twice {
    Deleted,
    #[event(nested)]
    User(UserEvent),
}

#[derive(AuditEvent)]
#[event(prefix = "app")]
enum Former {
    #[event(was("user.created"))]
    Made,
    #[event(nested)]
    User(UserEvent),
}

#[derive(AuditEvent)]
enum Both {
    #[event(nested)]
    One(UserEvent),
    #[event(nested)]
    Two(Box<UserEvent>),
}

fn main() {}
