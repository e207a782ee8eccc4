//! The same records in every place that the program reads.

use std::path::Path;
use std::process::Command;

use audited::{AuditSink, Journal, Record};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Ran, finish, program};
use crate::contract::block_on;
use crate::stores::made::{id, made, moment};

/// Where records are.
pub(crate) struct Place {
    pub(crate) kind: &'static str,
    pub(crate) url: String,
    directory: TempDir,
}

impl Place {
    /// One that is there.
    pub(crate) fn of(kind: &'static str, url: &str) -> Self {
        Self { kind, url: url.to_owned(), directory: tempfile::tempdir().unwrap() }
    }

    /// What runs the program there.
    pub(crate) fn program(&self) -> Command {
        program(self.directory())
    }

    /// Runs a command on it that reads: the words, the URL, and the rest.
    #[track_caller]
    pub(crate) fn run(&self, words: &[&str], rest: &[&str]) -> Ran {
        finish(self.program().args(words).arg(&self.url).args(rest))
    }

    /// As [`run`](Self::run), for tenant `acme`, without a record of the reading.
    #[track_caller]
    pub(crate) fn ask(&self, words: &[&str], rest: &[&str]) -> Ran {
        self.run(words, &[rest, &["--tenant", "acme", "--unrecorded"]].concat())
    }

    /// A directory for the test's own files.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Writes records there, as a service does.
    pub(crate) fn write(&self, records: &[Record]) {
        let sink = self.sink();
        block_on(sink.write(records)).unwrap();
        drop(sink);
    }

    fn sink(&self) -> Box<dyn AuditSink> {
        let path = |kind: &str| self.directory().join(self.url.strip_prefix(kind).unwrap());
        match self.kind {
            "journal" => Box::new(Journal::open(path("journal:")).unwrap()),
            #[cfg(feature = "sqlite")]
            "sqlite" => Box::new(audited::SqliteStore::open(path("sqlite:")).unwrap()),
            #[cfg(feature = "postgres")]
            "postgres" => {
                let options = audited::PostgresOptions::new(&self.url).unwrap();
                Box::new(block_on(audited::PostgresStore::connect(options)).unwrap())
            }
            kind => panic!("{kind}"),
        }
    }
}

/// An empty place of each kind.
pub(crate) fn empty() -> Vec<Place> {
    let mut places = vec![Place::of("journal", "journal:audit")];
    if cfg!(feature = "sqlite") {
        places.push(Place::of("sqlite", "sqlite:audit.db"));
    }
    #[cfg(feature = "postgres")]
    places.push(Place::of("postgres", &crate::servers::postgres::database().url("service")));
    places
}

/// A place of each kind that has the [`seeds`].
pub(crate) fn places() -> Vec<Place> {
    let places = empty();
    for place in &places {
        place.write(&seeds());
    }
    places
}

/// Records of two tenants, each with a name in its detail. The seconds of the times are those of the names.
pub(crate) fn seeds() -> Vec<Record> {
    let at = |second: i64| moment(second * 1_000_000).to_string();
    let of = |name: &str, second: i64, keys: Value| {
        let mut record =
            json!({ "id": id(u128::try_from(second).unwrap()), "tenant": "acme", "occurred_at": at(second) });
        for (key, value) in keys.as_object().unwrap() {
            record[key] = value.clone();
        }
        made(name, record)
    };
    vec![
        of("one", 1, json!({ "action": "door.open", "actor": { "kind": "user", "id": "u-17" }, "decision": "allow" })),
        of(
            "two",
            2,
            json!({ "action": "door.open", "actor": { "kind": "user", "id": "u-18" }, "outcome": null,
            "decision": "deny", "reason": "missing_scope", "severity": "warning" }),
        ),
        of(
            "three",
            3,
            json!({ "action": "account.transfer", "actor": { "kind": "service", "id": "billing" },
            "resource": { "kind": "account", "id": "42" }, "outcome": "failure", "code": "no_funds", "kind": "call",
            "subjects": [{ "kind": "user", "id": "u-17" }], "correlation_id": "req-1" }),
        ),
        of(
            "four",
            4,
            json!({ "action": "vault.open", "kind": "call", "stage": "intent", "outcome": null,
            "call": id(40) }),
        ),
        of("other", 5, json!({ "tenant": "other", "action": "door.open" })),
        of("six", 6, json!({ "action": "door.close", "detail": { "method": "card" } })),
    ]
}
