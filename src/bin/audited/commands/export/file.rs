//! A file that is there whole or not at all.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::output::escape_path;

/// A file that nobody else may read. Until it is finished it has another name, and is removed where that never comes.
pub(super) struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
    replaces: bool,
}

impl NewFile {
    pub(super) fn begin(path: &Path, replaces: bool) -> Result<Self, Failure> {
        if !replaces && path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        let file = tempfile::Builder::new()
            .prefix(".audited-export-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(directory(path));
        let file = file.map_err(|error| Failure::file("written", path, &error))?;
        Ok(Self { file, path: path.to_owned(), replaces })
    }

    pub(super) fn writer(&mut self) -> impl Write {
        self.file.as_file_mut()
    }

    /// Syncs it, and gives it its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self { file, path, replaces } = self;
        let failed = |error| Failure::file("written", &path, &error);
        file.as_file().sync_all().map_err(failed)?;
        let named = if replaces { file.persist(&path) } else { file.persist_noclobber(&path) };
        named.map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => taken(&path),
            _ => Failure::file("written", &path, &error.error),
        })?;
        File::open(directory(&path)).and_then(|directory| directory.sync_all()).map_err(failed)
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn taken(path: &Path) -> Failure {
    Failure::usage(format!("{} is there already: name another file, or replace it (--force)", escape_path(path)))
}
