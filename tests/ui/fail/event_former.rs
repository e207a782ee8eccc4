use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum Formers {
    #[event(was("user.deleted"))]
    Created,
    Deleted,
    #[event(action = "user.named", was("user.titled"))]
    Renamed,
    #[event(was("user.named"))]
    Relabelled,
    #[event(was("user.moved"))]
    Moved,
    #[event(was("user.joined", "user.joined"))]
    Merged,
    Titled,
    #[event(was("user.gone"))]
    Vanished,
    #[event(was("user.left", "user.gone"))]
    Left,
}

fn main() {}
