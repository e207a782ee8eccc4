use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "app")]
enum NoVocabulary {
    Started,
    #[event(nested)]
    Number(u64),
}

fn main() {}
