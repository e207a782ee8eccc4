use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum Unclassified {
    Created { name: String },
    Moved(Vec<f64>),
}

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum Secrets {
    LoggedIn { password: u64 },
    #[sensitive]
    Marked(u64),
}

fn main() {}
