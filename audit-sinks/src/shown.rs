//! What error messages show.

use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

/// A path on one line, whatever it holds.
pub(crate) struct Shown<'a>(pub(crate) &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            match c {
                '\'' | '"' | '\\' => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_debug())?,
            }
        }
        Ok(())
    }
}

/// What the operating system said. An error that it did not make may say anything; of that one only the kind is shown.
pub(crate) struct Said<'a>(pub(crate) &'a io::Error);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.raw_os_error() {
            Some(_) => self.0.fmt(f),
            None => self.0.kind().fmt(f),
        }
    }
}

/// How a path becomes one that can be opened, read and written.
pub(crate) const fn mend(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "; the directory above it must be there before",
        io::ErrorKind::PermissionDenied => "; this process must be allowed to read and write it, and its directory",
        io::ErrorKind::ReadOnlyFilesystem => "; name a path on a writable disk",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room on that disk",
        _ => "",
    }
}
