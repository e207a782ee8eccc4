//! The names of a nested vocabulary with a prefix.

use audited::AuditEvent;

#[derive(AuditEvent)]
#[event(prefix = "user")]
enum UserEvent {
    Created,
    WithALongNameIndeedWhichTakesMostOfTheRoomThatThereIsForTheActionOfARecord,
}

#[derive(AuditEvent)]
#[event(prefix = "app")]
enum NotNested {
    #[event(prefix = "billing")]
    User { id: u64 },
}

#[derive(AuditEvent)]
#[event(prefix = "app")]
enum NoName {
    #[event(nested, prefix = "9 lives")]
    User(UserEvent),
}

#[derive(AuditEvent)]
#[event(prefix = "app")]
enum NoString {
    #[event(nested, prefix = billing)]
    User(UserEvent),
    #[event(nested, prefix = "a", prefix = "b")]
    Twice(UserEvent),
}

/// Under one prefix both have the same names.
#[derive(AuditEvent)]
#[event(prefix = "app")]
enum Same {
    #[event(nested, prefix = "billing")]
    One(UserEvent),
    #[event(nested, prefix = "billing")]
    Other(UserEvent),
}

#[derive(AuditEvent)]
#[event(prefix = "app")]
enum TooLong {
    #[event(nested, prefix = "billing-of-the-whole-enterprise")]
    User(UserEvent),
}

fn main() {}
