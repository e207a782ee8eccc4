//! Opening what a URL names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audited::{AuditSink, AuditStore, JournalOptions, RecordId};
use clap::Args;

use crate::failure::Failure;
use crate::journal_files::{Damages, Depth, JournalFiles};
use crate::location::Location;
use crate::output::note;

/// Which records a command is about.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Source")]
pub(crate) struct SourceArgs {
    /// Where the records are: `journal:DIR`, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
    #[arg(value_name = "URL", conflicts_with = "from", help_heading = None)]
    url: Option<String>,
    /// The same as an option. Without either, `AUDITED_URL` counts.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
}

/// How a PostgreSQL server is reached, beside what its URL says.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "PostgreSQL")]
pub(crate) struct ServerArgs {
    /// The schema that the records are in.
    #[arg(long, value_name = "NAME", default_value = "audited")]
    pub(crate) schema: String,
    /// Trusts the certificates in this PEM file, and talks TLS.
    ///
    /// With `?sslmode=require` in the URL, and without this, those are trusted that the system trusts.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_roots: Option<PathBuf>,
}

/// A store, and what it is called.
pub(crate) struct Source {
    pub(crate) location: Location,
    pub(crate) store: Arc<dyn AuditStore>,
    /// The same where it can be written, too.
    pub(crate) sink: Option<Arc<dyn AuditSink>>,
    /// What was found to be damaged meanwhile; journals alone are read line by line.
    pub(crate) damages: Damages,
}

impl SourceArgs {
    /// The id of a record and where the records are, whichever of both stands first.
    pub(crate) fn beside<'a>(&'a self, first: &'a str) -> (&'a str, Self) {
        match &self.url {
            Some(second) if second.parse::<RecordId>().is_ok() => {
                (second, Self { url: Some(first.to_owned()), from: None })
            }
            _ => (first, self.clone()),
        }
    }

    /// What was named, by an argument or by `AUDITED_URL`.
    pub(crate) fn location(&self) -> Result<Location, Failure> {
        let given = self.url.as_ref().or(self.from.as_ref());
        let Some(text) = given.cloned().or_else(|| std::env::var("AUDITED_URL").ok()).filter(|text| !text.is_empty())
        else {
            return Err(Failure::usage(
                "nothing says where the records are: name journal:DIR, sqlite:FILE or postgres://USER@HOST/DATABASE, or set \
                 AUDITED_URL",
            ));
        };
        if given.is_some() {
            warn_of_password(&text);
        }
        Location::parse(&text)
    }

    pub(crate) async fn open(&self, server: &ServerArgs) -> Result<Source, Failure> {
        store(self.location()?, server, Depth::All).await
    }

    /// As [`open`](Self::open), for the newest records alone.
    pub(crate) async fn open_newest(&self, server: &ServerArgs) -> Result<Source, Failure> {
        store(self.location()?, server, Depth::Newest).await
    }
}

/// Says so where a command line holds a password: everybody on the machine can read it there.
pub(crate) fn warn_of_password(text: &str) {
    if Location::has_password(text) {
        note(
            "a password stands on the command line, where everybody on this machine can read it: set \
             AUDITED_POSTGRES_PASSWORD, or AUDITED_URL, instead",
        );
    }
}

/// Opens what records are read from. Nothing is created.
pub(crate) async fn store(location: Location, server: &ServerArgs, depth: Depth) -> Result<Source, Failure> {
    let damages = Damages::default();
    let (store, sink): (Arc<dyn AuditStore>, _) = match &location {
        Location::Journal(path) => (Arc::new(JournalFiles::open(path, depth, damages.clone())?), None),
        Location::Sqlite(path) => sqlite(path).map(|(store, sink)| (store, Some(sink)))?,
        Location::Postgres(url) => postgres(url, server).await.map(|(store, sink)| (store, Some(sink)))?,
        Location::Nats(_) => {
            return Err(Failure::usage(format!(
                "{location} is a stream, and records are not found again in one: name the store that it fills"
            )));
        }
    };
    Ok(Source { location, store, sink, damages })
}

/// Opens what records are written to.
pub(crate) async fn sink(location: &Location, server: &ServerArgs) -> Result<Arc<dyn AuditSink>, Failure> {
    Ok(match location {
        Location::Journal(path) => journal(path)?,
        Location::Sqlite(path) => sqlite(path)?.1,
        Location::Postgres(url) => postgres(url, server).await?.1,
        Location::Nats(_) => {
            return Err(Failure::usage(format!(
                "{location}: this command does not write to NATS; name a journal, or a store"
            )));
        }
    })
}

/// A store, which is read and written.
type Opened = (Arc<dyn AuditStore>, Arc<dyn AuditSink>);

/// How large a file becomes that this program writes. All of the last one is read each time.
const SEGMENT_BYTES: u64 = 1 << 20;

/// How this program writes a journal: small, without room kept on the disk, in the file that it wrote last, and beside that
/// of another process where one has the directory.
pub(crate) fn journal_options() -> JournalOptions {
    JournalOptions::new().reserve_bytes(0).segment_bytes(SEGMENT_BYTES).continue_last_file().or_own_stream()
}

fn journal(path: &Path) -> Result<Arc<dyn AuditSink>, Failure> {
    let journal =
        journal_options().open(path).map_err(|error| Failure::because("the journal cannot be written", &error))?;
    Ok(Arc::new(journal))
}

#[cfg(feature = "sqlite")]
fn sqlite(path: &Path) -> Result<Opened, Failure> {
    // Opening a store makes one where there is none.
    std::fs::symlink_metadata(path).map_err(|error| Failure::file("read", path, &error))?;
    // Whoever waits at a terminal knows when it has taken too long.
    let store = audited::SqliteOptions::new().query_time_limit(std::time::Duration::MAX).open(path);
    let store = Arc::new(store.map_err(|error| Failure::because("the store cannot be opened", &error))?);
    Ok((store.clone(), store))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &Path) -> Result<Opened, Failure> {
    Err(lacking("SQLite", "sqlite"))
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str, server: &ServerArgs) -> Result<Opened, Failure> {
    let options = postgres_options(url, server)?;
    let store = audited::PostgresStore::connect(options).await;
    let store = Arc::new(store.map_err(|error| Failure::because(Location::Postgres(url.to_owned()), &error))?);
    Ok((store.clone(), store))
}

/// What is asked of a server: the URL, and the password of the environment where the URL has none.
#[cfg(feature = "postgres")]
pub(crate) fn postgres_options(url: &str, server: &ServerArgs) -> Result<audited::PostgresOptions, Failure> {
    use audited::PostgresOptions;

    let invalid = |error: &audited::PostgresError| {
        Failure::usage(format!(
            "{error}: write postgres://USER@HOST:5432/DATABASE; behind a `?`, sslmode is disable, prefer or require, and \
             --tls-roots says whom to trust"
        ))
    };
    let secret = if Location::has_password(url) { None } else { password()? };
    let url = match secret {
        Some(password) => {
            let separator = if url.contains('?') { '&' } else { '?' };
            format!("{url}{separator}password={}", percent_encoded(&password))
        }
        None => url.to_owned(),
    };
    let mut options = PostgresOptions::new(&url).map_err(|error| invalid(&error))?;
    options = options
        .schema(&server.schema)
        .map_err(|error| Failure::usage(format!("--schema {}: {error}", crate::output::escape(&server.schema))))?;
    if let Some(path) = &server.tls_roots {
        let pem = crate::file::bytes(path)?;
        options =
            options.tls_roots(&pem).map_err(|error| Failure::because(crate::output::escape_path(path), &error))?;
    }
    Ok(options)
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "it is awaited where there is something to connect to")]
async fn postgres(_: &str, _: &ServerArgs) -> Result<Opened, Failure> {
    Err(lacking("PostgreSQL", "postgres"))
}

#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "nats")))]
pub(crate) fn lacking(what: &str, feature: &str) -> Failure {
    Failure::usage(format!("this program was built without {what}: cargo install audited --features cli,{feature}"))
}

/// The password of the environment: `AUDITED_POSTGRES_PASSWORD`, the first line of `AUDITED_POSTGRES_PASSWORD_FILE`, or
/// `PGPASSWORD`.
#[cfg(feature = "postgres")]
fn password() -> Result<Option<String>, Failure> {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(password) = of("AUDITED_POSTGRES_PASSWORD") {
        return Ok(Some(password));
    }
    if let Some(path) = of("AUDITED_POSTGRES_PASSWORD_FILE") {
        let text = crate::file::text(Path::new(&path))?;
        return Ok(text.lines().next().map(str::to_owned));
    }
    Ok(of("PGPASSWORD"))
}

#[cfg(feature = "postgres")]
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;

    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    })
}
