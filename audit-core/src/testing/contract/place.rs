//! A directory for one sink.

use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A directory that is empty, of this user alone, and removed when this is dropped.
pub(in crate::testing) struct Place(PathBuf);

impl Place {
    pub(in crate::testing) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("audited-contract-{}", Uuid::now_v7().simple()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    pub(in crate::testing) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
