//! What may only be recorded from somewhere.

use audited::{AuditEvent, MemorySink, Recorder, Surface, audited, catalogue, record, record_from, with_recorder_sync};

#[derive(AuditEvent)]
#[event(prefix = "bound", only_from = "surface-cli")]
enum BoundEvent {
    Purged,
    #[event(only_from = "surface-job")]
    Swept,
}

#[derive(AuditEvent)]
#[event(prefix = "partly")]
enum PartlyEvent {
    Seen,
    #[event(only_from = "surface-never")]
    Never,
    #[event(only_from = "surface-now")]
    Now,
}

#[derive(AuditEvent)]
#[event(only_from = "surface-cli")]
enum Nested {
    #[event(nested)]
    Bound(BoundEvent),
}

#[audited(action = "bound.call", only_from = "surface-unminted")]
fn call() {}

#[audited(action = "bound.minted", only_from = "surface-minted", intent)]
fn minted() {}

/// The flags of the records, and how many violations were counted.
fn recorded(act: impl FnOnce()) -> (Vec<Vec<String>>, u64) {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder.clone(), act);
    let records = memory.records().into_iter().filter(|record| !record.action().starts_with("audit."));
    (records.map(|record| record.flags()).collect(), recorder.stats().violations)
}

const KEPT: &[&str] = &[];
const FLAGGED: &[&str] = &["surface"];

#[test]
fn a_bound_vocabulary_is_recorded_with_its_token() {
    let cli = Surface::mint("surface-cli").unwrap();
    let (flags, violations) = recorded(|| {
        record_from(&cli, &BoundEvent::Purged).wait().unwrap();
        record_from(&cli, &Nested::Bound(BoundEvent::Purged)).wait().unwrap();
        // Another token than it asks for.
        record_from(&cli, &BoundEvent::Swept).wait().unwrap();
        record_from(&cli, &Nested::Bound(BoundEvent::Swept)).wait().unwrap();
    });
    assert_eq!(flags, [KEPT, KEPT, FLAGGED, FLAGGED]);
    assert_eq!(violations, 2);
}

#[test]
fn a_bound_variant_is_looked_at_when_it_is_recorded() {
    let now = Surface::mint("surface-now").unwrap();
    let (flags, violations) = recorded(|| {
        record(&PartlyEvent::Seen).wait().unwrap();
        record(&PartlyEvent::Never).wait().unwrap();
        record(&PartlyEvent::Now).wait().unwrap();
        record_from(&now, &PartlyEvent::Now).wait().unwrap();
    });
    assert_eq!(flags, [KEPT, FLAGGED, KEPT, KEPT]);
    assert_eq!(violations, 1);
}

#[test]
fn a_bound_function_runs_and_its_records_are_flagged() {
    let (flags, violations) = recorded(call);
    assert_eq!((flags.as_slice(), violations), (&[FLAGGED.iter().map(ToString::to_string).collect()][..], 1));
    let _minted = Surface::mint("surface-minted").unwrap();
    let (flags, violations) = recorded(minted);
    assert_eq!((flags.len(), flags.concat().len(), violations), (2, 0, 0));
}

#[test]
fn a_surface_is_minted_once_and_is_in_the_catalogue() {
    let _first = Surface::mint("surface-once").unwrap();
    let again = Surface::mint("surface-once").unwrap_err();
    assert!(again.to_string().contains("`surface-once` is minted already"));
    let surface = |action: &str| {
        let entry = catalogue().actions.into_iter().find(|entry| entry.action == action).unwrap();
        entry.surface
    };
    assert_eq!(surface("bound.purged").as_deref(), Some("surface-cli"));
    assert_eq!(surface("bound.swept").as_deref(), Some("surface-job"));
    assert_eq!(surface("bound.call").as_deref(), Some("surface-unminted"));
    assert_eq!(surface("partly.seen"), None);
}
