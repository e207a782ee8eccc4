//! `audited verify`: what is wrong, where, and what is proved all the same.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::run;
use crate::contract::block_on;
use crate::journal::{files, small, write, written};

/// A journal `audit` of seven lines, and the directory that it is in.
fn journal() -> (TempDir, PathBuf) {
    written(5)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let file = &files(path)[0];
    let mut lines: Vec<_> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(file, lines.join("\n") + "\n").unwrap();
}

#[test]
fn a_sound_journal_ends_it_with_0_and_its_head_can_be_kept() {
    let (directory, path) = journal();
    let head = run(directory.path(), &["verify", "journal:audit", "--head"]).expect(0);
    let (stream, rest) = head.trim_end().split_once(':').unwrap();
    let (seq, hash) = rest.split_once(':').unwrap();
    assert_eq!((stream.len(), seq, hash.len()), (36, "7", 64));
    let out = run(directory.path(), &["verify", "journal:audit"]).expect(0);
    assert!(out.starts_with("journal:audit: 7 lines, 1 file, seq 1 to 7\nintact: "), "{out}");
    assert!(out.contains(&format!("\nhead: {head}")), "{out}");
    for expected in [head.trim_end(), rest] {
        let out = run(directory.path(), &["verify", "journal:audit", "--expect", expected]).expect(0);
        assert!(out.contains("it leads to the head that was kept"), "{out}");
    }
    // It goes on, and a service writes it meanwhile.
    let service = small().open(&path).unwrap();
    write(&service, 9);
    let out = run(directory.path(), &["verify", "journal:audit", "--expect", rest]).expect(0);
    assert!(out.contains("10 lines") || out.contains("9 lines"), "{out}");
    block_on(service.rotate()).unwrap();
}

#[test]
fn each_kind_of_damage_is_named_with_its_line_and_what_is_proved() {
    type Change = fn(&mut Vec<String>);
    let cases: &[(Change, u64, &str, &str)] = &[
        (
            |lines| lines[2] = lines[2].replace("\"n\":1", "\"n\":2"),
            4,
            "the hash of the line before is not the one that stands here",
            "seq 1 to 2, from the beginning of the stream; no line vouches for seq 3",
        ),
        (
            |lines| drop(lines.remove(2)),
            3,
            "the record with seq 3 belongs here, and the one with seq 4 stands here",
            "seq 1, from the beginning of the stream; no line vouches for seq 2",
        ),
        (
            |lines| lines.swap(2, 3),
            3,
            "the record with seq 3 belongs here",
            "seq 4 stands alone: no line vouches for it",
        ),
        (
            |lines| lines.insert(3, "a note".into()),
            4,
            "no line of a journal stands here",
            "seq 1 to 6, from the beginning",
        ),
        (|lines| lines[4].truncate(70), 5, "no line of a journal stands here", "seq 1 to 3, from the beginning"),
        (|lines| drop(lines.remove(0)), 1, "the lines before seq 2 are gone", "seq 2 to 6"),
    ];
    for (at, (damage, line, what, proved)) in cases.iter().enumerate() {
        let (directory, path) = journal();
        change(&path, damage);
        let out = run(directory.path(), &["verify", "journal:audit"]).expect(1);
        let first = out.lines().find(|line| line.starts_with("damaged")).unwrap_or_else(|| panic!("case {at}: {out}"));
        assert!(
            first.starts_with(&format!("damaged: audit-0000000001.jsonl, line {line}: {what}")),
            "case {at}: {out}"
        );
        let proof = out.split_once("proved all the same:").unwrap_or_else(|| panic!("case {at}: {out}")).1;
        assert!(proof.contains(proved), "case {at}: {out}");
        let json = run(directory.path(), &["verify", "journal:audit", "--json"]).expect(1);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["sound"], &json["damage"][0]["line"]), (&false.into(), &(*line).into()), "case {at}: {json}");
        assert!(json["intact"][0]["first_seq"].is_u64(), "case {at}: {json}");
    }
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let (directory, path) = journal();
    let file = &files(&path)[0];
    let whole = fs::read(file).unwrap();
    // For the last line nothing vouches.
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    for at in (0..last).step_by(last / 12) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(file, bytes).unwrap();
        let out = run(directory.path(), &["verify", "journal:audit"]).expect(1);
        assert!(out.contains("damaged: ") || out.contains("no line yet"), "at {at}: {out}");
    }
}

#[test]
fn a_head_that_was_kept_shows_what_the_chain_does_not() {
    let (directory, path) = journal();
    let head = run(directory.path(), &["verify", "journal:audit", "--head"]).expect(0);
    let rest = head.trim_end().split_once(':').unwrap().1;
    change(&path, |lines| lines.truncate(5));
    let out = run(directory.path(), &["verify", "journal:audit"]).expect(0);
    assert!(out.contains("only a head shows that was kept elsewhere"), "{out}");
    let out = run(directory.path(), &["verify", "journal:audit", "--expect", rest]).expect(1);
    assert!(out.contains("its end was cut off"), "{out}");
    let (other, _) = journal();
    let out = run(other.path(), &["verify", "journal:audit", "--expect", rest]).expect(1);
    assert!(out.contains("it was written anew"), "{out}");
    let ran = run(other.path(), &["verify", "journal:audit", "--expect", head.trim_end()]);
    assert!(ran.err.contains("is of none of these streams"), "{ran:?}");
    ran.expect(1);
}

#[test]
fn what_cannot_be_read_or_is_asked_wrongly_is_told_apart() {
    let (directory, path) = journal();
    let dir = directory.path();
    fs::write(dir.join("file"), "").unwrap();
    for (arguments, code, says) in [
        (&["verify", "journal:none"][..], 3, "none"),
        (&["verify", "journal:file"], 3, "file"),
        (&["verify", "sqlite:none.db"], 3, "none.db"),
        (&["verify", "journal:audit", "--expect", "7"], 2, "`7` is no head: write SEQ:HASH"),
        (&["verify", "sqlite:file", "--head"], 2, "only a journal is a chain"),
        (&["verify"], 2, "nothing says where the records are"),
        (&["verify", "nats://127.0.0.1:4222/AUDIT"], 2, "name the journal that it comes from"),
    ] {
        let ran = run(dir, arguments);
        assert!(ran.err.contains(says), "{arguments:?}: {ran:?}");
        ran.expect(code);
    }
    // A file that is no regular one is not followed.
    fs::remove_file(&files(&path)[0]).unwrap();
    std::os::unix::fs::symlink(dir.join("file"), path.join("audit-0000000001.jsonl")).unwrap();
    let ran = run(dir, &["verify", "journal:audit"]);
    assert!(ran.err.contains("is a symbolic link"), "{ran:?}");
    ran.expect(3);
}

#[test]
fn the_streams_below_are_verified_too() {
    let (directory, path) = journal();
    let service = small().open(&path).unwrap();
    let second = small().or_own_stream().open(&path).unwrap();
    write(&second, 1);
    let below = second.path().to_owned();
    drop((second, service));
    run(directory.path(), &["verify", "journal:audit"]).expect(0);
    change(&below, |lines| drop(lines.remove(1)));
    let out = run(directory.path(), &["verify", "journal:audit"]).expect(1);
    assert!(out.contains("stream-") && out.contains("damaged: "), "{out}");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_store_in_a_file_is_checked_and_left_as_it_is() {
    use audited::{AuditSink as _, SqliteStore};
    use serde_json::json;

    use crate::stores::made::made;

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("audit.db");
    let store = SqliteStore::open(&file).unwrap();
    block_on(store.write(&[made("a", json!({})), made("b", json!({ "tenant": "acme" }))])).unwrap();
    drop(store);
    let out = run(directory.path(), &["verify", "sqlite:audit.db"]).expect(0);
    assert!(out.contains("sqlite:audit.db: 2 records\nsound: ") && out.contains("a store does not show"), "{out}");
    let connection = rusqlite::Connection::open(&file).unwrap();
    let sql = "DROP TRIGGER audit_records_no_update; UPDATE audit_records SET tenant = 'other' WHERE position = 2;";
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let before = fs::read(&file).unwrap();
    let out = run(directory.path(), &["verify", "sqlite:audit.db"]).expect(1);
    assert!(out.contains("audit_records_no_update is missing") && out.contains("at position 2 differs"), "{out}");
    assert!(out.contains("2 records"), "{out}");
    assert!(fs::read(&file).unwrap() == before, "it is not changed");
    let json: Value =
        serde_json::from_str(&run(directory.path(), &["verify", "sqlite:audit.db", "--json"]).expect(1)).unwrap();
    assert_eq!((&json["damages"], &json["records"]), (&2.into(), &2.into()), "{json}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_store_in_a_server_is_checked_against_its_keys() {
    use audited::AuditSink as _;
    use serde_json::json;

    use crate::servers::postgres::database;
    use crate::stores::made::{made, placed};

    let database = database();
    let store = database.store();
    let hostile =
        json!({ "tenant": "a\u{0}b", "subjects": [{ "kind": "user", "id": "u" }, { "kind": "x", "id": "\u{1}" }] });
    let records = [made("a", json!({})), made("b", hostile), placed(&made("c", json!({})), "s", 7)];
    block_on(store.write(&records)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = database.url("service");
    let out = run(directory.path(), &["verify", &url]).expect(0);
    assert!(out.contains("3 records\nsound: "), "{out}");
    let id = records[0].id().unwrap();
    for sql in [
        "ALTER TABLE audited.records DISABLE TRIGGER USER",
        "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audited.records'::regclass LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t); END LOOP; END $$",
        &format!("UPDATE audited.records SET record = replace(record, '\"name\":\"a\"', '\"name\":\"z\"') WHERE id = '{id}'"),
        "UPDATE audited.records SET tenant = 'other' WHERE record LIKE '%\"b\"%'",
        "INSERT INTO audited.records (micros, id, action, record) SELECT micros, gen_random_uuid(), action, record FROM audited.records WHERE record LIKE '%\"c\"%'",
    ] {
        database.sql("postgres", sql);
    }
    let out = run(directory.path(), &["verify", &url]).expect(1);
    assert!(out.contains(&format!("beside record {id} stands another digest")), "{out}");
    assert!(out.contains("stands another tenant"), "{out}");
    assert!(out.contains("has no key: the store has not written it"), "{out}");
    database.sql("postgres", &format!("DELETE FROM audited.records WHERE id = '{id}'"));
    let out = run(directory.path(), &["verify", &url]).expect(1);
    assert!(out.contains("1 keys are of records that are not there any more"), "{out}");
}
