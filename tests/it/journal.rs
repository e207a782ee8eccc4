//! The journal's file: what is in it, what is refused, and what a crash may leave behind.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use audited::{
    Action, AuditSink, Durability, Journal, JournalDamage as Damage, JournalError, JournalOptions, Record, Recorder,
    SinkError, StoredRecord, record_action, with_recorder_sync,
};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::contract::{block_on, without_position};
use crate::crash::{ORDERS, kill, start_child, start_child_with_small_files};

fn record(n: usize) -> Record {
    Record::builder(Action::new("journal.write")).field("n", &n).build()
}

fn write(journal: &Journal, n: usize) -> Record {
    let record = record(n);
    block_on(journal.write(std::slice::from_ref(&record))).unwrap();
    record
}

/// A directory, and the path of a journal in it that holds `records`.
fn written(records: usize) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let journal = Journal::open(&path).unwrap();
    (0..records).for_each(|n| drop(write(&journal, n)));
    (directory, path)
}

fn read(path: &Path) -> Vec<StoredRecord> {
    Journal::read(path).unwrap().map(Result::unwrap).collect()
}

fn append(path: &Path, bytes: &[u8]) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// Opens what must be refused with the file left as it is.
fn refused(path: &Path) -> JournalError {
    let before = fs::read(path).unwrap();
    let error = Journal::open(path).unwrap_err();
    assert_eq!(fs::read(path).unwrap(), before);
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

fn damage(path: &Path) -> (u64, Damage) {
    match refused(path) {
        JournalError::Damaged { line, damage, .. } => (line, damage),
        other => panic!("{other}"),
    }
}

#[test]
fn a_line_is_the_record_with_its_position_in_front() {
    let (_directory, path) = written(0);
    let journal = Journal::open(&path).unwrap();
    let written: Vec<_> = (0..3).map(|n| write(&journal, n)).collect();
    let text = fs::read_to_string(&path).unwrap();
    let stream = read(&path)[0].stream().unwrap().into_owned();
    for ((line, record), seq) in text.lines().zip(&written).zip(1..) {
        assert_eq!(line, format!(r#"{{"stream":"{stream}","seq":{seq},{}"#, &record.json()[1..]));
    }
    assert!(text.ends_with("}\n") && text.lines().count() == 3);
    assert_eq!(journal.describe(), format!("journal({})", path.display()));
    assert_eq!(journal.durability(), Durability::Disk);
    assert_eq!(format!("{journal:?}"), format!("Journal {{ path: {path:?}, durability: Disk }}"));
}

#[test]
fn it_goes_on_where_it_was_left() {
    let (_directory, path) = written(3);
    for so_far in 3..6 {
        let journal = Journal::open(&path).unwrap();
        let recovered = journal.recovered();
        assert_eq!((recovered.cut_bytes, recovered.records, recovered.next_seq), (0, so_far, so_far + 1));
        write(&journal, 0);
    }
    let records = read(&path);
    assert_eq!(records.iter().map(|record| record.seq().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(records.iter().all(|record| record.stream() == records[0].stream()));
}

#[test]
fn two_journals_are_two_streams() {
    let ((_a, first), (_b, second)) = (written(1), written(1));
    assert_ne!(read(&first)[0].stream(), read(&second)[0].stream());
}

#[test]
fn only_its_user_may_read_it() {
    let (_directory, path) = written(1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    symlink(at("elsewhere"), at("dangling")).unwrap();
    fs::write(at("file"), "").unwrap();
    symlink(at("file"), at("link")).unwrap();
    let fifo = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, fifo, 0).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    for (path, expected) in [
        (at("directory"), "a directory"),
        (at("dangling"), "a symbolic link"),
        (at("link"), "a symbolic link"),
        (at("fifo"), "a FIFO"),
        (at("socket"), "a socket"),
        ("/dev/null".into(), "a device"),
    ] {
        let start = Instant::now();
        let error = Journal::open(&path).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(matches!(error, JournalError::NotAFile { found, .. } if found == expected), "{error}");
        assert!(error.to_string().starts_with(&format!("{} is {expected}, ", path.display())), "{error}");
    }
    assert!(!at("elsewhere").exists());
    assert!(matches!(Journal::read(at("fifo")), Err(JournalError::NotAFile { .. })));
}

#[test]
fn what_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing/audit.jsonl");
    let error = Journal::open(&missing).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{} could not be opened: entity not found; its directory must be there before", missing.display())
    );
    assert!(std::error::Error::source(&error).is_some());
    let error = Journal::open("/proc/self/audit.jsonl").unwrap_err();
    assert!(error.to_string().starts_with("/proc/self/audit.jsonl could not be opened: "), "{error}");
    assert!(matches!(Journal::read(&missing), Err(JournalError::Io { .. })));
    assert!(matches!(Journal::open(""), Err(JournalError::Io { .. })));
    assert!(matches!(Journal::open("a\0b"), Err(JournalError::Io { .. })));
}

#[test]
fn what_may_not_be_written_is_refused() {
    // A file that not even root may write.
    let error = refused(Path::new("/proc/sys/kernel/osrelease"));
    let JournalError::Io { source, .. } = &error else { panic!("{error}") };
    assert!(matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem), "{error}");
    assert!(error.to_string().contains("; "), "it says what to do: {error}");

    let (directory, path) = written(1);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if !rustix::process::geteuid().is_root() {
        assert!(refused(&path).to_string().contains("must be allowed"));
        let error = Journal::open(directory.path().join("other")).unwrap_err();
        assert!(error.to_string().contains("must be allowed"), "{error}");
    }
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn an_error_stays_on_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a\nb\u{202e}\u{1b}[1m");
    fs::create_dir(&path).unwrap();
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.contains("a\\nb\\u{202e}\\u{1b}[1m is a directory"), "{error}");
}

#[test]
fn it_has_one_writer_in_a_process() {
    let (_directory, path) = written(2);
    let journal = Journal::open(&path).unwrap();
    let clone = journal.clone();
    assert!(matches!(refused(&path), JournalError::Locked { .. }));
    drop(journal);
    assert!(matches!(refused(&path), JournalError::Locked { .. }));
    drop(clone);
    Journal::open(&path).unwrap();
}

#[test]
fn it_has_one_writer_among_processes() {
    let (_directory, path) = written(2);
    let mut child = start_child("journal::child", &path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "open"));
    let error = refused(&path);
    assert!(matches!(error, JournalError::Locked { .. }));
    assert!(error.to_string().contains("locked by another process"), "{error}");
    assert_eq!(read(&path).len(), 2, "reading needs no lock");
    kill(child);
    write(&Journal::open(&path).unwrap(), 2);
    assert_eq!(read(&path).len(), 3);
}

/// Holds a journal open until it is killed.
#[test]
fn child() {
    if let Some(path) = std::env::var_os(ORDERS) {
        let _journal = Journal::open(path).unwrap();
        println!("\nopen");
        thread::sleep(Duration::from_secs(45));
    }
}

#[test]
fn a_tail_cut_at_any_byte_keeps_exactly_the_whole_lines() {
    let (_directory, path) = written(3);
    let whole = fs::read(&path).unwrap();
    for length in 0..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let lines = whole[..length].split(|byte| *byte == b'\n').count() - 1;
        let end = whole[..length].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let reader: Vec<_> = read(&path);
        let recovered = Journal::open(&path).unwrap().recovered();
        assert_eq!(reader.len(), lines, "a reader needs no recovery");
        assert_eq!((recovered.cut_bytes, recovered.records), ((length - end) as u64, lines as u64), "{length}");
        assert_eq!(recovered.next_seq, lines as u64 + 1);
        assert_eq!(fs::read(&path).unwrap(), whole[..end]);
    }
}

#[test]
fn a_torn_line_is_replaced_by_the_next_record() {
    let (_directory, path) = written(3);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 10]).unwrap();
    let journal = Journal::open(&path).unwrap();
    let new = write(&journal, 7);
    let records = read(&path);
    assert_eq!(records.len(), 3);
    assert_eq!((records[2].seq(), without_position(&records[2])), (Some(3), new.json().to_owned()));
}

#[test]
fn zeros_that_a_crash_left_are_cut() {
    let (_directory, path) = written(2);
    let whole = fs::read(&path).unwrap();
    for zeros in [1, 4096, 40 << 20] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(whole.len() as u64 + zeros).unwrap();
        let recovered = Journal::open(&path).unwrap().recovered();
        assert_eq!((recovered.cut_bytes, recovered.records), (zeros, 2));
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn damage_is_located_and_left_as_it_is() {
    type Case = (fn(&mut Vec<String>), u64, fn(&Damage) -> bool);
    let cases: &[Case] = &[
        (|lines| lines[1].replace_range(.., "no record"), 2, |d| matches!(d, Damage::NotAnObject)),
        (|lines| lines[1].clear(), 2, |d| matches!(d, Damage::NotAnObject)),
        (|lines| lines[1].replace_range(.., "\"a string\""), 2, |d| matches!(d, Damage::NotAnObject)),
        (|lines| lines[1].truncate(40), 2, |d| matches!(d, Damage::NotARecord(_))),
        (|lines| lines[1].replace_range(.., "{}"), 2, |d| matches!(d, Damage::NotARecord(_))),
        (|lines| lines[1] += "\r", 2, |d| matches!(d, Damage::NotARecord(_))),
        (|lines| lines[1].insert(0, '\0'), 2, |d| matches!(d, Damage::NotAnObject)),
        (|lines| lines[4].truncate(40), 5, |d| matches!(d, Damage::NotARecord(_))),
        (|lines| drop(lines.remove(0)), 1, |d| matches!(d, Damage::Seq { expected: 1, found: Some(2) })),
        (|lines| drop(lines.remove(2)), 3, |d| matches!(d, Damage::Seq { expected: 3, found: Some(4) })),
        (|lines| lines.swap(2, 3), 3, |d| matches!(d, Damage::Seq { expected: 3, found: Some(4) })),
        (|lines| lines.insert(3, lines[2].clone()), 4, |d| matches!(d, Damage::Seq { expected: 4, found: Some(3) })),
        (|lines| lines[2] = lines[2].replace("\"seq\":3,", ""), 3, |d| matches!(d, Damage::Seq { found: None, .. })),
        (|lines| lines[2] = lines[2].replace("\"seq\"", "\"stream\""), 3, |d| matches!(d, Damage::NotARecord(_))),
        (|lines| lines[2].replace_range(11..47, &"0".repeat(36)), 3, |d| matches!(d, Damage::NoStream)),
        (|lines| lines[2] = lines[2].replace("\"stream\"", "\"other\""), 3, |d| matches!(d, Damage::NoStream)),
        (
            |lines| lines[2].replace_range(11..47, "0190163d-8694-739b-aea5-966c26f8ad91"),
            3,
            |d| matches!(d, Damage::OtherStream),
        ),
    ];
    let (_directory, path) = written(5);
    let whole: Vec<_> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    for (number, (change, line, expected)) in cases.iter().enumerate() {
        let mut lines = whole.clone();
        change(&mut lines);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let (found, damage) = damage(&path);
        assert!(found == *line && expected(&damage), "case {number}: line {found}: {damage}");
        let mut reader = Journal::read(&path).unwrap();
        assert_eq!(reader.by_ref().take_while(Result::is_ok).count() as u64, line - 1, "case {number}");
        assert!(reader.next().is_none(), "an error is the end");
    }
}

#[test]
fn damage_says_what_is_wrong_and_how_to_go_on() {
    let (_directory, path) = written(2);
    append(&path, b"secret words\n");
    let shown = path.display();
    assert_eq!(
        refused(&path).to_string(),
        format!(
            "{shown}, line 3: no JSON object stands here. The file was left as it is; move it aside as evidence, and \
             a new one is started"
        )
    );
    fs::write(&path, "\"secret\": {\n").unwrap();
    assert!(!format!("{:?}", refused(&path)).contains("secret"));
}

#[test]
fn bytes_that_are_no_text_are_damage() {
    let (_directory, path) = written(2);
    append(&path, b"{\"a\":\"\xff\"}\n");
    assert!(matches!(damage(&path), (3, Damage::NotUtf8)));
}

#[test]
fn a_line_without_an_end_is_read_no_further_than_a_record_goes() {
    let (_directory, path) = written(2);
    append(&path, &vec![b'a'; 17 << 20]);
    assert!(matches!(damage(&path), (3, Damage::TooLong { .. })));
}

#[test]
fn a_file_of_somebody_else_is_not_cut() {
    let (_directory, path) = written(2);
    append(&path, b"a note without a line break");
    assert!(matches!(damage(&path), (3, Damage::Foreign)));
    fs::write(&path, "dear diary").unwrap();
    assert!(matches!(damage(&path), (1, Damage::Foreign)));
}

#[test]
fn a_line_break_that_was_damaged_costs_no_record() {
    let (_directory, path) = written(2);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 4;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(damage(&path), (2, Damage::Foreign)));
}

#[test]
fn a_reader_follows_what_is_being_written() {
    let (_directory, path) = written(0);
    let journal = Journal::open(&path).unwrap();
    thread::scope(|scope| {
        let writing = scope.spawn(|| (0..200).for_each(|n| drop(write(&journal, n))));
        let mut seen = 0;
        while !writing.is_finished() {
            let now = read(&path).len();
            assert!(now >= seen);
            seen = now;
        }
    });
    assert_eq!(read(&path).len(), 200);
}

#[test]
fn dropping_it_writes_everything_that_was_handed_over() {
    let (_directory, path) = written(0);
    let journal = Journal::open(&path).unwrap();
    let recorder = Recorder::builder().sink(journal).build().unwrap();
    with_recorder_sync(recorder.clone(), || {
        for n in 0..500_usize {
            let mut writing = record_action(Action::new("journal.write")).field("n", &n).into_future();
            let _ = Pin::new(&mut writing).poll(&mut Context::from_waker(Waker::noop()));
        }
    });
    drop(recorder);
    // Nobody waits any more; the last of them takes the journal with it.
    let start = Instant::now();
    while matches!(Journal::open(&path), Err(JournalError::Locked { .. })) {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(read(&path).len(), 501);
}

#[test]
fn a_full_queue_refuses() {
    let directory = tempfile::tempdir().unwrap();
    let journal = JournalOptions::new().queue_bytes(4096).open(directory.path().join("audit.jsonl")).unwrap();
    let large: Vec<_> = (0..500).map(record).collect();
    let (mut taken, mut refused) = (0, 0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| block_on(journal.write(&large)))).collect();
        for writer in writers {
            match writer.join().unwrap() {
                Ok(()) => taken += 1,
                Err(SinkError::Full) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
    });
    assert!(taken > 0, "what finds nothing on its way is never too large");
    block_on(journal.flush()).unwrap();
    assert_eq!(read(journal.path()).len(), taken * 500, "{refused} were refused as a whole");
}

#[test]
fn a_write_that_fails_half_way_poisons_it_and_is_cut_when_it_is_opened_again() {
    let (_directory, path) = written(0);
    let mut child = start_child_with_small_files("journal::growing_child", &path);
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success(), "{lines:?}");
    let acknowledged = lines.iter().find_map(|line| line.strip_prefix("poisoned after ")?.parse::<u64>().ok()).unwrap();
    let before = fs::metadata(&path).unwrap().len();
    let recovered = Journal::open(&path).unwrap().recovered();
    assert!(acknowledged > 0);
    assert_eq!(recovered.records, acknowledged);
    assert_eq!(recovered.cut_bytes, before - fs::metadata(&path).unwrap().len());
    assert!(recovered.cut_bytes > 0);
}

/// Writes until the file may not grow any more.
#[test]
fn growing_child() {
    let Some(path) = std::env::var_os(ORDERS) else { return };
    let journal = Journal::open(path).unwrap();
    // 61 bytes of text, so that no line ends where the file must.
    let text = "x".repeat(61);
    let record = Record::builder(Action::new("journal.write")).fields(|fields| fields.plain("text", &text)).build();
    let write = || block_on(journal.write(std::slice::from_ref(&record)));
    let mut acknowledged = 0;
    let error = loop {
        match write() {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, SinkError::Io(source) if source.kind() == ErrorKind::FileTooLarge), "{error}");
    assert!(matches!(write(), Err(SinkError::Poisoned)));
    assert!(matches!(block_on(journal.flush()), Err(SinkError::Poisoned)));
    println!("\npoisoned after {acknowledged}");
}

#[test]
fn a_file_that_is_renamed_is_still_its_file() {
    let (_directory, path) = written(1);
    let journal = Journal::open(&path).unwrap();
    let renamed = path.with_extension("old");
    fs::rename(&path, &renamed).unwrap();
    write(&journal, 1);
    assert!(!path.exists());
    assert_eq!(read(&renamed).len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands behind the whole lines, opening never panics and never touches them.
    #[test]
    fn whatever_is_appended_the_lines_before_stay(cut in 0..3000_usize, garbage in garbage()) {
        let (_directory, path) = written(3);
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(cut);
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.extend_from_slice(&garbage);
        fs::write(&path, &bytes).unwrap();
        let readable = Journal::read(&path).unwrap().take_while(Result::is_ok).count();
        match Journal::open(&path) {
            Ok(journal) => {
                let left = fs::read(&path).unwrap();
                prop_assert!(left.len() >= whole && left == bytes[..left.len()]);
                prop_assert_eq!(journal.recovered().cut_bytes, (bytes.len() - left.len()) as u64);
                prop_assert_eq!(journal.recovered().records, readable as u64);
                write(&journal, 0);
                prop_assert_eq!(read(&path).len(), readable + 1);
            }
            Err(JournalError::Damaged { line, .. }) => {
                prop_assert_eq!(fs::read(&path).unwrap(), bytes);
                prop_assert_eq!(line, readable as u64 + 1);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'"'), Just(b'\n'), Just(0), Just(b'}')], 0..20),
        Just(br#"{"stream":"#.to_vec()),
    ]
}
