use audited::{AuditEvent, Surface, record, record_from};

#[derive(AuditEvent)]
#[event(prefix = "bound", only_from = "cli")]
enum BoundEvent {
    Purged,
}

#[derive(AuditEvent)]
enum Nested {
    #[event(nested)]
    Bound(BoundEvent),
}

fn main() {
    let cli = Surface::mint("cli").unwrap();
    let _ = record_from(&cli, &BoundEvent::Purged);
    let _ = record(&BoundEvent::Purged);
    let _ = record_from(&cli, &Nested::Bound(BoundEvent::Purged));
}
