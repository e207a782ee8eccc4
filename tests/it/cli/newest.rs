//! The newest records of a journal of many files, whatever their times say: a page is what reading everything gives, and
//! what cannot be in it is left alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use audited::{Journal, JournalOptions, Record, RecordId};
use serde_json::{Value, json};

use super::run;
use crate::contract::block_on;
use crate::listings::Listings;
use crate::stores::generate::Random;
use crate::stores::made::{id, made, moment};

/// Behind all that journals say about themselves while the test runs, or no file would be too old.
const LATER: i64 = 2_500_000_000_000_000;

/// A record that was written, and what is asked of it.
struct Written {
    id: RecordId,
    micros: i64,
    user: usize,
    /// Of an intent, whether its call has ended.
    ended: Option<bool>,
}

struct Service {
    random: Random,
    written: Vec<Written>,
    /// Calls whose end is still to be written: where the intent is.
    open: Vec<(usize, RecordId)>,
    clock: i64,
    made: u128,
}

impl Service {
    fn next_id(&mut self) -> RecordId {
        self.made += 1;
        id(self.made)
    }

    /// Mostly later than the one before; now and then long ago, or in a far future.
    fn moment(&mut self) -> i64 {
        self.clock += i64::try_from(self.random.below(3)).unwrap();
        match self.random.below(40) {
            0 => self.clock - 500,
            1 => self.clock + 300,
            _ => self.clock,
        }
    }

    fn record(&mut self) -> Record {
        let user = self.random.below(4);
        let of = |user: usize| json!({ "kind": "user", "id": format!("u-{user}") });
        let micros = self.moment();
        let keys = |id: RecordId, rest: Value| {
            let mut keys = json!({
                "id": id, "tenant": "acme", "kind": "call", "stage": "completed", "actor": of(user),
                "occurred_at": moment(micros).to_string(),
            });
            keys.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            keys
        };
        if !self.open.is_empty() && self.random.once_in(4) {
            let at = self.random.below(self.open.len());
            let (intent, call) = self.open.swap_remove(at);
            self.written[intent].ended = Some(true);
            self.written.push(Written { id: call, micros, user, ended: None });
            return made("end", keys(call, json!({})));
        }
        let id = self.next_id();
        if self.random.once_in(4) {
            let call = self.next_id();
            self.open.push((self.written.len(), call));
            self.written.push(Written { id, micros, user, ended: Some(false) });
            return made("intent", keys(id, json!({ "stage": "intent", "call": call })));
        }
        self.written.push(Written { id, micros, user, ended: None });
        made("other", keys(id, json!({})))
    }

    /// The ids that a query finds, the newest first.
    fn found(&self, user: Option<usize>, until: Option<i64>) -> Vec<String> {
        let mut found: Vec<_> = self.written.iter().filter(|written| written.ended != Some(true)).collect();
        found.retain(|written| user.is_none_or(|user| written.user == user));
        found.retain(|written| until.is_none_or(|until| written.micros < until));
        found.sort_by_key(|written| std::cmp::Reverse((written.micros, written.id)));
        found.iter().map(|written| written.id.to_string()).collect()
    }
}

/// Writes records into several files; gives where the last ones were written without their process ending the file.
fn write(directory: &Path, seed: u64) -> Service {
    let mut service =
        Service { random: Random::new(seed), written: Vec::new(), open: Vec::new(), clock: LATER, made: 0 };
    let path = directory.join("audit");
    for life in 0..3 {
        let journal = JournalOptions::new().reserve_bytes(0).preallocate(1 << 16).open(&path).unwrap();
        for _ in 0..4 {
            for _ in 0..15 {
                let record = service.record();
                block_on(audited::AuditSink::write(&journal, &[record])).unwrap();
            }
            block_on(journal.rotate()).unwrap();
        }
        let record = service.record();
        block_on(audited::AuditSink::write(&journal, &[record])).unwrap();
        if life == 1 {
            // As a process leaves it that dies.
            let copy = directory.join("copy");
            fs::create_dir(&copy).unwrap();
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).unwrap();
            for entry in fs::read_dir(&path).unwrap().map(Result::unwrap) {
                fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
            }
            drop(journal);
            fs::remove_dir_all(&path).unwrap();
            fs::rename(&copy, &path).unwrap();
        }
    }
    service
}

fn ids(out: &str) -> Vec<String> {
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    out.lines().map(id).collect()
}

#[test]
fn a_page_is_what_reading_everything_gives() {
    for seed in 0..6 {
        let directory = tempfile::tempdir().unwrap();
        let mut service = write(directory.path(), seed);
        let ask = |rest: &[&str]| {
            let words = ["query", "journal:audit", "--json", "--tenant", "acme", "--unrecorded"];
            run(directory.path(), &[&words[..], rest].concat())
        };
        for limit in [1, 3, 20, 100, 1_000] {
            let (user, until) = (service.random.below(4), service.clock - 20);
            let until_text = moment(until).to_string();
            let user_text = format!("u-{user}");
            for (rest, expected) in [
                (vec![], service.found(None, None)),
                (vec!["--user", &user_text], service.found(Some(user), None)),
                (vec!["--until", &until_text], service.found(None, Some(until))),
            ] {
                let limit_text = limit.to_string();
                let ran = ask(&[&rest[..], &["--limit", &limit_text]].concat());
                let expected = &expected[..expected.len().min(limit)];
                assert_eq!(ids(&ran.expect(0)), expected, "seed {seed}: {rest:?}, {limit}");
            }
        }
        // Page by page.
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let ran =
                ask(&[&["--limit", "7"][..], &after.iter().flat_map(|after| ["--after", after]).collect::<Vec<_>>()]
                    .concat());
            let next =
                ran.err.lines().find_map(|line| line.split_once("--after ")).map(|(_, cursor)| cursor.to_owned());
            found.extend(ids(&ran.expect(0)));
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, service.found(None, None), "seed {seed}");
    }
}

#[test]
fn files_that_are_too_old_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = JournalOptions::new().reserve_bytes(0).open(&path).unwrap();
    for micros in 0..3 {
        let keys = json!({ "tenant": "acme", "occurred_at": moment(LATER + micros).to_string() });
        block_on(audited::AuditSink::write(&journal, &[made("x", keys)])).unwrap();
        block_on(journal.rotate()).unwrap();
    }
    drop(journal);
    let newest: Vec<_> = Journal::read(&path).unwrap().files().iter().map(|file| file.happened).collect();
    let newest: Vec<_> = newest.iter().map(|file| file.map(|(_, newest)| newest)).collect();
    // Of the last one no file says it.
    let expected = [0, 1].map(|micros| Some(moment(LATER + micros)));
    assert_eq!(newest, [&expected[..], &[None]].concat());
    // Whoever reads the first file is told of the damage.
    let first = path.join("audit-0000000001.jsonl");
    fs::write(&first, fs::read_to_string(&first).unwrap().replace("acme", "acne")).unwrap();
    let ask = |rest: &[&str]| {
        let words = ["query", "journal:audit", "--json", "--tenant", "acme", "--unrecorded"];
        run(directory.path(), &[&words[..], rest].concat())
    };
    assert_eq!(ids(&ask(&["--limit", "1"]).expect(0)).len(), 1);
    assert_eq!(ids(&ask(&[]).expect(1)).len(), 2);
    let until = moment(LATER + 1).to_string();
    ask(&["--until", &until]).expect(1);
    let since = moment(LATER + 1).to_string();
    assert_eq!(ids(&ask(&["--since", &since]).expect(0)).len(), 2);
}

#[test]
fn the_directory_is_listed_no_more_often_the_more_files_there_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let options = JournalOptions::new().reserve_bytes(0).preallocate(0);
    let grow = |by: i64| {
        let journal = options.clone().open(&path).unwrap();
        for _ in 0..by {
            let keys = json!({ "tenant": "acme", "occurred_at": moment(LATER).to_string() });
            block_on(audited::AuditSink::write(&journal, &[made("x", keys)])).unwrap();
            block_on(journal.rotate()).unwrap();
        }
    };
    let listed = |words: &[&str], found: usize| {
        // A directory that has not changed for a while is listed less often: how long this takes must not matter.
        fs::File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
        let listings = Listings::of(&path);
        assert_eq!(ids(&run(directory.path(), words).expect(0)).len(), found);
        listings.count().0
    };
    let query = ["query", "journal:audit", "--json", "--tenant", "acme", "--unrecorded"];
    let tail = ["tail", "journal:audit", "--json", "--tenant", "acme", "-n", "1000", "--unrecorded"];
    grow(3);
    let few = [listed(&query, 3), listed(&tail, 3)];
    grow(30);
    let many = [listed(&query, 33), listed(&tail, 33)];
    assert!(few.iter().all(|listed| *listed > 0), "the watch sees them");
    assert_eq!(many, few);
}

#[test]
fn what_a_file_says_of_the_one_before_counts_only_where_the_next_line_vouches_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = JournalOptions::new().reserve_bytes(0).open(&path).unwrap();
    for micros in 0..2 {
        let keys = json!({ "tenant": "acme", "occurred_at": moment(LATER + micros).to_string() });
        block_on(audited::AuditSink::write(&journal, &[made("x", keys)])).unwrap();
        block_on(journal.rotate()).unwrap();
    }
    drop(journal);
    let happened = || Journal::read(&path).unwrap().files()[0].happened;
    assert!(happened().is_some());
    let second = path.join("audit-0000000002.jsonl");
    let text = fs::read_to_string(&second).unwrap();
    fs::write(&second, text.replacen(&format!("\"{}-", &moment(LATER).to_string()[..4]), "\"2001-", 1)).unwrap();
    assert_eq!(happened(), None);
}
