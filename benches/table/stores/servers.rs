//! Servers of the benchmark's own, on ports and in directories of their own: that of PostgreSQL is nobody's.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server, which is killed when this is dropped.
pub(super) struct Server {
    process: Child,
    url: String,
    _directory: TempDir,
}

impl Server {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn start(mut command: Command, port: u16, url: String, directory: TempDir) -> Self {
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (server, until) = (Self { process, url, _directory: directory }, Instant::now() + Duration::from_secs(30));
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the server does not accept connections");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn nats() -> Server {
    let (directory, port) = (crate::directory(), free_port());
    let mut command = Command::new(program("nats-server", &["/usr/sbin"]));
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(directory.path());
    Server::start(command, port, format!("nats://127.0.0.1:{port}"), directory)
}

pub(super) fn postgres() -> Server {
    /// Who is nobody: the server does not run as root.
    const NOBODY: u32 = 65_534;
    let (directory, port) = (crate::directory(), free_port());
    let is_root = rustix::process::getuid().is_root();
    if is_root {
        chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let versions = || std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let beside: Vec<_> = versions().map(|version| version.path().join("bin").display().to_string()).collect();
    let beside: Vec<_> = beside.iter().map(String::as_str).collect();
    let within = directory.path().to_owned();
    let run = |name: &str| {
        let mut command = Command::new(program(name, &beside));
        command.current_dir(&within);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    };
    let data = directory.path().join("data");
    let mut initdb = run("initdb");
    initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]).arg(&data);
    assert!(initdb.stdout(Stdio::null()).status().unwrap().success());
    let mut command = run("postgres");
    command.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""]);
    command.args(["-c", "max_wal_size=4GB", "-c", "shared_buffers=256MB"]);
    let mut is_ready = run("pg_isready");
    is_ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
    let server = Server::start(command, port, format!("postgres://postgres@127.0.0.1:{port}/postgres"), directory);
    // It accepts connections before it takes any.
    while !is_ready.status().unwrap().success() {
        thread::sleep(Duration::from_millis(20));
    }
    server
}

/// Finds a program in `PATH` and beside it.
fn program(name: &str, beside: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).chain(beside.iter().map(PathBuf::from)).map(|folder| folder.join(name));
    found.into_iter().find(|path| Path::is_file(path)).unwrap_or_else(|| panic!("{name} is not installed"))
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
