//! The test of a workspace: the lock is what the build says.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::change::LockChange;
use super::compare::Absences;
use super::display::Report;
use super::file::{LockError, exclusively};
use super::model::Lock;
use crate::__private::debug_as_display;
use crate::catalogue::{Catalogue, catalogue};

/// Whether a lock is only checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockMode {
    /// A difference fails.
    #[default]
    Check,
    /// What can be accepted is written.
    Update,
}

impl LockMode {
    /// Reads it from the environment: `AUDIT_LOCK=update` asks for an update, which is refused where `CI` is set to
    /// anything but `false`, `0` or nothing.
    ///
    /// # Errors
    ///
    /// [`LockFailure::InCi`], and [`LockFailure::UnknownMode`] when `AUDIT_LOCK` says something else.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Result<Self, LockFailure> {
        match var("AUDIT_LOCK").unwrap_or_default().as_str() {
            "" => Ok(Self::Check),
            "update" => match var("CI").unwrap_or_default().to_ascii_lowercase().as_str() {
                "" | "0" | "false" => Ok(Self::Update),
                _ => Err(LockFailure::InCi),
            },
            other => Err(LockFailure::UnknownMode { found: other.to_owned() }),
        }
    }
}

/// A check of the sections of some packages. What `assert_locked!` does, for those who want to do it otherwise.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Lock, LockCheck, LockMode};
///
/// # let directory = std::env::temp_dir().join(format!("audited-lock-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("audit.lock");
/// # let catalogue: audited::Catalogue = serde_json::from_str(
/// #     r#"{ "actions": [{ "action": "account.open", "origin": "function", "package": "bank", "module": "bank",
/// #          "item": "open", "file": "f", "line": 1 }], "types": [], "errors": [], "exemptions": [] }"#)?;
/// let check = LockCheck::new(["bank"]);
/// check.run(&catalogue, &path, LockMode::Update)?;
/// assert!(check.run(&catalogue, &path, LockMode::Check)?.absent.is_empty());
/// assert!(Lock::read(&path)?.packages["bank"].actions.contains_key("account.open"));
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LockCheck {
    packages: Vec<String>,
    incomplete: Option<String>,
}

/// What a [`LockCheck`] that passed has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockReport {
    /// What the lock has and an incomplete build has not.
    pub absent: Vec<LockChange>,
    /// Whether the file was written.
    pub written: bool,
}

impl LockCheck {
    /// A check of these packages.
    pub fn new<S: Into<String>>(packages: impl IntoIterator<Item = S>) -> Self {
        Self { packages: packages.into_iter().map(Into::into).collect(), incomplete: None }
    }

    /// Says that the build leaves out some of what there is, and why: what is absent is reported, and kept by an update.
    #[must_use]
    pub fn incomplete(mut self, why: impl Into<String>) -> Self {
        self.incomplete = Some(why.into());
        self
    }

    /// Compares the lock with what a build records, and with [`LockMode::Update`] writes what can be accepted.
    ///
    /// # Errors
    ///
    /// [`LockFailure`] when they differ, when something that differs cannot be accepted, when the file cannot be read or
    /// written, or when nothing of a package is linked. Nothing is written then.
    pub fn run(&self, catalogue: &Catalogue, path: &Path, mode: LockMode) -> Result<LockReport, LockFailure> {
        if self.incomplete.is_none()
            && let Some(package) = self.packages.iter().find(|package| !is_linked(catalogue, package))
        {
            return Err(LockFailure::NothingLinked { package: package.clone() });
        }
        match mode {
            LockMode::Check => self.check(catalogue, path),
            LockMode::Update => exclusively(path, || self.update(catalogue, path)),
        }
    }

    fn check(&self, catalogue: &Catalogue, path: &Path) -> Result<LockReport, LockFailure> {
        let new = Lock::of(catalogue, &self.packages);
        let changes = Lock::read(path)?.changes(&new, catalogue, self.absences());
        let (absent, changes) = self.split(changes);
        if changes.is_empty() {
            Ok(LockReport { absent, written: false })
        } else {
            Err(LockFailure::Differs { path: path.to_owned(), changes })
        }
    }

    fn update(&self, catalogue: &Catalogue, path: &Path) -> Result<LockReport, LockFailure> {
        let (old, exists) = match Lock::read(path) {
            Err(LockError::Missing { .. }) => (Lock::default(), false),
            read => (read?, true),
        };
        let new = Lock::of(catalogue, &self.packages);
        let changes = old.changes(&new, catalogue, self.absences());
        let (absent, _) = self.split(changes.clone());
        let next = old
            .taking(new, changes, self.absences())
            .map_err(|changes| LockFailure::Refused { path: path.to_owned(), changes })?;
        let written = !exists || next != old;
        if written {
            next.write(path)?;
        }
        Ok(LockReport { absent, written })
    }

    fn absences(&self) -> Absences {
        if self.incomplete.is_some() { Absences::MayBeOff } else { Absences::Count }
    }

    fn split(&self, changes: Vec<LockChange>) -> (Vec<LockChange>, Vec<LockChange>) {
        changes.into_iter().partition(|change| self.incomplete.is_some() && change.is_absence())
    }
}

/// A check did not pass.
#[derive(Error)]
#[non_exhaustive]
pub enum LockFailure {
    /// The lock and the build differ.
    #[error("{} is not what this build records:\n{}", path.display(), Report(changes))]
    Differs {
        /// The file.
        path: PathBuf,
        /// What differs.
        changes: Vec<LockChange>,
    },
    /// An update would take what nobody has given a reason for, or what cannot be.
    #[error("{} was not updated:\n{}", path.display(), Report(changes))]
    Refused {
        /// The file.
        path: PathBuf,
        /// What cannot be taken.
        changes: Vec<LockChange>,
    },
    /// An update where nobody reads the diff.
    #[error(
        "`CI` is set, and in CI `AUDIT_LOCK=update` writes nothing: update on your own machine, and commit the file"
    )]
    InCi,
    /// `AUDIT_LOCK` says something unknown.
    #[error("`AUDIT_LOCK` is `{}`: there is `AUDIT_LOCK=update`, or leave it unset", found.escape_debug())]
    UnknownMode {
        /// What it says.
        found: String,
    },
    /// A package is asked for of which the binary knows nothing.
    #[error(
        "nothing of the package `{package}` is linked into this test: mend the name, or link the crate by `use {} as _;`",
        package.replace('-', "_")
    )]
    NothingLinked {
        /// The package.
        package: String,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    Lock(#[from] LockError),
}

debug_as_display!(LockFailure);

/// What the macro calls.
///
/// # Panics
///
/// When the check does not pass.
#[track_caller]
pub fn assert_locked(packages: &[&str], manifest_dir: &str, incomplete: Option<&str>, file: Option<&str>) {
    let mut check = LockCheck::new(packages.iter().copied());
    if let Some(why) = incomplete {
        check = check.incomplete(why);
    }
    // Binaries may run elsewhere than they were built; whoever runs them says where.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let built = PathBuf::from(manifest_dir);
    let package = if built.is_dir() { built } else { here.unwrap_or(built) };
    let path = file.map_or_else(|| Lock::find(&package), |file| package.join(file));
    let report = LockMode::from_env(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
        .and_then(|mode| check.run(&catalogue(), &path, mode));
    match report {
        Ok(report) if report.absent.is_empty() => {}
        Ok(report) => eprintln!("{}", absences(&report.absent, incomplete.unwrap_or_default())),
        Err(failure) => panic!("{failure}"),
    }
}

fn absences(absent: &[LockChange], why: &str) -> String {
    let mut text = format!("this build is incomplete ({why}), and has not what the lock has:");
    for change in absent {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {}: {}", change.package, change.headline());
    }
    text
}

fn is_linked(catalogue: &Catalogue, package: &str) -> bool {
    catalogue.actions.iter().any(|action| action.place.package == package)
        || catalogue.types.iter().any(|ty| ty.package == package)
        || catalogue.errors.iter().any(|error| error.package == package)
}

/// Asserts that `audit.lock` says what this package records. In a test of its own:
///
/// ```text
/// // tests/audit_lock.rs
/// use bank as _;
///
/// #[test]
/// fn audit_lock() {
///     audited::assert_locked!();
/// }
/// ```
///
/// Only what is linked is compared, so the test names the crate, and lies in a file of its own, where the names of other
/// tests are not. The lock is the nearest `audit.lock` up to the root of the workspace; `AUDIT_LOCK=update cargo test`
/// writes it, but never where `CI` is set.
///
/// | form | what is compared |
/// |---|---|
/// | `assert_locked!()` | the section of this package |
/// | `assert_locked!(packages = ["bank", "shop"])` | the sections of these packages, which are all linked into this test |
/// | `assert_locked!(incomplete = "no features")` | the same, but what is absent is reported on stderr and does not fail |
/// | `assert_locked!(file = "examples/bank/audit.lock")` | all of this binary, with a lock of its own: a path below this package |
///
/// A package has one section. Where it has several programs, examples among them, none of which records all of it, each
/// has a lock of its own.
///
/// # Panics
///
/// When they differ: with every change, what it means, and what to do.
#[macro_export]
macro_rules! assert_locked {
    ($(,)?) => {
        $crate::__private::assert_locked(&[$crate::__private::core::env!("CARGO_PKG_NAME")], $crate::__private::core::env!("CARGO_MANIFEST_DIR"), None, None)
    };
    (incomplete $(,)?) => {
        $crate::assert_locked!(incomplete = "it says so")
    };
    (incomplete = $why:expr $(,)?) => {
        $crate::__private::assert_locked(&[$crate::__private::core::env!("CARGO_PKG_NAME")], $crate::__private::core::env!("CARGO_MANIFEST_DIR"), Some($why), None)
    };
    (file = $file:expr $(,)?) => {
        $crate::__private::assert_locked(&[$crate::__private::core::env!("CARGO_PKG_NAME")], $crate::__private::core::env!("CARGO_MANIFEST_DIR"), None, Some($file))
    };
    (packages = [$($package:expr),+ $(,)?] $(,)?) => {
        $crate::__private::assert_locked(&[$($package),+], $crate::__private::core::env!("CARGO_MANIFEST_DIR"), None, None)
    };
    (packages = [$($package:expr),+ $(,)?], incomplete $(,)?) => {
        $crate::assert_locked!(packages = [$($package),+], incomplete = "it says so")
    };
    (packages = [$($package:expr),+ $(,)?], incomplete = $why:expr $(,)?) => {
        $crate::__private::assert_locked(&[$($package),+], $crate::__private::core::env!("CARGO_MANIFEST_DIR"), Some($why), None)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(lock: Option<&str>, ci: Option<&str>) -> Result<LockMode, String> {
        let var = |name: &str| if name == "CI" { ci } else { lock }.map(str::to_owned);
        LockMode::from_env(var).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_environment_says_whether_to_update() {
        assert_eq!(mode(None, Some("true")), Ok(LockMode::Check));
        assert_eq!(mode(Some(""), None), Ok(LockMode::Check));
        for ci in [None, Some(""), Some("0"), Some("false"), Some("False")] {
            assert_eq!(mode(Some("update"), ci), Ok(LockMode::Update));
        }
        for ci in ["true", "1", "yes", "woodpecker"] {
            assert!(mode(Some("update"), Some(ci)).unwrap_err().contains("writes nothing"));
        }
        assert!(mode(Some("udpate"), None).unwrap_err().contains("`udpate`"));
    }
}
