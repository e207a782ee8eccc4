//! The journal of another process.

use audited::{DeadLetter, DeadLetterBox, DeadLetterError, ForwarderError, JournalWatch, MemorySink};

use super::store::Answer;
use super::*;

fn watching(watch: &JournalWatch, store: &Store) -> ForwarderBuilder {
    let fast = Duration::from_millis(1);
    Forwarder::watching(watch, store.clone()).name("store").retry(fast, fast).cursor_every(Duration::ZERO)
}

#[test]
fn it_is_delivered_while_it_is_written_without_its_lock() {
    let (_directory, journal) = journal();
    let watch = JournalWatch::open(journal.path()).unwrap();
    let store = Store::new();
    let forwarder = watching(&watch, &store).start().unwrap();
    for n in 0..10 {
        write(&journal, n * 10..n * 10 + 10);
        block_on(journal.rotate()).unwrap();
    }
    write(&journal, 100..101);
    eventually("all is there", || watch.head() == journal.head());
    forwarder.stop(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    // It goes on behind what is delivered, and a forwarder of the service's own does, too.
    write(&journal, 101..110);
    eventually("it sees them", || watch.head() == journal.head());
    watching(&watch, &store).start().unwrap().stop(PATIENCE).unwrap();
    write(&journal, 110..120);
    deliver(&journal, &store);
    store.assert_has_all_but(&journal, &[]);
    let taken = store.taken();
    assert!(taken.is_sorted_by(|a, b| a.1 < b.1), "nothing came twice: {taken:?}");
}

#[test]
fn two_of_a_name_are_one_too_many() {
    let (_directory, journal) = journal();
    let (watch, store) = (JournalWatch::open(journal.path()).unwrap(), Store::new());
    let _ours = start(&journal, &store);
    assert!(matches!(watching(&watch, &store).start(), Err(ForwarderError::Busy { .. })));
    assert!(matches!(DeadLetterBox::open(journal.path(), "store"), Err(ForwarderError::Busy { .. })));
}

#[test]
fn what_was_delivered_and_taken_back_is_said_when_it_is_started_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let (_other, next) = crate::journal::watching::given_up(&path);
    let store = Store::new();
    let watch = JournalWatch::open(&path).unwrap();
    watching(&watch, &store).start().unwrap().stop(PATIENCE).unwrap();
    std::fs::copy(&next, path.join("new")).unwrap();
    std::fs::rename(path.join("new"), path.join(next.file_name().unwrap())).unwrap();
    eventually("it is told", || watch.fault().is_some());
    let watch = JournalWatch::open(&path).unwrap();
    let refused = watching(&watch, &store).start().unwrap_err();
    assert!(matches!(refused, ForwarderError::Different { .. }), "{refused}");
    // Whoever delivers all of it again is told which records differ.
    let forwarder = watching(&watch, &store).reset().start().unwrap();
    forwarder.flush(PATIENCE).unwrap();
    assert!(forwarder.stats().conflicts > 0, "{:?}", forwarder.stats());
}

#[test]
fn dead_letters_are_resolved_while_no_forwarder_is_at_work() {
    let (_directory, journal) = journal();
    write(&journal, 0..10);
    let store = Store::that(|batch| if has(batch, 3) || has(batch, 7) { Answer::Reject } else { Answer::Take });
    deliver(&journal, &store);
    let letters = DeadLetterBox::open(journal.path(), "store").unwrap();
    let [three, seven] = &letters.unresolved().unwrap()[..] else { panic!("two letters") };
    assert!(matches!(letters.redeliver(three, store.clone(), PATIENCE), Err(DeadLetterError::Sink(_))));
    let other = MemorySink::new();
    letters.redeliver(three, other.clone(), PATIENCE).unwrap();
    assert!(other.find("forward.write")[0].json() == three.original.as_ref().unwrap().json());
    letters.dismiss(seven, "known_duplicate", PATIENCE).unwrap();
    assert_eq!(letters.unresolved().unwrap(), []);
    drop(letters);
    assert_eq!(DeadLetter::all(journal.path(), "store").unwrap(), []);
    let kept = Journal::read(journal.path().join("cursors/store.dead")).unwrap().map(Result::unwrap);
    let how: Vec<_> = kept.filter_map(|record| Some(record.detail()?.contains("known_duplicate"))).collect();
    assert!(how.contains(&true));
}
