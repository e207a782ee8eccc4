//! What systemd is told (`Type=notify`).

use std::os::unix::net::UnixDatagram;

/// Tells the service manager something, where one asks. Nobody else minds.
pub(super) fn notify(state: &str) {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let Ok(socket) = UnixDatagram::unbound() else { return };
    let _ = match address.to_str().and_then(|address| address.strip_prefix('@')) {
        Some(name) => to_abstract(&socket, name, state),
        None => socket.send_to(state.as_bytes(), &address).map(drop),
    };
}

#[cfg(target_os = "linux")]
fn to_abstract(socket: &UnixDatagram, name: &str, state: &str) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;

    let address = SocketAddr::from_abstract_name(name)?;
    socket.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn to_abstract(_: &UnixDatagram, _: &str, _: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
