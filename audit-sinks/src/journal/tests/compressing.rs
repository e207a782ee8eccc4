//! Compressing files over a disk that fails and loses its power.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::compress::Compressor;
use super::super::disk::Disk as _;
use super::super::keeper::{Spare as _, Swaps};
use super::super::segment::Index;
use super::failing::{Answers, assert_goes_on, assert_kept, live};
use super::model::{EFBIG, EIO, EMFILE, ENOSPC, EROFS, Operation, Spoiled};
use super::*;

const PLAIN: &str = ".jsonl";
const PACKED: &str = ".zst";
const NEXT: &str = ".next";

fn compressing() -> JournalOptions {
    options().compress(3)
}

/// A disk with files that have ended, what was acknowledged in them, and the names of those files.
fn ended() -> (ModelDisk, Answers, Vec<String>) {
    let disk = ModelDisk::default();
    let answers = live(&disk, &options());
    let disk = disk.after_the_process();
    let names = names(&disk, PLAIN);
    (disk, answers, names)
}

fn names(disk: &ModelDisk, end: &str) -> Vec<String> {
    disk.contents().into_iter().map(|(name, _)| name).filter(|name| name.ends_with(end)).collect()
}

/// Opens a journal that compresses and ends another file; says what was acknowledged. `fault` is the operation from
/// which on nothing may be waited for.
fn compress(disk: &ModelDisk, files: usize, fault: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let wait = |packed: usize| {
        let start = Instant::now();
        while names(disk, PACKED).len() < packed || !names(disk, NEXT).is_empty() {
            let patience = if disk.operations() > fault { Duration::from_millis(15) } else { PATIENCE };
            if start.elapsed() > patience {
                break;
            }
            thread::sleep(Duration::from_micros(200));
        }
    };
    if let Ok(journal) = open_with(disk, &compressing()) {
        wait(files - 1);
        for n in 700..702 {
            if write(&journal, n).is_ok() {
                acknowledged.push(format!("test.n{n}"));
            }
            let _ = block_on(journal.rotate());
        }
        wait(files + 1);
    }
    acknowledged
}

/// Asserts that each compressed file without its plain one is the file it was made from.
#[track_caller]
fn assert_same(disk: &ModelDisk, before: &[(String, Vec<u8>)], what: &str) {
    let after = disk.contents();
    let find = |name: &str| after.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes.as_slice());
    for (name, bytes) in before.iter().filter(|(name, _)| name.ends_with(PLAIN)) {
        if find(name).is_none() {
            let packed = find(&format!("{name}.zst")).unwrap_or_else(|| panic!("{what}: {name} is gone"));
            assert!(zstd::decode_all(packed).unwrap() == *bytes, "{what}: {name} is another");
        }
    }
}

#[test]
fn all_files_but_the_last_two_are_compressed() {
    bounded(|| {
        let (disk, answers, files) = ended();
        assert!(files.len() > 3, "{files:?}");
        let before = disk.contents();
        let acknowledged = [answers.acknowledged(), compress(&disk, files.len(), usize::MAX)].concat();
        assert_eq!(names(&disk, PACKED), {
            let last = format!("audit-{:010}.jsonl", files.len() + 1);
            files.iter().chain([&last]).map(|name| format!("{name}.zst")).collect::<Vec<_>>()
        });
        assert_eq!(names(&disk, PLAIN).len(), 1);
        assert_same(&disk, &before, "well");
        assert_eq!(sound_actions(&disk), acknowledged);
        assert_goes_on(&disk, &acknowledged, "well");
    });
}

#[test]
fn a_failure_at_any_operation_costs_no_file() {
    bounded(|| {
        let (base, answers, files) = ended();
        let before = base.contents();
        let all = operations(&base, files.len());
        let mut failed = BTreeSet::new();
        for at in 0..all {
            for lasting in [false, true] {
                let disk = base.after_the_process();
                let errno = [EIO, ENOSPC, EFBIG, EMFILE, EROFS][at % 5];
                if lasting {
                    disk.fail_from(at, errno);
                } else {
                    disk.fail_at(at, errno);
                }
                let acknowledged = [answers.acknowledged(), compress(&disk, files.len(), at)].concat();
                let what = format!("{errno} at {at}, {lasting}, {:?}", disk.lock().log.get(at));
                failed.extend(disk.lock().log.get(at).and_then(kind));
                assert_eq!(disk.lock().violations, [""; 0], "{what}");
                if !lasting {
                    assert_same(&disk, &before, &what);
                    assert_kept(&sound_actions(&disk), &acknowledged, &what);
                }
                let after = disk.after_the_process();
                assert_goes_on(&after, &acknowledged, &what);
                assert_eq!(names(&after, NEXT), [""; 0], "{what}");
            }
        }
        assert_eq!(failed, BTreeSet::from(KINDS));
    });
}

#[test]
fn a_power_cut_at_any_operation_costs_no_file() {
    bounded(|| {
        let (base, answers, files) = ended();
        let before = base.contents();
        // What was there is on the disk.
        open_with(&base, &options()).map(drop).unwrap();
        let mut cut = BTreeSet::new();
        for at in 0..operations(&base, files.len()) {
            let disk = base.after_the_process();
            disk.cut_at(at);
            let acknowledged = [answers.acknowledged(), compress(&disk, files.len(), at)].concat();
            let operation = disk.lock().log.get(at).cloned();
            cut.extend(operation.as_ref().and_then(kind));
            for seed in 0..4 {
                let Some(after) = disk.after_the_cut(seed) else { break };
                let what = format!("cut at {at}, {operation:?}, seed {seed}");
                assert_same(&after, &before, &what);
                assert_goes_on(&after, &acknowledged, &what);
                assert_eq!(names(&after, NEXT), [""; 0], "{what}");
            }
        }
        assert_eq!(cut, BTreeSet::from(KINDS));
    });
}

/// What was hit of what compressing does.
const KINDS: [&str; 5] = ["create", "remove", "rename", "sync", "write"];

fn kind(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::Create(name) if name.ends_with(NEXT) => Some("create"),
        Operation::Write(name, ..) if name.ends_with(NEXT) => Some("write"),
        Operation::Sync(name) if name.ends_with(NEXT) => Some("sync"),
        Operation::Rename(..) => Some("rename"),
        Operation::Remove(name) if name.ends_with(PLAIN) => Some("remove"),
        _ => None,
    }
}

fn operations(base: &ModelDisk, files: usize) -> usize {
    let disk = base.after_the_process();
    compress(&disk, files, usize::MAX);
    disk.operations() + 5
}

fn compressor(disk: &ModelDisk) -> Compressor {
    let next = Index(names(disk, PLAIN).len() as u64 + 1);
    Compressor::new(3, Swaps::default(), "journal".to_owned(), next)
}

/// Counts the errors that are logged.
#[derive(Clone, Default)]
struct Errors(Arc<AtomicUsize>);

impl tracing::Subscriber for Errors {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "audited::journal" && *metadata.level() == tracing::Level::ERROR
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// Compresses on a disk that spoils what is read or written so often; says how many errors were logged.
fn compress_spoilt(disk: &ModelDisk, what: Spoiled, end: &'static str, times: usize) -> usize {
    let before = disk.contents();
    let (mut compressor, errors) = (compressor(disk), Errors::default());
    disk.spoil(what, end, times);
    tracing::subscriber::with_default(errors.clone(), || {
        while compressor.has_work() {
            compressor.step(disk);
            assert_same(disk, &before, "at any time");
        }
    });
    errors.0.load(Ordering::Relaxed)
}

#[test]
fn what_was_spoilt_on_its_way_is_told_and_compressed_again() {
    // The compressor's checksum is right where what it read was wrong.
    for (what, end) in [(Spoiled::Writes, NEXT), (Spoiled::Reads, PLAIN), (Spoiled::Reads, NEXT)] {
        for times in [1, 2] {
            let (disk, answers, files) = ended();
            // Both may have been of one try.
            assert!((1..=times).contains(&compress_spoilt(&disk, what, end, times)));
            assert_eq!((names(&disk, PACKED).len(), names(&disk, NEXT).len()), (files.len() - 1, 0));
            assert_eq!(names(&disk, PLAIN).len(), 1);
            assert_eq!(sound_actions(&disk), answers.acknowledged());
        }
    }
}

#[test]
fn a_disk_that_spoils_whatever_is_compressed_keeps_its_plain_files() {
    let (disk, answers, files) = ended();
    let before = disk.contents();
    assert_eq!(compress_spoilt(&disk, Spoiled::Writes, NEXT, usize::MAX), 3 * (files.len() - 1));
    assert!(disk.contents() == before);
    assert_eq!(sound_actions(&disk), answers.acknowledged());
}

#[test]
fn what_is_stopped_leaves_nothing_behind() {
    let (disk, _, _) = ended();
    let before = disk.contents();
    let mut compressor = compressor(&disk);
    while names(&disk, NEXT).is_empty() {
        compressor.step(&disk);
    }
    compressor.step(&disk);
    assert_eq!(names(&disk, NEXT), ["audit-0000000001.jsonl.zst.next"]);
    compressor.stop(&disk);
    assert!(disk.contents() == before);
}

#[test]
fn a_file_that_is_removed_meanwhile_does_not_come_back() {
    let (disk, _, files) = ended();
    let mut compressor = compressor(&disk);
    while names(&disk, NEXT).is_empty() {
        compressor.step(&disk);
    }
    disk.remove(&files[0]).unwrap();
    while compressor.has_work() {
        compressor.step(&disk);
    }
    let packed: Vec<_> = files[1..files.len() - 1].iter().map(|name| format!("{name}.zst")).collect();
    assert_eq!((names(&disk, PACKED), names(&disk, NEXT)), (packed, Vec::new()));
    assert_eq!(names(&disk, PLAIN), [files[files.len() - 1].clone()]);
}

#[test]
fn a_full_disk_keeps_plain_files_and_takes_records() {
    bounded(|| {
        let (disk, answers, files) = ended();
        let used: usize = disk.contents().iter().map(|(_, bytes)| bytes.len()).sum();
        let mut compressor = compressor(&disk);
        disk.limit(Some(used + 100));
        while compressor.has_work() {
            compressor.step(&disk);
        }
        assert_eq!((names(&disk, PLAIN), names(&disk, NEXT).len()), (files, 0));
        disk.limit(None);
        assert_goes_on(&disk, &answers.acknowledged(), "full");
    });
}
