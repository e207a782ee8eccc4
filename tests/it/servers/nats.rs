//! `nats-server` with `JetStream`.

use std::process::Command;

use super::{Server, program};

/// Starts one of which nobody else knows.
#[track_caller]
pub(crate) fn start() -> Server {
    start_with(&[])
}

/// Starts one with further arguments.
#[track_caller]
pub(crate) fn start_with(arguments: &[&str]) -> Server {
    let program = program("nats-server", "nats-server", &[]);
    let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Server::start(move |port, directory| {
        let mut command = Command::new(&program);
        command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(directory.join("data"));
        command.args(&arguments);
        command
    })
}

#[test]
fn a_server_is_stopped_killed_paused_and_started_again() {
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpStream;
    use std::time::Duration;

    let greets = |server: &Server| {
        let connection = TcpStream::connect(server.address())?;
        connection.set_read_timeout(Some(Duration::from_millis(300)))?;
        let mut line = String::new();
        BufReader::new(connection).read_line(&mut line)?;
        Ok::<_, std::io::Error>(line.starts_with("INFO ") && line.contains("\"jetstream\":true"))
    };
    let (mut server, other) = (start(), start());
    assert_ne!(server.port(), other.port());
    assert!(greets(&server).unwrap() && greets(&other).unwrap());
    server.stop();
    assert!(greets(&server).is_err());
    server.restart();
    assert!(greets(&server).unwrap());
    server.kill();
    assert!(greets(&server).is_err());
    server.restart();
    server.pause();
    assert!(greets(&server).is_err());
    server.resume();
    crate::support::eventually("it goes on", || greets(&server).unwrap_or(false));
    let (address, directory) = (server.address(), server.directory().to_owned());
    assert!(server.log().contains("Server is ready"), "{}", server.log());
    drop(server);
    assert!(TcpStream::connect(address).is_err() && !directory.exists());
}
