//! What is no journal, or not ours alone, is refused with what to do about it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use audited::{Journal, JournalError};

use super::{files, small, written};

fn make_fifo(path: &Path) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Opens what must be refused, soon and by its name.
#[track_caller]
fn refused(path: &Path) -> JournalError {
    let start = Instant::now();
    let error = Journal::open(path).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

#[test]
fn what_is_no_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("file"), "text").unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink(at("elsewhere"), at("dangling")).unwrap();
    symlink(at("directory"), at("link")).unwrap();
    make_fifo(&at("fifo"));
    let _socket = UnixListener::bind(at("socket")).unwrap();
    for (path, expected) in [
        (at("file"), "a regular file"),
        (at("dangling"), "a symbolic link"),
        (at("link"), "a symbolic link"),
        (at("fifo"), "a FIFO"),
        (at("socket"), "a socket"),
        ("/dev/null".into(), "a device"),
    ] {
        let error = refused(&path);
        assert!(matches!(error, JournalError::NotADirectory { found, .. } if found == expected), "{error}");
        assert!(error.to_string().starts_with(&format!("{} is {expected}, ", path.display())), "{error}");
    }
    assert!(!at("elsewhere").exists());
    assert_eq!(fs::read_to_string(at("file")).unwrap(), "text");
    assert_eq!(fs::read_dir(at("directory")).unwrap().count(), 0);
}

#[test]
fn files_in_it_that_are_none_are_refused() {
    for last in [true, false] {
        for (make, expected) in [
            ((|path| symlink("/etc/passwd", path).unwrap()) as fn(&Path), "a symbolic link"),
            (make_fifo, "a FIFO"),
            (|path| fs::create_dir(path).unwrap(), "a directory"),
            (|path| drop(UnixListener::bind(path).unwrap()), "a socket"),
        ] {
            let (_directory, path) = written(1);
            let own = files(&path).remove(0);
            let foreign = path.join(if last { "audit-0000000002.jsonl" } else { "audit-0000000001.jsonl" });
            if !last {
                fs::rename(&own, path.join("audit-0000000002.jsonl")).unwrap();
            }
            make(&foreign);
            let error = refused(&path);
            assert!(matches!(error, JournalError::NotAFile { found, .. } if found == expected), "{error}");
            // A reader does not take the last one for a file that is not begun yet.
            let start = Instant::now();
            let read = Journal::read(&path).unwrap().take(10).find_map(Result::err).expect("an error");
            assert!(matches!(read, JournalError::NotAFile { .. }), "{read}");
            assert!(start.elapsed() < Duration::from_secs(5));
        }
    }
}

#[test]
fn what_stands_where_the_reserve_belongs_is_not_written_through() {
    let (directory, path) = written(1);
    let victim = directory.path().join("victim");
    fs::write(&victim, "text").unwrap();
    symlink(&victim, path.join("reserve")).unwrap();
    drop(Journal::open(&path).unwrap());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "text");
    assert!(fs::symlink_metadata(path.join("reserve")).unwrap().is_file());
}

#[test]
fn what_others_may_write_or_read_is_refused() {
    let (_directory, path) = written(1);
    for mode in [0o720, 0o702, 0o777] {
        chmod(&path, mode);
        let error = refused(&path);
        assert!(matches!(error, JournalError::Mode { mode: found, .. } if found == mode), "{error}");
        assert!(
            error.to_string().contains(&format!("mode {mode:o}")) && error.to_string().contains("chmod"),
            "{error}"
        );
    }
    chmod(&path, 0o755);
    let file = files(&path).remove(0);
    for mode in [0o604, 0o640, 0o666] {
        chmod(&file, mode);
        let error = Journal::open(&path).unwrap_err();
        assert!(matches!(&error, JournalError::Mode { path, .. } if *path == file), "{error}");
    }
    chmod(&file, 0o600);
    drop(small().open(&path).unwrap());
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    if rustix::process::geteuid().is_root() {
        let (_directory, path) = written(1);
        chown(files(&path).remove(0), Some(65534), None).unwrap();
        let error = refused(&path);
        assert!(matches!(error, JournalError::Owner { owner: 65534, ours: 0, .. }), "{error}");
        chown(&path, Some(65534), None).unwrap();
        assert!(matches!(refused(&path), JournalError::Owner { owner: 65534, .. }));
    } else {
        assert!(matches!(refused(Path::new("/")), JournalError::Owner { owner: 0, .. }));
    }
}

#[test]
fn what_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing/audit");
    let error = refused(&missing);
    let said = error.to_string();
    assert_eq!(
        said,
        format!(
            "{} could not be opened: No such file or directory (os error 2); the directory above it must be there before",
            missing.display()
        )
    );
    assert!(std::error::Error::source(&error).is_some());
    assert!(matches!(Journal::read(&missing), Err(JournalError::Io { .. })));
    assert!(matches!(Journal::verify(&missing), Err(JournalError::Io { .. })));
    assert!(matches!(Journal::open(""), Err(JournalError::Io { .. })));
    assert!(matches!(Journal::open("a\0b"), Err(JournalError::Io { .. })));
    let JournalError::Io { source, .. } = refused(Path::new("/proc/self/audit")) else { panic!("another error") };
    assert!(matches!(source.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied), "{source}");
}

#[test]
fn an_error_stays_on_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a\nb\u{202e}\u{1b}[1m");
    fs::write(&path, "").unwrap();
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.contains("a\\nb\\u{202e}\\u{1b}[1m is a regular file"), "{error}");
}
