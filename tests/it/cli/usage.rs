//! Wrong inputs: each is told what is wrong and how to say it, nothing is read, and no secret is shown.

use super::{program, run};

const SECRET: &str = "s3cret-pa55";

#[test]
fn every_wrong_input_says_what_to_write() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("audit")).unwrap();
    std::fs::write(directory.path().join("audit.db"), "").unwrap();
    let of =
        |url: &'static str, rest: &[&'static str]| [&["query", url, "--tenant", "a", "--unrecorded"], rest].concat();
    let cases: &[(Vec<&str>, &str)] = &[
        (vec![], "Usage: audited"),
        (vec!["quer"], "a similar subcommand exists: 'query'"),
        (vec!["query", "--tenant", "a"], "set AUDITED_URL"),
        (of("audit", &[]), "Did you mean journal:audit?"),
        (of("audit.db", &[]), "Did you mean sqlite:audit.db?"),
        (of("nowhere", &[]), "write journal:DIR, sqlite:FILE or postgres://USER@HOST/DATABASE"),
        (of("mysql://host/db", &[]), "`mysql://host/db` does not say what it is"),
        (of("journal:", &[]), "write journal:audit"),
        (of("journal://audit", &[]), "would name a host"),
        (of("postgres:db", &[]), "is followed by `//`"),
        (of("postgres://u:a@b@host/db", &[]), "postgres://u:***@host/db: in a user, a password or a parameter, `@`"),
        (of("nats://host", &[]), "records are not found again in one"),
        (of("journal:audit", &["--since", "soon"]), "`soon` is no moment for --since: write how long ago it is (2h"),
        (of("journal:audit", &["--until", "2026-13-01"]), "is no moment for --until"),
        (
            of("journal:audit", &["--actor", "person:u"]),
            "`person` is no kind of actor: user, service, system or anonymous",
        ),
        (of("journal:audit", &["--subject", "user"]), "--subject wants a kind and an id"),
        (of("journal:audit", &["--outcome", "good"]), "[possible values: success, failure, unknown]"),
        (of("journal:audit", &["--text", "detail.method"]), "--text wants a path and a text"),
        (of("journal:audit", &["--id", "7"]), "`7` is no id of a record for --id"),
        (of("journal:audit", &["--after", "x y"]), "--after: not a cursor of this reading"),
        (of("journal:audit", &["--limit", "0"]), "0 is not in 1..=1000"),
        (of("journal:audit", &["--offset", "100001"]), "a query skips at most 100000 records"),
        (of("journal:audit", &["--hashed-ids"]), "--keys <FILE>"),
        (of("journal:audit", &["--allowed", "--denied"]), "cannot be used with"),
        (of("journal:audit", &["--from", "journal:b"]), "cannot be used with"),
        (vec!["show", "journal:audit"], "is no id of a record for ID"),
        (vec!["query", "journal:audit", "--tenant", "<redacted>", "--unrecorded"], "give its name to --tenant-hashed"),
        (
            vec!["query", "journal:audit", "--tenant", "a", "--unrecorded", "--record-to", "journal:b"],
            "cannot be used with",
        ),
    ];
    for (arguments, expected) in cases {
        let ran = run(directory.path(), arguments);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{arguments:?}: {ran:#?}");
        assert!(ran.err.contains(expected), "{arguments:?}: {expected}: {}", ran.err);
    }
}

#[test]
fn what_cannot_be_reached_is_named_and_ends_with_3() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("text"), "no database, and longer than the header of one would be".repeat(20))
        .unwrap();
    rustix::fs::chmod(directory.path().join("text"), 0o600.into()).unwrap();
    let port = 1;
    let server = format!("postgres://bank@127.0.0.1:{port}/bank");
    let mut cases = vec![
        ("journal:nowhere", "nowhere cannot be read: it is not there"),
        ("journal:text", "text is no directory, as a journal is"),
    ];
    if cfg!(feature = "sqlite") {
        cases.push(("sqlite:nowhere.db", "nowhere.db cannot be read: it is not there"));
        cases.push(("sqlite:text", "text is no SQLite database"));
    }
    if cfg!(feature = "postgres") {
        cases.push((&server, "the server cannot be reached, or the connection broke: Connection refused"));
    }
    for (url, expected) in cases {
        let ran = run(directory.path(), &["query", url, "--tenant", "a", "--unrecorded"]);
        assert_eq!((ran.code, &*ran.out), (3, ""), "{url}: {ran:#?}");
        assert!(ran.err.contains(expected), "{url}: {}", ran.err);
    }
    assert!(!directory.path().join("nowhere.db").exists(), "nothing is made by reading");
}

#[test]
fn no_password_is_ever_shown() {
    let directory = tempfile::tempdir().unwrap();
    let port = 1;
    let urls = [
        format!("postgres://bank:{SECRET}@127.0.0.1:{port}/bank"),
        format!("postgres://bank:{SECRET}@127.0.0.1:{port}/bank?nonsense=1"),
        format!("postgres://bank@127.0.0.1:{port}/bank?password={SECRET}"),
        format!("postgres://bank:a/{SECRET}?@127.0.0.1:{port}/bank"),
        format!("postgres://bank:{SECRET}@[::/bank"),
        format!("mysql://bank:{SECRET}@127.0.0.1/bank"),
        format!("nats://{SECRET}@127.0.0.1:{port}"),
        format!("postgres://bank:a b\n{SECRET}@127.0.0.1:{port}/bank"),
        format!("postgres://bank:@{SECRET} x@127.0.0.1:{port}/bank"),
        format!("postgres://bank@127.0.0.1:{port}/bank?sslmode=verify-full&password=a {SECRET}"),
        format!("postgres://bank@127.0.0.1:{port}/bank?password=a&password={SECRET}"),
        format!("mysql://127.0.0.1/bank?password=a&password={SECRET}"),
    ];
    for url in &urls {
        let ran = run(directory.path(), &["query", url, "--tenant", "a", "--unrecorded"]);
        assert!(ran.code >= 2, "{ran:#?}");
        assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{url}: {ran:#?}");
        // In the place of something else, where clap says what it does not take.
        for arguments in [
            vec!["query", "journal:a", url],
            vec!["query", "--limit", url],
            vec![url],
            vec!["query", &format!("--limit={url}")],
            vec!["query", &format!("--{url}")],
            vec!["query", "journal:.", "--tenant", "a", "--record-to", url],
        ] {
            let ran = run(directory.path(), &arguments);
            assert!(ran.code >= 2, "{ran:#?}");
            assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{arguments:?}: {ran:#?}");
        }
        let mut program = program(directory.path());
        program.env("AUDITED_URL", url).args(["query", "--tenant", "a", "--unrecorded"]);
        for arguments in [vec![], vec!["--help"], vec!["--nonsense"]] {
            let ran = super::finish(program.args(&arguments));
            assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{ran:#?}");
            assert!(!ran.err.contains("on the command line"), "it is not there: {}", ran.err);
        }
    }
    let ran = run(directory.path(), &["query", &urls[0], "--tenant", "a", "--unrecorded"]);
    assert!(ran.err.contains("a password stands on the command line"), "{}", ran.err);
}

#[cfg(feature = "postgres")]
#[test]
fn the_password_comes_from_the_environment_or_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = crate::servers::postgres::start_with(&[], |data| {
        std::fs::write(
            data.join("pg_hba.conf"),
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
        )
        .unwrap();
    });
    let database = cluster.database();
    database.sql("postgres", &format!("ALTER ROLE service PASSWORD '{SECRET}'"));
    let url = database.url("service");
    let ask = |name: &str, value: &str| {
        let mut program = program(directory.path());
        program.env(name, value).args(["query", &url, "--tenant", "a", "--unrecorded"]);
        super::finish(&mut program)
    };
    std::fs::write(directory.path().join("password"), format!("{SECRET}\n")).unwrap();
    for (name, value) in
        [("AUDITED_POSTGRES_PASSWORD", SECRET), ("PGPASSWORD", SECRET), ("AUDITED_POSTGRES_PASSWORD_FILE", "password")]
    {
        let ran = ask(name, value);
        assert_eq!((ran.code, &*ran.out), (0, "no records\n"), "{name}: {ran:#?}");
        assert!(!ran.err.contains("command line"), "{ran:#?}");
    }
    let wrong = ask("PGPASSWORD", "wrong-pa55");
    assert_eq!((wrong.code, &*wrong.out), (3, ""));
    assert!(wrong.err.contains("SQLSTATE 28P01; the password is wrong"), "{}", wrong.err);
    assert!(!wrong.err.contains("wrong-pa55"), "{}", wrong.err);
}

#[test]
fn the_url_may_be_an_argument_an_option_or_the_environment() {
    let place = super::places().remove(0);
    let rest = ["--tenant", "acme", "--unrecorded", "--denied"];
    let expected = place.run(&["query"], &rest).expect(0);
    assert_eq!(run(place.directory(), &[&["query", "--from", &place.url][..], &rest].concat()).expect(0), expected);
    let mut program = place.program();
    program.env("AUDITED_URL", &place.url).arg("query").args(rest);
    assert_eq!(super::finish(&mut program).expect(0), expected);
}

#[cfg(feature = "postgres")]
#[test]
fn whom_to_trust_is_said_by_a_file() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let directory = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let cluster = crate::servers::postgres::start_with(&["ssl=on"], |data| {
        for (name, text) in [("server.crt", &certificate), ("server.key", &key)] {
            std::fs::write(data.join(name), text).unwrap();
            rustix::fs::chmod(data.join(name), 0o600.into()).unwrap();
            chown(data.join(name), Some(std::fs::metadata(data).unwrap().uid()), None).unwrap();
        }
        let rules = "host all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
    });
    let url = cluster.database().url("service");
    std::fs::write(directory.path().join("roots.pem"), certificate).unwrap();
    let ask = |url: &str, rest: &[&str]| {
        run(directory.path(), &[&["query", url, "--tenant", "a", "--unrecorded"], rest].concat())
    };
    assert_eq!(ask(&url, &["--tls-roots", "roots.pem"]).expect(0), "no records\n");
    assert_eq!(ask(&url, &[]).code, 3, "nothing is encrypted unasked");
    let untrusted = ask(&format!("{url}?sslmode=require"), &[]);
    assert_eq!((untrusted.code, &*untrusted.out), (3, ""), "{untrusted:#?}");
    let verifying = ask(&format!("{url}?sslmode=verify-full"), &[]);
    assert_eq!(verifying.code, 2);
    assert!(verifying.err.contains("--tls-roots says whom to trust"), "{}", verifying.err);
}

#[test]
fn an_address_where_something_else_belongs_is_named_without_its_password() {
    let directory = tempfile::tempdir().unwrap();
    let address = "postgres://bank:s3cret@db/bank";
    let of_journal = ["journal:.", "--tenant", "a", "--unrecorded"];
    for (words, rest) in [
        (&["show", address][..], &of_journal[..]),
        (&["query", "--since", address], &of_journal),
        (&["query", "--keys", address], &of_journal),
        (&["query", "--id", address], &of_journal),
        (&["query", "--actor", address], &of_journal),
        (&["export", "--output", address], &of_journal),
        (&["verify", "journal:.", "--expect", address], &[]),
        (&["lock", "check", address], &[]),
        (&["catalogue", address], &[]),
        (&["doctor", "journal:.", "--lock", address], &[]),
        (&["dead-letters", "dismiss", "journal:.", "--reason", "r", "--all", "--name", address], &[]),
    ] {
        let ran = super::run(directory.path(), &[words, rest].concat());
        assert!(ran.code >= 2 && !ran.err.contains("s3cret") && ran.out.is_empty(), "{words:?}: {ran:?}");
    }
}
