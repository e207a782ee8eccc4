//! How the program ends, and what it says when that is not well.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use audited::{JournalError, StoreError, Unacknowledged};

use crate::output::escape_path;

/// How the program ends; scripts can tell these apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Clean,
    /// It looked, and found what should not be.
    Findings,
    /// It was asked wrongly, and has done nothing.
    Usage,
    /// Something could not be read or written.
    Unreachable,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked wrongly: what is wrong, and how to say it.
    Usage(String),
    /// Something could not be read or written: what, and how to mend it.
    Unreachable(String),
    /// What was asked for is not there.
    Missing(String),
    /// Nobody reads what is printed any more, as with `| head`: no failure at all.
    NobodyReads,
}

impl Failure {
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Missing(_) => Exit::Findings,
            Self::NobodyReads => Exit::Clean,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::Unreachable(message.into())
    }

    /// Names what could not be done, and says why as far as that can be shown.
    pub(crate) fn because(what: impl fmt::Display, error: &(dyn Error + 'static)) -> Self {
        Self::Unreachable(format!("{what}: {}", reasons(error)))
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(what: &str, path: &std::path::Path, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "it is not there".to_owned(),
            kind => kind.to_string(),
        };
        Self::Unreachable(format!("{} cannot be {what}: {why}", escape_path(path)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Unreachable(message) | Self::Missing(message) => f.write_str(message),
            Self::NobodyReads => Ok(()),
        }
    }
}

/// What was printed could not be: to a pipe that was closed, that is how it ends.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            kind => Self::Unreachable(format!("the output cannot be written: {kind}")),
        }
    }
}

/// The reasons of an error, one after the other, as far as they are texts of this framework's own or of the operating
/// system's: what a server or a library says may quote anything.
pub(crate) fn reasons(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(said) = shown(source)
            && !text.contains(&said)
            && !kind(source).is_some_and(|kind| text.contains(&kind))
        {
            text = format!("{text}: {said}");
        }
        next = source.source();
    }
    match code(error) {
        Some(means) => format!("{text}; {means}"),
        None => text,
    }
}

/// An error that is shared, such as a store's own, as what it is.
fn unshared<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    match error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(shared) => &**shared,
        None => error,
    }
}

/// What is said instead where the text of an error is not shown.
fn kind(error: &(dyn Error + 'static)) -> Option<String> {
    error.downcast_ref::<io::Error>().map(|error| error.kind().to_string())
}

fn shown(error: &(dyn Error + 'static)) -> Option<String> {
    let error = unshared(error);
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // What is not of the operating system may say anything.
        return error.raw_os_error().map(|_| error.to_string()).or_else(|| kind(error));
    }
    #[cfg(feature = "postgres")]
    if error.is::<audited::PostgresError>() {
        return Some(error.to_string());
    }
    #[cfg(feature = "sqlite")]
    if error.is::<audited::SqliteError>() {
        return Some(error.to_string());
    }
    let ours = error.is::<StoreError>()
        || error.is::<JournalError>()
        || error.is::<Unacknowledged>()
        || error.is::<audited::SinkError>();
    ours.then(|| error.to_string())
}

/// What the code of a server means, and how to mend it.
#[cfg(feature = "postgres")]
fn code(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next.map(unshared) {
        if let Some(state) = error.downcast_ref::<audited::PostgresError>().and_then(|error| error.sql_state()) {
            return Some(match state {
                "28P01" => "the password is wrong: set AUDITED_POSTGRES_PASSWORD, PGPASSWORD or a file of it",
                "28000" => "the server does not let this user in: check the user, and pg_hba.conf",
                "3D000" => "there is no such database",
                "42501" => {
                    "the role may not do that: read with the store's writer role, or record elsewhere (--record-to)"
                }
                "53300" => "the server has no connection left",
                _ => return None,
            });
        }
        next = error.source();
    }
    None
}

#[cfg(not(feature = "postgres"))]
const fn code(_: &(dyn Error + 'static)) -> Option<&'static str> {
    None
}
