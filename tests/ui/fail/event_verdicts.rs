use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "login", denied, severity = "error")]
enum Login {
    #[event(denied("no such token"))]
    Refused,
    #[event(denied = "unknown_token")]
    Unknown,
    #[event(denied, failed("broken"))]
    Both,
    #[event(failed, failed)]
    Twice,
    #[event(failed(code = "x"), severity = "eror")]
    Broken,
    #[event(decision = "denied", outcome = "failure")]
    Decided,
    #[event(severity("warning"))]
    Listed,
    #[event(severity = "fatal")]
    Fatal,
    #[event(action = "login.geloescht", denied)]
    Gelöscht,
}

fn event<E: AuditEvent>(_: &E) {}

fn main() {
    event(&Login::Refused);
}
