//! PostgreSQL: a cluster of its own, as an unprivileged user.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use audited::{PostgresOptions, PostgresSetUp, PostgresStore};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::{Server, program};
use crate::contract::block_on;
use crate::support::PATIENCE;

/// The user and the group `nobody`: the server does not run as root.
const NOBODY: u32 = 65_534;

/// A cluster, with a superuser `postgres`, and two who may log in: `service` is granted the writer, `auditor` the reader.
pub(crate) struct Cluster {
    server: Server,
    /// A database that is set up, to make others of.
    template: Mutex<()>,
    databases: AtomicU32,
}

/// A database that is set up.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) name: String,
    port: u16,
}

/// Starts one.
#[track_caller]
pub(crate) fn start() -> Cluster {
    start_with(&[], |_| {})
}

/// Starts one with further settings, of a directory that is prepared.
#[track_caller]
pub(crate) fn start_with(settings: &[&str], prepare: impl FnOnce(&Path)) -> Cluster {
    let directory = TempDir::with_prefix("audited-postgres-").unwrap();
    if rustix::process::getuid().is_root() {
        chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let data = directory.path().join("data");
    let mut initdb = command("initdb");
    initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]).arg(&data);
    let output = initdb.current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    prepare(&data);
    let settings: Vec<_> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let server = Server::start_in(directory, move |port, directory| {
        let mut command = command("postgres");
        command.current_dir(directory).arg("-D").arg(directory.join("data"));
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""]);
        let own = ["fsync=on", "max_connections=100", "shared_buffers=64MB", "dynamic_shared_memory_type=mmap"];
        own.into_iter().chain(settings.iter().map(String::as_str)).for_each(|setting| {
            command.args(["-c", setting]);
        });
        command
    });
    let cluster = Cluster { server, template: Mutex::new(()), databases: AtomicU32::new(0) };
    cluster.wait();
    cluster.prepare();
    cluster
}

/// The one that most tests share. What is left of it is removed when this process ends.
#[track_caller]
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| {
        let cluster = start();
        let mut cleaner = Command::new("sh");
        cleaner.args(["-c", "cat; until rm -rf \"$0\"; do sleep 0.1; done"]).arg(cluster.server.directory());
        cleaner.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its input ends with this process.
        std::mem::forget(cleaner.spawn().unwrap());
        cluster
    })
}

/// A database of the shared cluster.
#[track_caller]
pub(crate) fn database() -> Database {
    shared().database()
}

impl Cluster {
    /// A new database, set up.
    #[track_caller]
    pub(crate) fn database(&self) -> Database {
        self.create(" TEMPLATE prepared")
    }

    /// A new database, empty.
    #[track_caller]
    pub(crate) fn empty_database(&self) -> Database {
        self.create("")
    }

    #[track_caller]
    fn create(&self, template: &str) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // One at a time makes a copy.
        let _one = self.template.lock().unwrap();
        self.of("postgres").sql("postgres", &format!("CREATE DATABASE {name}{template}"));
        self.of(&name)
    }

    pub(crate) fn stop(&mut self) {
        self.server.stop_by(Signal::INT);
    }

    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    pub(crate) fn pause(&self) {
        self.server.pause();
    }

    pub(crate) fn resume(&self) {
        self.server.resume();
    }

    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.server.restart();
        self.wait();
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        self.server.log()
    }

    fn of(&self, name: &str) -> Database {
        Database { name: name.to_owned(), port: self.server.port() }
    }

    /// Waits until it answers: it accepts connections before that.
    #[track_caller]
    fn wait(&self) {
        let database = self.of("postgres");
        let until = Instant::now() + PATIENCE;
        while database.try_sql("postgres", "SELECT").is_err() {
            assert!(Instant::now() < until, "the server does not answer:\n{}", self.server.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn prepare(&self) {
        for sql in ["CREATE DATABASE prepared", "CREATE ROLE service LOGIN", "CREATE ROLE auditor LOGIN"] {
            self.of("postgres").sql("postgres", sql);
        }
        let set_up = PostgresSetUp::new().grant_writer("service").unwrap().grant_reader("auditor").unwrap();
        block_on(set_up.run(&self.of("prepared").options("postgres"))).unwrap();
    }
}

impl Database {
    /// How somebody connects.
    pub(crate) fn options(&self, user: &str) -> PostgresOptions {
        PostgresOptions::new(&self.url(user)).unwrap()
    }

    pub(crate) fn url(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// A store, as the service has it.
    #[track_caller]
    pub(crate) fn store(&self) -> PostgresStore {
        block_on(PostgresStore::connect(self.options("service"))).unwrap()
    }

    /// Runs statements, and gives the first column of what they return.
    #[track_caller]
    pub(crate) fn sql(&self, user: &str, sql: &str) -> Vec<String> {
        self.try_sql(user, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// As [`Self::sql`]; the error is the server's message.
    pub(crate) fn try_sql(&self, user: &str, sql: &str) -> Result<Vec<String>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answers = runtime.block_on(async { self.client(user).await?.simple_query(sql).await });
        let answers = answers.map_err(|error| {
            error
                .as_db_error()
                .map_or_else(|| error.to_string(), |db| format!("{}: {}", db.code().code(), db.message()))
        })?;
        let rows = answers.into_iter().filter_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                Some(row.try_get(0).ok().flatten().unwrap_or("NULL").to_owned())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// A connection, on the runtime that asks.
    pub(crate) async fn client(&self, user: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url(user), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// A program of the server. Debian keeps them out of `PATH`, the newest version last.
#[track_caller]
fn command(name: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort_by_key(|path| path.parent().and_then(|path| path.file_name()?.to_str()?.parse::<u32>().ok()));
    versions.reverse();
    let own = versions.iter().map(|path| path.join(name)).find(|path| path.is_file());
    let mut command = Command::new(own.unwrap_or_else(|| program(name, "postgresql", &[])));
    if rustix::process::getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
