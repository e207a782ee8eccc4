//! What is said of an action besides its name: in the catalogue, and when a name is read.

use audited::{AuditEvent, CatalogueAction, catalogue};

/// What happens to doors.
#[derive(AuditEvent)]
#[event(prefix = "about-door", only_from = "cli", since = "1.0", unlocked)]
enum DoorEvent {
    #[event(was("about-door.unbarred", "gate.open"), since = "1.2", shared)]
    Opened { by: u64 },
    #[event(deprecated, only_from = "panel")]
    Shut,
    #[event(action = "about-door.taken")]
    #[deprecated]
    Removed,
}

#[derive(AuditEvent)]
enum Plain {
    #[event(action = "about-door.plain")]
    Happened,
}

#[allow(deprecated)]
const fn taken() -> DoorEvent {
    DoorEvent::Removed
}

fn of(action: &str) -> CatalogueAction {
    catalogue().actions.into_iter().find(|entry| entry.action == action).unwrap()
}

#[test]
fn the_catalogue_shows_what_is_said() {
    for event in [DoorEvent::Opened { by: 1 }, DoorEvent::Shut, taken()] {
        assert_eq!(of(event.kind().as_str()).doc, None);
    }
    let opened = of("about-door.opened");
    assert_eq!(opened.was, ["about-door.unbarred", "gate.open"]);
    assert_eq!((opened.since.as_deref(), opened.surface.as_deref()), (Some("1.2"), Some("cli")));
    assert_eq!((opened.shared, opened.deprecated, opened.unlocked), (true, false, true));
    let shut = of("about-door.shut");
    assert_eq!((shut.since.as_deref(), shut.surface.as_deref()), (Some("1.0"), Some("panel")));
    assert_eq!((shut.shared, shut.deprecated, shut.unlocked), (false, true, true));
    assert!(of("about-door.taken").deprecated, "Rust's own attribute says it too");
}

#[test]
fn nothing_is_said_where_nothing_is_written() {
    let plain = of(Plain::Happened.kind().as_str());
    assert_eq!((plain.since, plain.surface, plain.severity, plain.was.len()), (None, None, None, 0));
    assert!(!plain.shared && !plain.deprecated && !plain.unlocked);
}

#[test]
fn a_former_name_reads_as_the_action_of_today() {
    for name in ["about-door.opened", "about-door.unbarred", "gate.open"] {
        assert_eq!(name.parse(), Ok(DoorEventKind::Opened));
        assert_eq!(serde_json::from_value::<DoorEventKind>(name.into()).unwrap(), DoorEventKind::Opened);
    }
    assert_eq!(DoorEventKind::Opened.as_str(), "about-door.opened");
    assert!("about-door.removed".parse::<DoorEventKind>().is_err());
}
