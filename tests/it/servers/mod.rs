//! Real servers: each is started by its test, on a port and in a directory of its own, and is gone with it.

pub(crate) mod nats;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::{PATIENCE, eventually};

/// Below those that systems give to outgoing connections: a client that asks a dead server again and again could be
/// connected to itself, and a server that is started again could find its port taken.
const PORTS: std::ops::Range<u64> = 12_000..32_000;
/// Where servers are that are not for everybody's `PATH`.
const BESIDE_PATH: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// Describes how to start a server with a port and in a directory.
type Describe = dyn Fn(u16, &Path) -> Command + Send + Sync;

/// A server at work, with its files. It is killed when this is dropped, and also when the test process dies.
pub(crate) struct Server {
    command: Box<Describe>,
    port: u16,
    process: Option<Process>,
    directory: TempDir,
}

impl Server {
    /// Starts one that the command describes for a port and a directory, and waits until it accepts connections.
    #[track_caller]
    pub(crate) fn start(command: impl Fn(u16, &Path) -> Command + Send + Sync + 'static) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), command)
    }

    /// As [`Self::start`], in a directory that has been prepared.
    #[track_caller]
    pub(crate) fn start_in(
        directory: TempDir,
        command: impl Fn(u16, &Path) -> Command + Send + Sync + 'static,
    ) -> Self {
        let mut server = Self { command: Box::new(command), port: 0, process: None, directory };
        // Another process may be faster with a port that was free a moment ago.
        for _ in 0..3 {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        panic!("the server does not start:\n{}", server.log());
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it was started and not ended since; it may be frozen.
    #[cfg(feature = "testing")]
    pub(crate) const fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Where it has its files, and lives as long.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.stop_by(Signal::TERM);
    }

    /// Asks it to end by a signal of its own, and waits until it has.
    #[track_caller]
    pub(crate) fn stop_by(&mut self, signal: Signal) {
        let mut process = self.process.take().expect("it runs");
        process.signal(signal);
        let until = Instant::now() + PATIENCE;
        while process.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "the server does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills it and its children (SIGKILL).
    pub(crate) fn kill(&mut self) {
        drop(self.process.take());
    }

    /// Freezes it and its children (SIGSTOP): its connections stay, and nobody answers.
    #[track_caller]
    pub(crate) fn pause(&self) {
        let process = self.process.as_ref().expect("it runs");
        process.signal_all(Signal::STOP);
        // Its threads stop one after another.
        eventually("it is frozen", || is_frozen(process.child.id()));
    }

    /// Has it go on (SIGCONT).
    pub(crate) fn resume(&self) {
        self.process.as_ref().expect("it runs").signal_all(Signal::CONT);
    }

    /// Starts it again, with the same port and the same files.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.kill();
        // What is left of its connections may keep the port for a moment.
        let until = Instant::now() + PATIENCE;
        while !self.try_start() {
            assert!(Instant::now() < until, "the server does not come back:\n{}", self.log());
        }
    }

    /// Says whether it accepts connections; it is not running otherwise.
    fn try_start(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.directory.path().join("log")).unwrap();
        let mut command = (self.command)(self.port, self.directory.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut process = Process::spawn(&mut command);
        let until = Instant::now() + PATIENCE;
        while process.child.try_wait().unwrap().is_none() && Instant::now() < until {
            if TcpStream::connect_timeout(&self.address(), Duration::from_secs(1)).is_ok() {
                self.process = Some(process);
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

/// Killed when it is dropped.
struct Process {
    child: Child,
    /// Kills it when its input ends, which it does when this process is no more.
    watcher: Child,
}

impl Process {
    fn spawn(command: &mut Command) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let script = format!("cat; kill -9 {}", child.id());
        let mut watcher = Command::new("sh");
        watcher.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child, watcher: watcher.spawn().unwrap() }
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    fn signal_all(&self, signal: Signal) {
        self.signal(signal);
        for child in children_of(self.child.id()) {
            let _ = kill_process(child, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.watcher.kill();
        let _ = self.watcher.wait();
        // Its process id is its own as long as nobody has waited for it.
        if let Ok(None) = self.child.try_wait() {
            self.signal_all(Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// The path of a program.
#[track_caller]
pub(crate) fn program(name: &str, package: &str, beside_path: &[PathBuf]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = BESIDE_PATH.iter().map(PathBuf::from).chain(beside_path.iter().cloned());
    let found = std::env::split_paths(&path).chain(beside).map(|directory| directory.join(name));
    let missing = || panic!("{name} is missing: run ./test, or install it (Debian calls it {package})");
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(missing)
}

/// A port that nobody listens on, and that no other test of this process was given.
pub(crate) fn free_port() -> u16 {
    let mut taken = TAKEN.lock().unwrap();
    let taken = taken.get_or_insert_default();
    let random = RandomState::new();
    let count = PORTS.end - PORTS.start;
    let drawn = (0_u64..).map(|n| u16::try_from(PORTS.start + random.hash_one(n) % count).unwrap());
    let mut free = drawn.take(10_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.find(|port| taken.insert(*port)).expect("a free port")
}

fn is_frozen(process: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap().map(Result::unwrap);
    let mut states = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    states.all(|state| state.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T")))
}

fn children_of(process: u32) -> Vec<Pid> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}
