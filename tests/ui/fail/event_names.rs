use audited::AuditEvent;

#[derive(AuditEvent)]
enum NoPrefix {
    Created,
}

#[derive(AuditEvent)]
#[event(prefix = "2fa")]
enum BadPrefix {
    Enabled,
}

#[derive(AuditEvent)]
#[event(prefix = "user", separator = " ")]
enum BadSeparator {
    Enabled,
}

#[derive(AuditEvent)]
#[event(prefix = "user", rename_all = "snakecase")]
enum BadCase {
    Enabled,
}

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum BadAction {
    #[event(action = "user created")]
    Created,
    #[event(action = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    TooLong,
    Gelöscht,
}

fn main() {}
