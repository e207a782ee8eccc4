//! Files that an argument or the environment names.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use crate::failure::Failure;
use crate::output::escape_path;

/// The text of a file.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    readable(path)?;
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

/// What is in a file.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    readable(path)?;
    fs::read(path).map_err(|error| Failure::file("read", path, &error))
}

/// A FIFO would be waited for without an end, and a device may have none.
fn readable(path: &Path) -> Result<(), Failure> {
    let kind = fs::metadata(path).map_err(|error| Failure::file("read", path, &error))?.file_type();
    let is = match () {
        () if kind.is_file() || is_open(path) => return Ok(()),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(Failure::unreachable(format!("{} cannot be read: it is {is}, and not a regular file", escape_path(path))))
}

/// Whether it is what a shell makes of `<(…)`: a pipe that this process was started with, and that somebody writes.
fn is_open(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") || path == Path::new("/dev/stdin")
}
