//! What dead processes have left behind.

use std::collections::BTreeMap;
use std::fs;

use audited::{ForwarderCursor, JournalWatch};

use super::*;

/// Journals of dead processes below one directory, and how many records each has.
fn orphans(parent: &Path, count: u64) -> Vec<PathBuf> {
    (0..count)
        .map(|n| {
            let path = parent.join(format!("stream-{n}"));
            let journal = options().open(&path).unwrap();
            write(&journal, 0..20 + n);
            path
        })
        .collect()
}

fn lines(path: &Path) -> BTreeMap<(String, u64), String> {
    let records = Journal::read(path).unwrap().map(Result::unwrap);
    records.map(|r| ((r.stream().unwrap().into_owned(), r.seq().unwrap()), r.json().to_owned())).collect()
}

fn is_complete(path: &Path) -> bool {
    let cursors = ForwarderCursor::all(path).unwrap();
    cursors.iter().any(|cursor| cursor.name == "store" && cursor.is_complete(path).unwrap())
}

fn adopting(journal: &Journal, store: &Store, parent: &Path) -> ForwarderBuilder {
    builder(journal, store).adopt(parent).adopt_after(Duration::from_millis(20))
}

#[test]
fn every_journal_of_a_dead_process_is_delivered_to_its_end_once() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 3);
    // One was on its way already.
    let store = Store::new();
    let half = options().open(&orphans[0]).unwrap();
    deliver(&half, &store);
    write(&half, 100..110);
    drop(half);
    fs::create_dir(directory.path().join("no-journal")).unwrap();
    fs::write(directory.path().join("no-directory"), "").unwrap();
    let ours = options().open(directory.path().join("ours")).unwrap();
    let forwarder = adopting(&ours, &store, directory.path()).start().unwrap();
    eventually("they are adopted", || forwarder.stats().adopted == 3);
    let expected: BTreeMap<_, _> = orphans.iter().flat_map(|path| lines(path)).collect();
    let stream = ours.head().stream.to_string();
    let found: BTreeMap<_, _> = store.records().into_iter().filter(|(key, _)| key.0 != stream).collect();
    assert_eq!(found, expected);
    store.assert_in_order_but(&[]);
    assert!(orphans.iter().all(|path| is_complete(path) && Journal::verify(path).unwrap().is_sound()));
    // They are not touched again.
    let before: Vec<_> = orphans.iter().map(|path| lines(path)).collect();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(orphans.iter().map(|path| lines(path)).collect::<Vec<_>>(), before);
    assert_eq!(forwarder.stats().adopted, 3);
    // Unless somebody writes to one and dies.
    let again = options().open(&orphans[1]).unwrap();
    assert!(is_complete(&orphans[1]), "nothing is written yet");
    write(&again, 200..210);
    assert!(!is_complete(&orphans[1]));
    drop(again);
    eventually("it is adopted again", || forwarder.stats().adopted == 4);
    assert!(lines(&orphans[1]).keys().all(|key| store.records().contains_key(key)));
    assert_eq!(store.taken().len(), store.records().len(), "nothing came twice");
}

#[test]
fn a_journal_that_is_written_is_nobody_elses() {
    let directory = tempfile::tempdir().unwrap();
    let live = options().open(directory.path().join("live")).unwrap();
    let store = Store::new();
    let ours = options().open(directory.path().join("ours")).unwrap();
    write(&live, 0..10);
    let forwarder = adopting(&ours, &store, directory.path()).start().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(forwarder.stats().adopted, 0);
    assert!(ForwarderCursor::all(live.path()).unwrap().is_empty());
    write(&live, 10..20);
    let (path, stream) = (live.path().to_owned(), live.head().stream.to_string());
    drop(live);
    eventually("it is adopted", || forwarder.stats().adopted == 1);
    assert_eq!(store.records().keys().filter(|key| key.0 == stream).count(), lines(&path).len());
}

#[test]
fn the_journal_that_a_forwarder_watches_is_no_orphan_though_nobody_writes_it() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 2);
    let (store, watch) = (Store::new(), JournalWatch::open(&orphans[0]).unwrap());
    let before = lines(&orphans[0]);
    let forwarder = Forwarder::watching(&watch, store.clone()).name("store").cursor_every(Duration::ZERO);
    let after = Duration::from_millis(20);
    let forwarder = forwarder.adopt(directory.path()).adopt_after(after).start().unwrap();
    eventually("the other is adopted", || forwarder.stats().adopted == 1);
    eventually("its own is delivered", || before.keys().all(|key| store.records().contains_key(key)));
    std::thread::sleep(10 * after);
    assert_eq!((forwarder.stats().not_adopted, lines(&orphans[0])), (0, before));
}

#[test]
fn one_that_was_just_left_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 1);
    let (store, ours) = (Store::new(), options().open(directory.path().join("ours")).unwrap());
    let after = Duration::from_secs(3600);
    let forwarder = builder(&ours, &store).adopt(directory.path()).adopt_after(after).start().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(forwarder.stats().adopted, 0);
    // Whose it is can open it.
    options().open(&orphans[0]).unwrap();
}

#[test]
fn two_adopters_share_the_work_and_never_one_journal() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 6);
    let store = Store::that(|_| Answer::Slow(Duration::from_millis(10)));
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    let (one, two) = (options().open(one).unwrap(), options().open(two).unwrap());
    let adopt = |journal| adopting(journal, &store, directory.path()).batch_records(5).start().unwrap();
    let (first, second) = (adopt(&one), adopt(&two));
    eventually("they are adopted", || orphans.iter().all(|path| is_complete(path)));
    drop((first, second));
    let expected: BTreeMap<_, _> = orphans.iter().flat_map(|path| lines(path)).collect();
    assert!(expected.iter().all(|(key, line)| store.records().get(key) == Some(line)));
    assert!(!store.was_concurrent());
    store.assert_in_order_but(&[]);
    assert_eq!(store.taken().len(), store.records().len(), "nothing came twice");
}

#[test]
fn two_names_deliver_one_orphan_and_do_not_wake_it_for_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 1);
    let ours = options().open(directory.path().join("ours")).unwrap();
    let (first, second) = (Store::new(), Store::new());
    let one = adopting(&ours, &first, directory.path()).start().unwrap();
    let two = adopting(&ours, &second, directory.path()).name("second").start().unwrap();
    eventually("both have it", || one.stats().adopted == 1 && two.stats().adopted == 1);
    let written = lines(&orphans[0]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((one.stats().adopted, two.stats().adopted), (1, 1));
    assert_eq!(lines(&orphans[0]), written);
    let substance = written.iter().filter(|(_, line)| line.contains("\"forward.write\"")).map(|(key, _)| key);
    let all = substance.clone().all(|key| first.records().contains_key(key) && second.records().contains_key(key));
    assert!(all && substance.count() == 20);
}

#[test]
fn an_outage_keeps_an_orphan_and_stopping_lets_go_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 1);
    let ours = options().open(directory.path().join("ours")).unwrap();
    let store = Store::that(|_| Answer::Fail);
    let forwarder = adopting(&ours, &store, directory.path()).start().unwrap();
    eventually("it is adopted", || !ForwarderCursor::all(&orphans[0]).unwrap().is_empty());
    assert!(forwarder.stop(Duration::from_millis(50)).is_err());
    eventually("it is free", || options().open(&orphans[0]).is_ok());
    assert!(!is_complete(&orphans[0]));
    store.always(Answer::Take);
    let forwarder = adopting(&ours, &store, directory.path()).start().unwrap();
    eventually("it is delivered", || forwarder.stats().adopted == 1);
    assert!(lines(&orphans[0]).keys().all(|key| store.records().contains_key(key)));
}

#[test]
fn one_that_cannot_be_delivered_is_left_as_it_is_and_delivered_once_it_can_be() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 2);
    fs::create_dir(orphans[0].join("cursors")).unwrap();
    fs::write(cursor_path(&orphans[0]), "{}").unwrap();
    let (store, ours) = (Store::new(), options().open(directory.path().join("ours")).unwrap());
    let before = lines(&orphans[0]);
    let forwarder = adopting(&ours, &store, directory.path()).start().unwrap();
    eventually("the other is adopted", || forwarder.stats().adopted == 1 && forwarder.stats().not_adopted == 1);
    let error = forwarder.stats().adoption_error.unwrap();
    assert!(error.contains("store.json is no cursor"), "{error}");
    assert_eq!(lines(&orphans[0]), before);
    fs::remove_file(cursor_path(&orphans[0])).unwrap();
    eventually("it is adopted, too", || forwarder.stats().adopted == 2);
    assert_eq!((forwarder.stats().not_adopted, forwarder.stats().adoption_error), (0, None));
    assert!(before.keys().all(|key| store.records().contains_key(key)));
}

#[test]
fn one_that_cannot_be_read_does_not_keep_the_others_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let orphans = orphans(directory.path(), 3);
    // Where its delivery comes to, and not where it begins.
    let (bad, aside) = (orphans[0].join("audit-0000000002.jsonl"), directory.path().join("aside"));
    for first in [100, 200] {
        write(&options().open(&orphans[0]).unwrap(), first..first + 10);
    }
    let before = lines(&orphans[0]);
    fs::rename(&bad, &aside).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &bad, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    let (store, ours) = (Store::new(), options().open(directory.path().join("ours")).unwrap());
    let forwarder = adopting(&ours, &store, directory.path()).start().unwrap();
    eventually("it is told", || forwarder.stats().not_adopted == 1);
    eventually("the others are adopted", || forwarder.stats().adopted == 2);
    let error = forwarder.stats().adoption_error.unwrap();
    assert!(error.contains("is a FIFO"), "{error}");
    assert!(!is_complete(&orphans[0]));
    fs::rename(&aside, &bad).unwrap();
    eventually("it is adopted, too", || forwarder.stats().adopted == 3);
    assert_eq!((forwarder.stats().not_adopted, forwarder.stats().adoption_error), (0, None));
    assert!(before.iter().all(|(key, line)| store.records().get(key) == Some(line)), "nothing of it was passed over");
}

#[test]
fn a_directory_that_cannot_be_listed_is_told_until_it_can_be() {
    let directory = tempfile::tempdir().unwrap();
    let parent = directory.path().join("streams");
    fs::write(&parent, "").unwrap();
    let (store, ours) = (Store::new(), options().open(directory.path().join("ours")).unwrap());
    let forwarder = adopting(&ours, &store, &parent).start().unwrap();
    eventually("it is told", || forwarder.stats().not_adopted == 1);
    let error = forwarder.stats().adoption_error.unwrap();
    assert!(error.contains("streams could not be listed"), "{error}");
    fs::remove_file(&parent).unwrap();
    eventually("nothing is wrong with none", || forwarder.stats().not_adopted == 0);
    fs::create_dir(&parent).unwrap();
    orphans(&parent, 1);
    eventually("it is adopted", || forwarder.stats().adopted == 1);
}
