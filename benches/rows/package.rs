//! A package that a benchmark generates, and builds or runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A package in a folder of its own, with `audited` among its dependencies.
#[derive(Debug)]
pub struct Package {
    folder: PathBuf,
}

impl Package {
    /// Writes one: its name, what else its manifest says of dependencies and profiles, and its program.
    ///
    /// # Panics
    ///
    /// Where it cannot be written.
    pub fn write(folder: impl Into<PathBuf>, name: &str, manifest: &str, source: &str) -> Self {
        let (workspace, folder) = (concat!(env!("CARGO_MANIFEST_DIR"), "/.."), folder.into());
        fs::create_dir_all(folder.join("src")).expect("the folder of a package");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\naudited = {{ path = \
             {workspace:?} }}\n{manifest}\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
        fs::write(folder.join("src/main.rs"), source).expect("a source file");
        // The versions that the workspace has, so that nothing is fetched.
        fs::copy(format!("{workspace}/Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
        Self { folder }
    }

    /// The path of its program's source.
    pub fn source(&self) -> PathBuf {
        self.folder.join("src/main.rs")
    }

    /// Runs cargo on it, with a target directory that others may share, and gives what it prints.
    ///
    /// # Panics
    ///
    /// Where cargo fails: with what it says.
    pub fn cargo(&self, arguments: &[&str], target: impl Into<PathBuf>) -> String {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .arg("--quiet")
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", target.into())
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
