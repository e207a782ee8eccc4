//! Whose records are read.

use super::{places, run};

#[test]
fn nobody_reads_without_saying_whose() {
    for place in places() {
        for command in ["query", "tail", "stats", "orphans", "export"] {
            let ran = place.run(&[command], &["--unrecorded"]);
            assert_eq!((ran.code, &*ran.out), (2, ""), "{}: {command}: {ran:?}", place.kind);
            assert!(ran.err.contains("whose records? Give --tenant ID"), "{}", ran.err);
        }
        let ran = place.run(&["query"], &["--unrecorded", "--all-tenants"]);
        assert_eq!((ran.code, &*ran.out), (2, ""));
        assert!(ran.err.contains("--reason"), "{}", ran.err);
        let both = place.run(&["query"], &["--tenant", "a", "--all-tenants", "--reason", "b"]);
        assert_eq!((both.code, &*both.out), (2, ""));
    }
}

#[test]
fn a_tenant_sees_its_own_and_all_tenants_are_asked_for_by_name() {
    for place in places() {
        for command in ["query", "tail", "export"] {
            let ran = place.ask(&[command, "--json"], &[]);
            assert!(!ran.out.contains("\"other\"") && ran.out.contains("\"acme\""), "{}: {ran:#?}", place.kind);
            let all = place.run(&[command, "--json"], &["--all-tenants", "--reason", "test", "--unrecorded"]);
            assert!(all.out.contains("\"other\"") && all.out.contains("\"acme\""), "{}: {all:#?}", place.kind);
        }
    }
}

#[test]
fn a_tenant_and_texts_that_are_kept_as_hashes_are_found_with_the_keys() {
    use audited::{
        Action, Actor, ActorId, AuditContext, KeyRing, Recorder, TenantId, record_action, with_recorder_sync,
    };

    let directory = tempfile::tempdir().unwrap();
    let journal = audited::Journal::open(directory.path().join("audit")).unwrap();
    let keys = KeyRing::new("2026", [7; 32]).unwrap();
    let recorder = Recorder::builder().sink(journal).keys(keys).build().unwrap();
    with_recorder_sync(recorder.clone(), || {
        let ann = Actor::user(ActorId::hash("ann"));
        let acme = AuditContext::new().tenant(TenantId::hash("acme")).actor(ann);
        record_action(Action::new("door.open")).context(acme).wait().unwrap();
    });
    recorder.shutdown(crate::support::PATIENCE).unwrap();
    let key = "07".repeat(32);
    std::fs::write(directory.path().join("keys"), format!("# of this year\n2027 {}\n2026 {key}\n", "08".repeat(32)))
        .unwrap();

    let ask = |rest: &[&str]| {
        let asked = ["query", "journal:audit", "--json", "--unrecorded"];
        run(directory.path(), &[&asked[..], rest].concat())
    };
    let found = ask(&["--tenant-hashed", "acme", "--keys", "keys", "--user", "ann", "--hashed-ids"]);
    assert_eq!((found.code, found.lines().len()), (0, 1), "{found:#?}");
    assert_eq!(ask(&["--tenant-hashed", "acme", "--keys", "keys", "--user", "bob", "--hashed-ids"]).expect(0), "");
    assert_eq!(ask(&["--tenant-hashed", "other", "--keys", "keys"]).expect(0), "");
    assert_eq!(ask(&["--tenant-hashed", "acme"]).code, 2, "it needs the keys");

    std::fs::write(directory.path().join("broken"), format!("2026 {}\n2025 s3cretkey", &key)).unwrap();
    let broken = ask(&["--tenant-hashed", "acme", "--keys", "broken"]);
    assert_eq!(broken.code, 2);
    assert!(broken.err.contains("broken, line 2: a line is the id of a key"), "{}", broken.err);
    assert!(!broken.err.contains("s3cret") && !broken.err.contains(&key), "{}", broken.err);

    std::fs::write(directory.path().join("signed"), format!("2026 {}", "+f".repeat(32))).unwrap();
    let signed = ask(&["--tenant-hashed", "acme", "--keys", "signed"]);
    assert_eq!(signed.code, 2, "a sign is no digit, and the key would be another one");
    assert!(signed.err.contains("signed, line 1"), "{}", signed.err);
}

/// Hashes are of one tenant: nothing found is not nothing there.
#[test]
fn who_looks_for_hashes_of_all_tenants_or_for_plain_ids_in_vain_is_told() {
    for place in places() {
        let all = ["--all-tenants", "--reason", "test", "--unrecorded"];
        let keys = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(keys.path(), format!("2026 {}\n", "07".repeat(32))).unwrap();
        let keys = keys.path().to_str().unwrap();
        let hashed = ["query", "--user", "nobody", "--hashed-ids", "--keys", keys];
        let ran = place.run(&hashed, &all);
        assert!(ran.err.contains("hashes are of one tenant"), "{}: {ran:#?}", place.kind);
        assert!(!ran.err.contains("may keep ids as hashes"), "{ran:#?}");
        let ran = place.run(&hashed, &["--tenant", "acme", "--unrecorded"]);
        assert!(!ran.err.contains("hashes are of one tenant"), "{}: {ran:#?}", place.kind);
        let ran = place.run(&["query", "--user", "nobody"], &["--tenant", "acme", "--unrecorded"]);
        assert!(ran.err.contains("--hashed-ids with --keys FILE"), "{}: {ran:#?}", place.kind);
    }
}
