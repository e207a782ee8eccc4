//! Whatever is done to a file is found, at its line, and left as it is.

use std::fs;
use std::path::{Path, PathBuf};

use audited::{Journal, JournalDamage as Damage, JournalError};
use tempfile::TempDir;

use super::format::{check, check_with_the_script};
use super::{assert_sound, files, name, numbers, small, write, written};
use crate::contract::block_on;

/// Two files of seven lines, the first and the last of each the journal's own.
fn two_files() -> (TempDir, PathBuf) {
    let (directory, path) = written(5);
    let journal = small().open(&path).unwrap();
    (5..10).for_each(|n| drop(write(&journal, n)));
    drop(journal);
    assert_eq!(files(&path).len(), 2);
    (directory, path)
}

/// The file and line of the first damage, as `verify` has it.
fn found(path: &Path) -> (String, u64, Damage) {
    let damage = Journal::verify(path).unwrap().damage;
    match damage.into_iter().next().expect("damage") {
        JournalError::Damaged { path, line, damage, .. } => (name(&path), line, damage),
        other => panic!("{other}"),
    }
}

type Change = fn(&mut Vec<String>);
type Expected = fn(&Damage) -> bool;

#[test]
fn each_kind_of_damage_is_found_at_its_line() {
    let cases: &[(Change, usize, u64, Expected)] = &[
        (|lines| lines[2] = lines[2].replace("\"n\":1", "\"n\":2"), 0, 4, |d| matches!(d, Damage::Chain)),
        (|lines| lines[6] = lines[6].replace("\"lines\":7", "\"lines\":9"), 1, 1, |d| matches!(d, Damage::Chain)),
        (|lines| lines[1].replace_range(.., "no record"), 0, 2, |d| matches!(d, Damage::NotALine)),
        (|lines| lines[1].clear(), 0, 2, |d| matches!(d, Damage::NotALine)),
        (|lines| lines[1].replace_range(.., "{}"), 0, 2, |d| matches!(d, Damage::NotALine)),
        (|lines| lines[1].truncate(60), 0, 2, |d| matches!(d, Damage::NotALine)),
        (|lines| lines[1] += "\r", 0, 2, |d| matches!(d, Damage::NotALine)),
        (|lines| lines[1].insert(0, '\0'), 0, 2, |d| matches!(d, Damage::NotALine)),
        (|lines| lines.insert(3, "a note".into()), 0, 4, |d| matches!(d, Damage::NotALine)),
        (|lines| drop(lines.remove(0)), 0, 1, |_| true),
        (|lines| drop(lines.remove(2)), 0, 3, |d| matches!(d, Damage::Seq { expected: 3, found: 4 })),
        (|lines| drop(lines.pop()), 1, 1, |d| matches!(d, Damage::Seq { expected: 7, found: 8 })),
        (|lines| lines.swap(2, 3), 0, 3, |d| matches!(d, Damage::Seq { expected: 3, found: 4 })),
        (|lines| lines.insert(3, lines[2].clone()), 0, 4, |d| matches!(d, Damage::Seq { expected: 4, found: 3 })),
        (|lines| lines[2] = lines[2].replace("\"seq\":3", "\"seq\":03"), 0, 3, |d| matches!(d, Damage::NotALine)),
        (|lines| lines[2] = lines[2].replace("\"seq\":3", "\"seq\":4"), 0, 3, |d| matches!(d, Damage::Seq { .. })),
        (
            |lines| lines[2] = lines[2].replace("\"seq\":3", "\"seq\":18446744073709551615"),
            0,
            3,
            |d| matches!(d, Damage::NotALine),
        ),
        (|lines| lines[2].replace_range(11..47, &"0".repeat(36)), 0, 3, |d| matches!(d, Damage::NotALine)),
        (
            |lines| lines[2].replace_range(11..47, "0190163d-8694-739b-aea5-966c26f8ad91"),
            0,
            3,
            |d| matches!(d, Damage::OtherStream),
        ),
    ];
    let (_directory, path) = two_files();
    let paths = files(&path);
    let whole = fs::read_to_string(&paths[0]).unwrap();
    for (case, (change, file, line, expected)) in cases.iter().enumerate() {
        let mut lines: Vec<_> = whole.lines().map(str::to_owned).collect();
        change(&mut lines);
        fs::write(&paths[0], lines.join("\n") + "\n").unwrap();
        if case == 9 {
            // Where the first line is gone nobody can tell it from older files that were removed, but for the
            // anchor; the position says it.
            assert_eq!(Journal::verify(&path).unwrap().first_seq, 2);
            continue;
        }
        let (name_found, line_found, damage) = found(&path);
        assert!(expected(&damage), "case {case}: {damage}");
        assert_eq!((&name_found, line_found), (&name(&paths[*file]), *line), "case {case}: {damage}");
        // They skip empty lines, and so find it one later there.
        let by_hand = check(&path).unwrap_err();
        assert!(
            by_hand.0 == name_found && (line_found..=line_found + 1).contains(&by_hand.1),
            "case {case}: {by_hand:?}"
        );
        if let Some(said) = check_with_the_script(&path) {
            assert_eq!(said, Err(format!("{}, line {}", by_hand.0, by_hand.1)), "case {case}");
        }
        let errors: Vec<_> = Journal::read(&path).unwrap().filter_map(Result::err).collect();
        let JournalError::Damaged { line, .. } = errors[0] else { panic!("{}", errors[0]) };
        assert_eq!(line, line_found, "case {case}");
        assert!(errors[0].to_string().ends_with(". The file is left as it is"), "{}", errors[0]);
    }
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let (_directory, path) = two_files();
    let first = &files(&path)[0];
    let whole = fs::read(first).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(first, &bytes).unwrap();
        if at % 5 == 0 {
            assert!(!Journal::verify(&path).unwrap().is_sound(), "at {at}");
        }
        assert!(check(&path).is_err(), "at {at}");
    }
    fs::write(first, whole).unwrap();
    assert_sound(&path);
}

#[test]
fn files_that_are_missing_or_swapped_are_found() {
    let (_directory, path) = written(2);
    for n in 0..3 {
        write(&small().open(&path).unwrap(), n);
    }
    let paths = files(&path);
    let (second, third) = (fs::read(&paths[1]).unwrap(), fs::read(&paths[2]).unwrap());
    fs::write(&paths[1], &third).unwrap();
    fs::write(&paths[2], &second).unwrap();
    assert!(!Journal::verify(&path).unwrap().is_sound());
    fs::write(&paths[1], &second).unwrap();
    fs::remove_file(&paths[2]).unwrap();
    let (file, line, damage) = found(&path);
    assert_eq!((file, line), (name(&paths[3]), 1));
    assert!(matches!(damage, Damage::Seq { .. }));
    // Nor does the oldest go by itself.
    fs::write(&paths[2], &third).unwrap();
    fs::remove_file(&paths[0]).unwrap();
    let (file, line, damage) = found(&path);
    assert_eq!((file, line), (name(&paths[1]), 1));
    assert!(matches!(damage, Damage::Missing { seq: 5 }));
}

#[test]
fn damage_at_the_end_is_said_and_the_stream_goes_on_in_another_file() {
    let (_directory, path) = written(5);
    let file = &files(&path)[0];
    let mut lines: Vec<_> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    lines[3] = "secret words".into();
    let damaged = lines.join("\n") + "\n";
    fs::write(file, &damaged).unwrap();
    let journal = small().open(&path).unwrap();
    let (damaged_file, line, kind) = journal.recovered().damage.clone().unwrap();
    assert_eq!((&damaged_file, line), (&name(file), 4), "{kind}");
    assert_eq!((journal.recovered().last_seq, journal.recovered().cut_bytes), (7, 0));
    write(&journal, 9);
    drop(journal);
    assert_eq!(fs::read_to_string(file).unwrap(), damaged, "it is left as it is");
    let said = fs::read_to_string(&files(&path)[1]).unwrap();
    assert!(said.contains(&format!("\"damaged_file\":\"{damaged_file}\",\"damaged_line\":4")), "{said}");
    assert!(!format!("{:?}", Journal::verify(&path).unwrap()).contains("secret"));
    // All others are still read, and only the one is damage.
    let found = Journal::verify(&path).unwrap();
    assert!(found.damage.len() <= 2 && found.lines >= 8, "{found:?}");
    let records = Journal::read(&path).unwrap().filter_map(Result::ok).count();
    assert_eq!(records, 6 + 3);
    // It is not reported again, once there is a file behind it.
    assert_eq!(small().open(&path).unwrap().recovered().damage, None);
}

#[test]
fn a_foreign_file_is_neither_cut_nor_used() {
    let (_directory, path) = written(2);
    let foreign = path.join("audit-0000000002.jsonl");
    fs::write(&foreign, "dear diary").unwrap();
    fs::set_permissions(&foreign, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let journal = small().open(&path).unwrap();
    assert_eq!(journal.recovered().damage.as_ref().unwrap().0, name(&foreign));
    block_on(journal.rotate()).unwrap();
    write(&journal, 7);
    drop(journal);
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "dear diary");
    let records = Journal::read(&path).unwrap().filter_map(Result::ok);
    assert_eq!(records.filter(|record| record.action() == "journal.write").count(), 3);
}

#[test]
fn bytes_that_are_no_text_and_lines_without_an_end_are_damage() {
    for garbage in [&b"{\"a\":\"\xff\"}\n"[..], &vec![b'a'; 17 << 20]] {
        let (_directory, path) = written(2);
        let file = &files(&path)[0];
        let mut bytes = fs::read(file).unwrap();
        bytes.extend_from_slice(garbage);
        fs::write(file, &bytes).unwrap();
        assert_eq!(found(&path).1, 5);
        let journal = small().open(&path).unwrap();
        assert_eq!(journal.recovered().damage.as_ref().unwrap().1, 5);
        write(&journal, 2);
        drop(journal);
        assert!(fs::read(file).unwrap() == bytes, "it is left as it is");
        let written: Vec<_> = Journal::read(&path).unwrap().filter_map(Result::ok).collect();
        assert_eq!(written.iter().filter(|record| record.action() == "journal.write").count(), 3);
    }
    let (_directory, path) = written(3);
    assert_eq!(numbers(&path), [0, 1, 2]);
}
