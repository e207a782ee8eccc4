//! Whose records are read, and where it is recorded that they are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use audited::{Actor, ActorId, AuditContext, AuditStore as _, Code, KeyRing, Reader, Recorder, StoreError};
use clap::Args;

use crate::failure::Failure;
use crate::file;
use crate::location::Location;
use crate::open::{self, ServerArgs, Source};
use crate::output::{escape_path, note};

/// How long is waited for the end of the recording.
const END: Duration = Duration::from_secs(10);

/// Whose records are read, and where that is recorded.
#[derive(Args, Debug)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadingArgs {
    /// Reads the records of this tenant.
    #[arg(long, value_name = "ID", group = "scope")]
    tenant: Option<String>,
    /// Reads the records of this tenant, where they keep it as a hash. Needs `--keys`.
    #[arg(long, value_name = "ID", group = "scope", requires = "keys")]
    tenant_hashed: Option<String>,
    /// Reads the records of all tenants, and those of none. Needs `--reason`.
    #[arg(long, group = "scope", requires = "reason")]
    all_tenants: bool,
    /// Why the records of all tenants are read, in a word or two: it stands in the record of the reading.
    #[arg(long, value_name = "WHY", requires = "all_tenants")]
    reason: Option<String>,
    /// The file of the keys that hashes were made with: `id hex` a line, the current key first.
    ///
    /// With it, what is looked for stands as a hash in the record of the reading, and not as `<redacted>`.
    #[arg(long, value_name = "FILE", env = "AUDITED_KEYS", hide_env_values = true)]
    keys: Option<PathBuf>,
    /// Names the person that this is read for.
    ///
    /// The record of the reading names the user of the operating system as who did it, and this as whom it was done for.
    #[arg(long = "as", value_name = "ID")]
    on_behalf_of: Option<String>,
    /// Records the reading there: `journal:DIR`, `sqlite:FILE` or `postgres://…`.
    ///
    /// A store records what is read of it, unless this is given. A journal has one writer, the service: the reading of
    /// `journal:./audit` is recorded in a journal beside it, `./audit-reads`.
    ///
    /// Without this and `--unrecorded`, `AUDITED_RECORD_TO` counts.
    #[arg(long, value_name = "URL")]
    record_to: Option<String>,
    /// Records the reading nowhere, and says so.
    #[arg(long, conflicts_with = "record_to")]
    unrecorded: bool,
}

/// A reader, and what records what it reads.
pub(crate) struct Session {
    pub(crate) reader: Reader,
    /// Whose records it sees, for what is hashed inside of a tenant.
    pub(crate) tenant: Option<String>,
    pub(crate) keys: Option<KeyRing>,
    recorder: Option<Recorder>,
}

impl ReadingArgs {
    /// Whether records of more than one tenant may be found.
    pub(crate) const fn is_global(&self) -> bool {
        self.all_tenants
    }

    /// Opens a reader of a store.
    pub(crate) async fn open(&self, source: &Source, server: &ServerArgs) -> Result<Session, Failure> {
        let keys = self.keys.as_deref().map(read_keys).transpose()?;
        let reader = match (&self.tenant, &self.tenant_hashed, &keys) {
            (Some(tenant), ..) => source.store.tenant(tenant),
            (None, Some(tenant), Some(keys)) => source.store.tenant_hashed(keys, tenant),
            (None, None, _) if self.all_tenants => {
                source.store.global(Code::custom(self.reason.as_deref().unwrap_or_default()))
            }
            _ => {
                return Err(Failure::usage(
                    "whose records? Give --tenant ID, --tenant-hashed ID with --keys FILE, or --all-tenants --reason WHY",
                ));
            }
        };
        let recorder = self.recorder(source, server, keys.as_ref()).await?;
        let reader = match &recorder {
            Some(recorder) => reader.recorded_by(recorder.clone()),
            None => reader.unrecorded(),
        };
        let tenant = self.tenant.clone().or_else(|| self.tenant_hashed.clone());
        Ok(Session { reader, tenant, keys, recorder })
    }

    /// The person that this is read for.
    pub(crate) fn on_behalf_of(&self) -> Option<&str> {
        self.on_behalf_of.as_deref()
    }

    /// What records the reading; none where that is not wanted.
    async fn recorder(
        &self,
        source: &Source,
        server: &ServerArgs,
        keys: Option<&KeyRing>,
    ) -> Result<Option<Recorder>, Failure> {
        if self.unrecorded {
            note("nothing records this reading (--unrecorded)");
            return Ok(None);
        }
        if let Some(text) = &self.record_to {
            open::warn_of_password(text);
        }
        let elsewhere = self.record_to.clone().or_else(|| std::env::var("AUDITED_RECORD_TO").ok());
        let sink = match (elsewhere.filter(|text| !text.is_empty()), &source.sink, &source.location) {
            (Some(text), ..) => open::sink(&Location::parse(&text)?, server).await?,
            (None, Some(sink), _) => sink.clone(),
            (None, None, Location::Journal(directory)) => beside(directory)?,
            (None, None, location) => {
                return Err(Failure::usage(format!(
                    "{location} is not written: give --record-to URL, or --unrecorded"
                )));
            }
        };
        let mut recorder = Recorder::builder().sink(sink);
        if let Some(keys) = keys {
            recorder = recorder.keys(keys.clone());
        }
        let recorder = recorder.build();
        Ok(Some(recorder.map_err(|error| Failure::because("the reading cannot be recorded", &error))?))
    }
}

impl Session {
    /// Ends the recording.
    pub(crate) fn end(&self) {
        if let Some(recorder) = &self.recorder
            && recorder.shutdown(END).is_err()
        {
            note("the record of the end of this reading was not acknowledged");
        }
    }
}

/// A journal beside one that is read.
fn beside(directory: &Path) -> Result<std::sync::Arc<dyn audited::AuditSink>, Failure> {
    let failed = |what: String| {
        Failure::unreachable(format!(
            "{what}. A journal has one writer, so that its reading is recorded in one beside it: name another place \
             (--record-to URL), or do without (--unrecorded)"
        ))
    };
    let real = directory.canonicalize().map_err(|error| Failure::file("read", directory, &error))?;
    let Some(name) = real.file_name() else {
        return Err(failed(format!("nothing can be beside {}", escape_path(directory))));
    };
    let mut beside = name.to_owned();
    beside.push("-reads");
    let path = real.with_file_name(beside);
    let is_new = !path.exists();
    let journal = open::journal_options().open(&path);
    let journal = journal.map_err(|error| failed(error.to_string()))?;
    if is_new {
        note(format_args!("what is read here is recorded in {} from now on", Location::Journal(path)));
    }
    Ok(std::sync::Arc::new(journal))
}

/// Who uses the program, and for whom.
pub(crate) fn context(on_behalf_of: Option<&str>) -> AuditContext {
    let context = AuditContext::new().actor(Actor::user(ActorId::plain(user())));
    match on_behalf_of {
        Some(principal) => context.on_behalf_of(Actor::user(ActorId::plain(principal))),
        None => context,
    }
}

/// The user of the operating system, as `name@host`: whom the process runs as, whatever the environment says.
fn user() -> String {
    let name = whoami::username().unwrap_or_else(|_| "unknown".into());
    let host = whoami::hostname().unwrap_or_else(|_| "unknown".into());
    format!("{name}@{host}")
}

/// Reads keys: `id hex` a line, the current one first. No error shows any of them.
fn read_keys(path: &Path) -> Result<KeyRing, Failure> {
    let text = file::text(path)?;
    let mut ring: Option<KeyRing> = None;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let wrong = |what: &str| Failure::usage(format!("{}, line {number}: {what}", escape_path(path)));
        let key = line.split_once(char::is_whitespace).and_then(|(id, hex)| Some((id, bytes_of(hex.trim())?)));
        let (id, key) = key.ok_or_else(|| wrong("a line is the id of a key, a blank, and the key in hex"))?;
        let with = match ring {
            None => KeyRing::new(id, key),
            Some(ring) => ring.previous(id, key),
        };
        ring = Some(with.map_err(|error| wrong(&error.to_string()))?);
    }
    ring.ok_or_else(|| Failure::usage(format!("{} holds no key", escape_path(path))))
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    // A sign would be taken for a part of a number.
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// What a store answered instead of records.
pub(crate) fn refused(location: &Location, error: &StoreError) -> Failure {
    match error {
        StoreError::InvalidTenant => Failure::usage(
            "--tenant: that is what records show in place of a tenant that is hashed; give its name to --tenant-hashed",
        ),
        StoreError::InvalidQuery(error) => Failure::usage(error.to_string()),
        StoreError::InvalidCursor(error) => Failure::usage(format!("--after: {error}")),
        StoreError::Unrecorded(_) => Failure::Unreachable(format!(
            "{location}: {}. Record it elsewhere (--record-to URL), or do without (--unrecorded)",
            crate::failure::reasons(error)
        )),
        error => Failure::because(location, error),
    }
}
