use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum UserEvent {
    Created,
}

#[derive(AuditEvent)]
#[event(prefix = "app", nested)]
enum Keys {
    #[event(nested, action = "x", was("y"), severity = "error", denied)]
    User(UserEvent),
    #[event(nested = true)]
    Value(UserEvent),
    #[event(nested)]
    Marked(#[sensitive] UserEvent),
}

#[derive(AuditEvent)]
enum Shapes {
    #[event(nested)]
    Unit,
    #[event(nested)]
    Two(UserEvent, UserEvent),
    #[event(nested)]
    Itself(Box<Self>),
    #[event(nested)]
    Named(Box<Shapes>),
}

#[derive(AuditEvent)]
enum Generic<T, const N: usize> {
    #[event(nested)]
    Of(T),
    #[event(nested)]
    In(Other<N>),
}

fn event<E: AuditEvent>(_: &E) {}

fn main() {
    event(&Keys::User(UserEvent::Created));
    let _ = KeysKind::User(UserEventKind::Created);
}
