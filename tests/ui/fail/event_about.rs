use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user", since = "", only_from = "the cli", unlocked = true)]
enum OnTheEnum {
    #[event(since = " ", only_from = "c/i", was("old name"))]
    Created,
    #[event(was = "user.gone", shared("x"), deprecated = true)]
    Deleted,
    #[event(was(), unlocked)]
    Moved,
    #[event(was(user.old), deprecated, deprecated)]
    Merged,
}

#[derive(AuditEvent)]
#[event(prefix = "user", was("a"), shared, deprecated)]
enum OfVariants {
    #[event(since = 1)]
    Created,
}

fn main() {
    // The kind is there nevertheless.
    let _ = (OnTheEnumKind::Created, OfVariantsKind::Created);
}
