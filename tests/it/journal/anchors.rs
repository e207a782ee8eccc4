//! What the chain alone does not show.

use std::fs;
use std::sync::{Arc, Mutex};

use audited::{Anchored, ChainHash, Journal, JournalHead};

use super::{files, small, write, written};
use crate::contract::block_on;

#[track_caller]
fn assert_anchored(path: &std::path::Path, anchor: JournalHead, expected: Anchored) {
    let found = Journal::verify_to(path, anchor).unwrap();
    assert_eq!(found.anchored, Some(expected), "{found:?}");
    assert_eq!(found.is_sound(), expected == Anchored::Yes, "{found:?}");
}

#[test]
fn a_journal_leads_to_each_head_that_it_ever_had() {
    let (_directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    let mut heads = vec![journal.head()];
    for n in 0..10 {
        write(&journal, n);
        heads.push(journal.head());
        if n == 5 {
            block_on(journal.rotate()).unwrap();
        }
    }
    for head in &heads {
        assert_anchored(&path, *head, Anchored::Yes);
    }
    drop(journal);
    assert_eq!(Journal::verify(&path).unwrap().head.unwrap().seq, heads[10].seq + 1);
    for head in heads {
        assert_anchored(&path, head, Anchored::Yes);
    }
}

#[test]
fn an_end_that_was_cut_off_is_found() {
    let (_directory, path) = written(5);
    let head = Journal::verify(&path).unwrap().head.unwrap();
    let file = &files(&path)[0];
    let text = fs::read_to_string(file).unwrap();
    let kept: Vec<_> = text.lines().take(4).collect();
    fs::write(file, kept.join("\n") + "\n").unwrap();
    assert!(Journal::verify(&path).unwrap().is_sound(), "the chain is whole");
    assert_anchored(&path, head, Anchored::Shorter);
    assert_anchored(&path, JournalHead::new(head.stream, u64::MAX, head.hash), Anchored::Shorter);
    fs::write(file, "").unwrap();
    assert_anchored(&path, head, Anchored::Shorter);
}

#[test]
fn a_journal_that_was_written_anew_is_found() {
    let (_directory, path) = written(5);
    let head = Journal::verify(&path).unwrap().head.unwrap();
    let last = fs::read_to_string(&files(&path)[0]).unwrap();
    // Nothing follows the last line that would show that it was changed.
    fs::write(&files(&path)[0], last.replace("\"lines\":7", "\"lines\":8")).unwrap();
    assert!(Journal::verify(&path).unwrap().is_sound());
    assert_anchored(&path, head, Anchored::Different);
    let other = "0".repeat(64).parse::<ChainHash>().unwrap();
    assert_anchored(&path, JournalHead::new(head.stream, 3, other), Anchored::Different);
    let (_directory, another) = written(5);
    assert_anchored(&another, head, Anchored::OtherStream);
}

#[test]
fn an_anchor_in_a_file_that_was_removed_is_told_from_one_that_is_missed() {
    let (_directory, path) = written(5);
    let early = small().open(&path).unwrap();
    let head = early.head();
    write(&early, 5);
    block_on(early.rotate()).unwrap();
    write(&early, 6);
    let before = Journal::verify(&path).unwrap();
    drop(early);
    assert_eq!(before.first_seq, 1);
    fs::remove_file(&files(&path)[0]).unwrap();
    let anchored = |head| Journal::verify_to(&path, head).unwrap().anchored;
    // The first line that is left says what the last of the removed ones was.
    assert_eq!(anchored(JournalHead::new(head.stream, 3, head.hash)), Some(Anchored::Removed));
    assert_eq!(anchored(head), Some(Anchored::Yes));
    fs::remove_file(&files(&path)[0]).unwrap();
    assert_eq!(anchored(head), Some(Anchored::Removed));
}

#[test]
fn who_wants_to_is_told_of_each_head_that_a_file_ends_with() {
    let directory = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = told.clone();
    let options = small().on_checkpoint(move |head| {
        tells.lock().unwrap().push(head);
        panic!("as the test wants");
    });
    let journal = options.open(directory.path().join("audit")).unwrap();
    write(&journal, 0);
    block_on(journal.rotate()).unwrap();
    write(&journal, 1);
    let path = journal.path().to_owned();
    drop(journal);
    let told = told.lock().unwrap().clone();
    assert_eq!(told.iter().map(|head| head.seq).collect::<Vec<_>>(), [3, 6]);
    for head in told {
        assert_anchored(&path, head, Anchored::Yes);
    }
}
