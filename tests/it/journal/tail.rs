//! What a crash may leave behind at the end of a file.

use std::fs;
use std::path::{Path, PathBuf};

use audited::Journal;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{assert_sound, copy, files, number, numbers, read, small, write, written};

/// A copy of a journal that is still open, and its one file without what it is filled with.
fn unclosed(records: usize) -> (TempDir, PathBuf, Vec<u8>) {
    let (_directory, path) = {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        (directory, path)
    };
    let journal = small().open(&path).unwrap();
    (0..records).for_each(|n| drop(write(&journal, n)));
    let (directory, copied) = copy(&path);
    let mut bytes = fs::read(&files(&copied)[0]).unwrap();
    bytes.truncate(bytes.iter().rposition(|byte| *byte != b'\n').unwrap() + 2);
    for later in &files(&copied)[1..] {
        fs::remove_file(later).unwrap();
    }
    (directory, copied, bytes)
}

fn put(path: &Path, bytes: &[u8]) {
    for file in &files(path)[1..] {
        fs::remove_file(file).unwrap();
    }
    fs::write(&files(path)[0], bytes).unwrap();
}

#[test]
fn a_tail_cut_at_any_byte_keeps_exactly_the_whole_lines() {
    let (_directory, path, whole) = unclosed(3);
    let ends: Vec<_> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    let near = |length: usize| ends.iter().any(|end| length.abs_diff(*end) < 4);
    let first = ends[0];
    for length in (first + 1..=whole.len()).filter(|length| length % 13 == 0 || near(*length)) {
        put(&path, &whole[..length]);
        // A line that lacks only its end is whole.
        let lines = ends.iter().filter(|end| **end <= length).count();
        let cut = length - ends[lines - 1].min(length) - usize::from(length > ends[lines - 1]);
        let ended = ends.iter().filter(|end| **end < length).count();
        assert_eq!(read(&path).len(), ended - 1, "a reader needs no recovery: {length}");
        let journal = small().open(&path).unwrap();
        let recovered = journal.recovered().clone();
        assert_eq!((recovered.last_seq, recovered.damage), (lines as u64, None), "{length}");
        assert_eq!(recovered.cut_bytes, cut as u64, "{length}");
        drop(journal);
        assert_eq!(fs::read(&files(&path)[0]).unwrap(), whole[..=ends[lines - 1]]);
        let said = fs::read_to_string(files(&path).last().unwrap()).unwrap();
        assert_eq!(said.contains(&format!("\"cut_bytes\":{cut}")), cut > 0);
        assert_sound(&path);
    }
}

#[test]
fn a_first_line_that_was_never_finished_is_no_journal_yet() {
    let (_directory, path, whole) = unclosed(1);
    for length in [0, 1, 11, 30, 200] {
        put(&path, &whole[..length]);
        let journal = small().open(&path).unwrap();
        assert_eq!((journal.recovered().last_seq, journal.recovered().cut_bytes), (0, length as u64));
        write(&journal, 5);
        drop(journal);
        assert_eq!(numbers(&path), [5]);
        assert_sound(&path);
    }
}

#[test]
fn a_torn_line_is_replaced_by_the_next_record() {
    let (_directory, path, whole) = unclosed(3);
    put(&path, &whole[..whole.len() - 10]);
    let journal = small().open(&path).unwrap();
    write(&journal, 7);
    drop(journal);
    let records = read(&path);
    assert_eq!(records.iter().map(number).collect::<Vec<_>>(), [0, 1, 7]);
    assert_eq!(records[2].seq(), Some(5), "behind what says that the file was opened");
    assert_sound(&path);
}

#[test]
fn what_a_crash_has_filled_is_no_damage() {
    let (_directory, path, whole) = unclosed(2);
    for (fill, length) in [(0, 1), (0, 4096), (b'\n', 4096), (0, 20 << 20)] {
        let mut bytes = whole.clone();
        bytes.resize(whole.len() + length, fill);
        put(&path, &bytes);
        assert_eq!(numbers(&path), [0, 1]);
        let journal = small().open(&path).unwrap();
        let recovered = journal.recovered();
        assert_eq!((recovered.cut_bytes, recovered.last_seq, recovered.damage.as_ref()), (0, 3, None));
        drop(journal);
        assert_eq!(fs::read(&files(&path)[0]).unwrap(), whole);
    }
}

#[test]
fn sectors_that_did_not_reach_the_disk_are_a_torn_end() {
    let (_directory, path, mut bytes) = unclosed(12);
    let lost = bytes.len() / 2 / 512 * 512;
    bytes[lost..lost + 512].fill(b'\n');
    put(&path, &bytes);
    let journal = small().open(&path).unwrap();
    assert_eq!(journal.recovered().damage, None);
    assert!(journal.recovered().cut_bytes > 512);
    let kept = journal.recovered().last_seq;
    drop(journal);
    assert_eq!(read(&path).len() as u64, kept - 1);
    assert_sound(&path);
    // The same in the midst of lines is damage: a line that was put between two breaks nothing off.
    let (_directory, path, bytes) = unclosed(12);
    let middle = bytes.iter().take(bytes.len() / 2).rposition(|byte| *byte == b'\n').unwrap() + 1;
    put(&path, &[&bytes[..middle], &[b'\n'; 1024], &bytes[middle..]].concat());
    let journal = small().open(&path).unwrap();
    assert_eq!(journal.recovered().cut_bytes, 0);
    assert!(journal.recovered().damage.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands behind the whole lines, opening never panics and never touches them.
    #[test]
    fn whatever_is_appended_the_lines_before_stay(cut in 0..3000_usize, garbage in garbage()) {
        let (_directory, path, whole) = unclosed(3);
        // A line break that was cut off and comes back makes its line whole.
        prop_assume!(whole.get(cut) != Some(&b'\n') || garbage.first() != Some(&b'\n'));
        let mut bytes = whole;
        bytes.truncate(cut);
        let kept = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = bytes[..kept].split(|byte| *byte == b'\n').count() - 1;
        bytes.extend_from_slice(&garbage);
        put(&path, &bytes);
        let _ = Journal::read(&path).unwrap().count();
        let journal = small().open(&path).unwrap();
        write(&journal, 9);
        let recovered = journal.recovered().clone();
        drop(journal);
        if recovered.damage.is_some() || lines > 0 {
            let left = fs::read(&files(&path)[0]).unwrap();
            prop_assert!(left.len() >= kept && left[..kept] == bytes[..kept]);
            if recovered.damage.is_some() {
                prop_assert_eq!(left, bytes, "what is damaged is left as it is");
            }
        }
        let found: Vec<_> = read_what_can_be(&path);
        prop_assert_eq!(found.last(), Some(&9));
        prop_assert_eq!(found.len(), lines.saturating_sub(1) + 1, "{:?}", found);
        if recovered.damage.is_none() {
            assert_sound(&path);
        }
    }
}

fn read_what_can_be(path: &Path) -> Vec<usize> {
    let records = Journal::read(path).unwrap().filter_map(Result::ok);
    records.filter(|record| record.action() == "journal.write").map(|record| number(&record)).collect()
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'"'), Just(b'\n'), Just(0), Just(b'}')], 0..20),
        Just(br#"{"stream":"#.to_vec()),
    ]
}

#[test]
fn a_file_that_was_closed_is_whole() {
    let (_directory, path) = written(3);
    let recovered = small().open(&path).unwrap().recovered().clone();
    assert_eq!((recovered.last_seq, recovered.cut_bytes, recovered.damage), (5, 0, None));
}
