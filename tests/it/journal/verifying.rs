//! What a verification says besides what is damaged.

use std::fs;
use std::sync::{Arc, Mutex};

use audited::{Journal, VerifyOptions};

use super::{files, small, write, written};
use crate::contract::block_on;

/// The stretches that are as they were written.
fn stretches(path: &std::path::Path) -> Vec<(u64, u64)> {
    Journal::verify(path).unwrap().intact.iter().map(|stretch| (stretch.first_seq, stretch.last_seq)).collect()
}

#[test]
fn a_sound_journal_is_one_stretch_over_all_its_files() {
    let (_directory, path) = written(5);
    let journal = small().open(&path).unwrap();
    (5..10).for_each(|n| drop(write(&journal, n)));
    drop(journal);
    let found = Journal::verify(&path).unwrap();
    let head = found.head.unwrap();
    assert_eq!((found.intact.len(), found.files), (1, 2));
    assert_eq!((found.intact[0].first_seq, found.intact[0].last_seq), (1, head.seq));
    assert_eq!(found.intact[0].hash, head.hash);
    assert_eq!(stretches(&path), [(1, 14)]);
}

#[test]
fn damage_ends_a_stretch_where_the_chain_breaks_and_nowhere_else() {
    type Change = fn(&mut Vec<String>);
    let cases: &[(Change, &[(u64, u64)])] = &[
        // The third line is vouched for by nobody: what stands in the fourth is not its hash.
        (|lines| lines[2] = lines[2].replace("\"n\":1", "\"n\":2"), &[(1, 3), (4, 7)]),
        (|lines| drop(lines.remove(2)), &[(1, 2), (4, 7)]),
        (|lines| lines[2].truncate(60), &[(1, 2), (4, 7)]),
        // What was put in between breaks nothing.
        (|lines| lines.insert(3, "a note".into()), &[(1, 7)]),
        (|lines| lines.swap(2, 3), &[(1, 2), (4, 4), (3, 3), (5, 7)]),
        (|lines| drop(lines.remove(0)), &[(2, 7)]),
    ];
    let (_directory, path) = written(5);
    let file = &files(&path)[0];
    let whole = fs::read_to_string(file).unwrap();
    for (case, (change, expected)) in cases.iter().enumerate() {
        let mut lines: Vec<_> = whole.lines().map(str::to_owned).collect();
        change(&mut lines);
        fs::write(file, lines.join("\n") + "\n").unwrap();
        assert_eq!(stretches(&path), *expected, "case {case}");
    }
}

#[test]
fn it_tells_how_far_it_is() {
    let (_directory, path) = written(0);
    let journal = small().segment_bytes(4 << 20).open(&path).unwrap();
    let records: Vec<_> = (0..200).map(super::record).collect();
    for _ in 0..40 {
        block_on(audited::AuditSink::write(&journal, &records)).unwrap();
    }
    drop(journal);
    let told = Arc::new(Mutex::new(Vec::new()));
    let theirs = told.clone();
    let options = VerifyOptions::new().on_progress(move |progress| theirs.lock().unwrap().push(progress));
    assert!(Journal::verify_with(&path, &options).unwrap().is_sound());
    let told = told.lock().unwrap();
    let bytes: u64 = files(&path).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(told.len() > files(&path).len(), "once a MiB: {told:?}");
    assert!(told.iter().all(|progress| progress.of == bytes && progress.bytes <= bytes), "{told:?}");
    assert_eq!(told.iter().map(|progress| progress.bytes).max(), Some(bytes));
}
