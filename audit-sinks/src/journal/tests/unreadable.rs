//! A program without the feature that reads compressed files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::super::{Retention, last_begun};
use super::*;

const MENDED: &str = "audit-0000000001.jsonl.zst is compressed: build with the feature `zstd` of `audited`, or \
                      decompress it with `zstd -d`";

#[test]
fn what_cannot_be_read_is_told_and_never_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let small = options();
    let journal = small.open(&path).unwrap();
    write(&journal, 0).unwrap();
    block_on(journal.rotate()).unwrap();
    write(&journal, 1).unwrap();
    drop(journal);
    let packed = path.join("audit-0000000001.jsonl.zst");
    fs::write(&packed, "compressed, for all that this program knows").unwrap();
    fs::set_permissions(&packed, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Journal::verify(&path).unwrap().is_sound(), "the plain file is the one that counts");
    fs::remove_file(path.join("audit-0000000001.jsonl")).unwrap();
    assert_told(&Journal::read(&path).unwrap_err());
    assert_told(&Journal::verify(&path).unwrap_err());
    assert_told(&last_begun(&path).unwrap_err());
    // Records are taken: the last file is plain.
    let journal = small.open(&path).unwrap();
    write(&journal, 2).unwrap();
    assert_told(&block_on(Box::pin(journal.retain(Retention::new().total_bytes(0)))).unwrap_err());
    drop(journal);
    assert!(packed.exists());
    for n in 2..4 {
        fs::remove_file(path.join(format!("audit-{n:010}.jsonl"))).unwrap();
    }
    assert_told(&small.open(&path).unwrap_err());
}

#[track_caller]
fn assert_told(error: &dyn std::error::Error) {
    assert!(error.to_string().ends_with(MENDED), "{error}");
}
