//! Files that are compressed once they have ended.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use audited::{Journal, JournalDamage, JournalError, Kept, LegalHold, Retention, Timestamp};
use tempfile::TempDir;

use super::filled::read_by;
use super::{assert_sound, copy, files, name, number, numbers, record, small, write, written};
use crate::contract::{block_on, is_no_frame};
use crate::support::{PATIENCE, eventually};

const RECORDS: usize = 40;
const FILES: usize = 5;

/// A journal of `FILES` plain files with `RECORDS` records; it is closed.
fn plain() -> (TempDir, PathBuf) {
    let (directory, path) = written(0);
    for entry in fs::read_dir(&path).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let journal = small().open(&path).unwrap();
    for n in 0..RECORDS {
        write(&journal, n);
        if n % (RECORDS / FILES) == RECORDS / FILES - 1 && n + 1 < RECORDS {
            block_on(journal.rotate()).unwrap();
        }
    }
    drop(journal);
    assert_eq!(files(&path).len(), FILES);
    (directory, path)
}

fn packed(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut packed: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "zst")).collect();
    packed.sort();
    packed
}

/// The same with all files but the last compressed, and the journal that has done it.
fn compressed() -> (TempDir, PathBuf, Journal) {
    let (directory, path) = plain();
    let journal = small().compress(3).open(&path).unwrap();
    until_compressed(&path, FILES - 1);
    (directory, path, journal)
}

/// As many are compressed, and no plain file is beside one.
fn until_compressed(path: &Path, count: usize) {
    eventually("files are compressed", || {
        let packed = packed(path);
        packed.len() == count && packed.iter().all(|packed| !packed.with_extension("").exists())
    });
}

fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn everything() -> Retention {
    Retention::new().total_bytes(0)
}

#[test]
fn a_compressed_file_has_the_same_bytes_and_reads_as_before() {
    let (_directory, path) = plain();
    let (_copied, before) = copy(&path);
    let journal = small().compress(3).open(&path).unwrap();
    until_compressed(&path, FILES - 1);
    for (packed, plain) in packed(&path).iter().zip(files(&before)) {
        assert_eq!(name(packed), format!("{}.zst", name(&plain)));
        let (packed_bytes, bytes) = (fs::read(packed).unwrap(), fs::read(&plain).unwrap());
        assert!(packed_bytes.len() < bytes.len());
        assert!(zstd::decode_all(packed_bytes.as_slice()).unwrap() == bytes, "{}", name(&plain));
        assert_eq!(fs::metadata(packed).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(numbers(&path), (0..RECORDS).collect::<Vec<_>>());
    assert_eq!(Journal::verify(&path).unwrap().files, FILES as u64 + 1);
    assert_sound(&path);

    // The last that has ended stays plain.
    write(&journal, RECORDS);
    block_on(journal.rotate()).unwrap();
    until_compressed(&path, FILES);
    write(&journal, RECORDS + 1);
    let head = journal.head();
    drop(journal);
    assert!(Journal::verify_to(&path, head).unwrap().is_sound());
    // Who does not compress goes on with what was compressed.
    let journal = small().open(&path).unwrap();
    assert_eq!(journal.recovered().damage, None);
    write(&journal, RECORDS + 2);
    drop(journal);
    assert_eq!(numbers(&path), (0..RECORDS + 3).collect::<Vec<_>>());
    assert_sound(&path);
}

#[test]
fn what_is_changed_inside_of_a_compressed_file_is_found() {
    let (_directory, path, journal) = compressed();
    drop(journal);
    let second = &packed(&path)[1];
    let bytes = fs::read(second).unwrap();
    let text = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
    let changed = text.replacen("\"n\":9", "\"n\":8", 1);
    assert_ne!(changed, text);
    put(second, &zstd::encode_all(changed.as_bytes(), 3).unwrap());
    let found = Journal::verify(&path).unwrap();
    let [JournalError::Damaged { path: damaged, line, damage: JournalDamage::Chain }] = &found.damage[..] else {
        panic!("{:?}", found.damage)
    };
    assert_eq!((damaged, *line), (second, 4));

    for shorter in [bytes.len() - 1, bytes.len() / 2, 5] {
        put(second, &bytes[..shorter]);
        assert_is_undecodable(&path, second);
    }
    for at in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        put(second, &flipped);
        assert!(!Journal::verify(&path).unwrap().is_sound(), "{at}");
    }
    put(second, b"no zstd at all");
    assert_is_undecodable(&path, second);
    put(second, b"");
    assert!(!Journal::verify(&path).unwrap().is_sound());
    put(second, &bytes);
    assert_sound(&path);
}

/// It is damage at its place, told once, and reading goes on behind it.
#[track_caller]
fn assert_is_undecodable(path: &Path, file: &Path) {
    let is_told = |damage: &&JournalError| matches!(damage, JournalError::Damaged { path, damage: JournalDamage::Undecodable, .. } if path == file);
    let found = Journal::verify(path).unwrap();
    assert_eq!(found.damage.iter().filter(is_told).count(), 1, "{:?}", found.damage);
    let read: Vec<_> = Journal::read(path).unwrap().collect();
    assert_eq!(read.iter().filter_map(|read| read.as_ref().err()).filter(is_told).count(), 1);
    let last = read.into_iter().filter_map(Result::ok).filter(is_no_frame).last().unwrap();
    assert_eq!(number(&last), RECORDS - 1);
}

#[test]
fn seeking_finds_its_way_through_compressed_files() {
    let (_directory, path, _journal) = compressed();
    let all: Vec<_> = Journal::read(&path).unwrap().map(Result::unwrap).collect();
    for at in [0, 1, 9, 10, 11, 25, all.len() - 1] {
        let seq = all[at].seq().unwrap();
        let found = Journal::read(&path).unwrap().from_seq(seq).unwrap().next().unwrap().unwrap();
        assert_eq!(found.seq(), Some(seq));
        let moment = all[at].recorded_at().unwrap();
        let since = Journal::read(&path).unwrap().since(moment).unwrap().next().unwrap().unwrap();
        let first = all.iter().find(|record| record.recorded_at() >= Some(moment)).unwrap();
        assert_eq!(since.seq(), first.seq());
    }
}

#[test]
fn a_retention_counts_and_removes_compressed_files() {
    let (_directory, path, journal) = compressed();
    block_on(journal.place_hold(LegalHold::new("case-9", "ask legal@").to(Timestamp::now()))).unwrap();
    let held = block_on(journal.retain(everything())).unwrap();
    let first = name(&packed(&path)[0]);
    assert_eq!(held.kept, Some((first.clone(), Kept::Held("case-9".to_owned()))));
    block_on(journal.lift_hold("case-9", "over")).unwrap();

    let size = |path: &PathBuf| fs::metadata(path).unwrap().len();
    let first_bytes = size(&packed(&path)[0]);
    let total: u64 = packed(&path).iter().chain(&files(&path)).map(size).sum();
    let one = block_on(journal.retain(Retention::new().total_bytes(total - 1))).unwrap();
    assert_eq!((one.removed, one.bytes), (vec![first], first_bytes));
    assert_sound(&path);
    let names: Vec<_> = packed(&path).iter().chain(&files(&path)[..1]).map(|path| name(path)).collect();
    let rest = block_on(journal.retain(everything())).unwrap();
    assert_eq!(rest.removed, names);
    assert_eq!(packed(&path), [""; 0].map(PathBuf::from));
    assert_sound(&path);
    drop(journal);
    assert_sound(&path);
}

#[test]
fn where_both_are_there_the_plain_one_counts() {
    let (_directory, path, journal) = compressed();
    drop(journal);
    let first = packed(&path).remove(0);
    let bytes = fs::read(&first).unwrap();
    put(&first.with_extension(""), &zstd::decode_all(bytes.as_slice()).unwrap());
    put(&first, b"half of what it was to be");
    put(&path.join("audit-0000000002.jsonl.zst.next"), b"left by a crash");
    assert_eq!(numbers(&path), (0..RECORDS).collect::<Vec<_>>());
    assert_sound(&path);

    let (_copied, other) = copy(&path);
    let journal = small().open(&other).unwrap();
    assert!(!other.join("audit-0000000002.jsonl.zst.next").exists());
    let removed = block_on(journal.retain(everything())).unwrap().removed;
    assert_eq!(removed[..2], [name(&first.with_extension("")), name(&first)]);
    assert_sound(&other);

    // Who compresses does it once more.
    let journal = small().compress(3).open(&path).unwrap();
    until_compressed(&path, FILES);
    assert!(fs::read(&first).unwrap() == bytes);
    drop(journal);
    assert_sound(&path);
}

#[test]
fn a_stream_goes_on_behind_files_that_somebody_has_compressed_by_hand() {
    let (_directory, path) = plain();
    for file in files(&path) {
        let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
        packed.write_all(&fs::read(&file).unwrap()).unwrap();
        put(&file.with_extension("jsonl.zst"), &packed.finish().unwrap());
        fs::remove_file(&file).unwrap();
    }
    let last_seq = Journal::verify(&path).unwrap().head.unwrap().seq;
    let journal = small().open(&path).unwrap();
    assert_eq!(journal.recovered().last_seq, last_seq);
    assert_eq!(journal.recovered().files, FILES as u64);
    write(&journal, RECORDS);
    drop(journal);
    assert_eq!(numbers(&path), (0..=RECORDS).collect::<Vec<_>>());
    assert_sound(&path);
}

/// A closed journal of which all files are compressed, the position of its last line, and its last file.
fn all_compressed() -> (TempDir, PathBuf, u64, PathBuf) {
    let (directory, path) = plain();
    let last_seq = Journal::verify(&path).unwrap().head.unwrap().seq;
    for file in files(&path) {
        let mut packed = zstd::Encoder::new(Vec::new(), 3).unwrap();
        packed.include_checksum(true).unwrap();
        packed.write_all(&fs::read(&file).unwrap()).unwrap();
        put(&file.with_extension("jsonl.zst"), &packed.finish().unwrap());
        fs::remove_file(&file).unwrap();
    }
    let last = packed(&path).pop().unwrap();
    (directory, path, last_seq, last)
}

#[test]
fn a_last_file_that_cannot_be_decompressed_is_damage_behind_which_the_stream_goes_on() {
    let spoil: [fn(&mut Vec<u8>); 3] = [
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
        },
        |bytes| bytes[..16].fill(0xff),
        // The checksum.
        |bytes| *bytes.last_mut().unwrap() ^= 1,
    ];
    for (how, spoil) in spoil.into_iter().enumerate() {
        let (_directory, path, last_seq, last) = all_compressed();
        let mut bytes = fs::read(&last).unwrap();
        spoil(&mut bytes);
        put(&last, &bytes);
        let of_last = |error: &JournalError| match error {
            JournalError::Damaged { path, line, damage } if *path == last => Some((*line, damage.to_string())),
            _ => None,
        };
        let told = Journal::verify(&path).unwrap().damage.iter().find_map(of_last).unwrap();

        let journal = small().open(&path).unwrap();
        let (file, line, kind) = journal.recovered().damage.clone().unwrap();
        assert_eq!((file, (line, kind)), (name(&last), told), "{how}");
        // No position that a line has had is given to another.
        assert!(journal.recovered().last_seq >= last_seq, "{how}");
        write(&journal, RECORDS);
        drop(journal);
        assert!(fs::read(&last).unwrap() == bytes, "{how}: it is left as it is");
        let begun = files(&path).remove(0);
        assert_eq!(name(&begun), format!("audit-{:010}.jsonl", FILES + 1));
        assert!(fs::read_to_string(begun).unwrap().contains(&format!(r#""damaged_file":"{}""#, name(&last))));

        let read: Vec<_> = Journal::read(&path).unwrap().filter_map(Result::ok).filter(is_no_frame).collect();
        assert_eq!(number(read.last().unwrap()), RECORDS);
        assert!(read.last().unwrap().seq() > Some(last_seq));
        // Who opens it next finds a last file that is well.
        assert_eq!(small().open(&path).unwrap().recovered().damage, None, "{how}");
    }
}

#[test]
fn a_journal_is_not_opened_where_nobody_knows_how_far_its_last_file_went() {
    let (_directory, path, _, last) = all_compressed();
    let bytes = fs::read(&last).unwrap();
    for cut in [bytes.len() - 1, bytes.len() / 2, 20] {
        put(&last, &bytes[..cut]);
        let refused = small().open(&path).unwrap_err();
        assert!(
            matches!(&refused, JournalError::Damaged { path, damage: JournalDamage::Undecodable, .. } if *path == last),
            "{refused}"
        );
        assert!(fs::read(&last).unwrap() == bytes[..cut]);
        assert_eq!((files(&path), packed(&path).len()), (Vec::new(), FILES), "nothing was begun");
    }
    // Whoever moves it away says that it does not count.
    fs::remove_file(&last).unwrap();
    small().open(&path).unwrap();
}

#[test]
fn who_reads_notices_nothing_while_files_are_compressed_under_it() {
    const MORE: usize = 1200;
    let (_directory, path) = plain();
    let mut early: Vec<_> = (0..FILES).map(|_| Journal::read(&path).unwrap()).collect();
    for (n, reader) in early.iter_mut().enumerate() {
        // Each is in the middle of another file.
        assert!(reader.by_ref().map(Result::unwrap).any(|record| is_no_frame(&record) && number(&record) == 8 * n + 3));
    }
    let journal = small().compress(3).open(&path).unwrap();
    let mut following = journal.follow().unwrap();
    until_compressed(&path, FILES - 1);
    for (n, reader) in early.into_iter().enumerate() {
        let rest: Vec<_> = reader.map(Result::unwrap).filter(is_no_frame).map(|record| number(&record)).collect();
        assert_eq!(rest, (8 * n + 4..RECORDS).collect::<Vec<_>>());
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in RECORDS..MORE {
                write(&journal, n);
                if n % 100 == 0 {
                    block_on(journal.rotate()).unwrap();
                }
            }
        });
        let (start, mut seen) = (Instant::now(), 0);
        while seen < MORE && start.elapsed() < PATIENCE {
            let Some(record) = following.next_within(Duration::from_secs(1)).map(Result::unwrap) else { continue };
            if is_no_frame(&record) {
                assert_eq!(number(&record), seen);
                seen += 1;
            }
        }
        assert_eq!(seen, MORE);
    });
    assert!(packed(&path).len() >= FILES - 1);
    drop(journal);
    assert_eq!(numbers(&path), (0..MORE).collect::<Vec<_>>());
    assert_sound(&path);
}

#[test]
fn closing_waits_for_no_compression() {
    let (_directory, path) = written(0);
    let journal = audited::JournalOptions::new().reserve_bytes(0).open(&path).unwrap();
    let large: Vec<_> = (0..60_000).map(record).collect();
    large.chunks(2000).for_each(|batch| block_on(audited::AuditSink::write(&journal, batch)).unwrap());
    block_on(journal.rotate()).unwrap();
    write(&journal, 0);
    drop(journal);
    let count = files(&path).len();
    let journal = small().compress(19).open(&path).unwrap();
    drop(journal);
    assert!(files(&path).len() >= count, "it was not waited for");
    let left = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(left.filter(|path| path.extension().is_some_and(|end| end == "next")).count(), 0);
    assert_sound(&path);
}

#[cfg(target_os = "linux")]
#[test]
fn a_last_file_that_somebody_has_compressed_is_read_a_few_times_whatever_it_is_filled_with() {
    const FILL: usize = 16 << 20;
    let (_directory, path) = plain();
    let last = files(&path).pop().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    let lines = bytes.len();
    bytes.resize(lines + FILL, b'\n');
    let bytes = zstd::encode_all(bytes.as_slice(), 3).unwrap();
    put(&last.with_extension("jsonl.zst"), &bytes);
    fs::remove_file(&last).unwrap();
    let before = Journal::verify(&path).unwrap().head.unwrap();
    let read = read_by(|| {
        let journal = small().open(&path).unwrap();
        assert_eq!((journal.recovered().last_seq, journal.recovered().damage.as_ref()), (before.seq, None));
    });
    assert!(read < 20 * bytes.len() as u64, "{read} bytes of a file of {}", bytes.len());
    assert_sound(&path);
}
