//! Where the server is, and how to talk to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use audit_core::Durability;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::error::PostgresError;
use super::names::Name;
use super::tls::Tls;

/// How many connections a [`PostgresStore`](super::PostgresStore) has at most, unless it is told otherwise.
pub const DEFAULT_POSTGRES_CONNECTIONS: usize = 8;
/// How long a connection may take, unless it is told otherwise.
pub const DEFAULT_POSTGRES_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement may take, unless it is told otherwise.
pub const DEFAULT_POSTGRES_STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a PostgreSQL server is, and how to talk to it.
///
/// Neither `Debug` nor any error shows a user or a password.
///
/// ```
/// # use audit_sinks as audited;
/// use std::time::Duration;
/// use audited::PostgresOptions;
///
/// let options = PostgresOptions::new("postgres://bank@db.example.org/bank")?
///     .tls()
///     .statement_timeout(Duration::from_secs(10));
/// assert_eq!(options.to_string(), "postgres(db.example.org/bank)");
/// # Ok::<(), audited::PostgresError>(())
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until a store connects"]
pub struct PostgresOptions {
    pub(super) config: Config,
    pub(super) schema: Name,
    pub(super) connections: usize,
    pub(super) connect_timeout: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) tls: Tls,
    pub(super) durability: Option<Durability>,
}

impl PostgresOptions {
    /// Takes a URL, `postgres://user@host/database`, or a connection string, `host=… user=… dbname=…`. What it may say is
    /// told by [`tokio_postgres::Config`]; `sslmode=require` is [`tls`](Self::tls).
    ///
    /// In a URL, `@`, `/`, `?`, `#` and blanks of a user, a password or a parameter are written as `%40`, `%2F`, `%3F`,
    /// `%23` and `%20`: a part of a password would be taken for a host otherwise, and be shown as such.
    ///
    /// ```
    /// # use audit_sinks as audited;
    /// use audited::PostgresOptions;
    ///
    /// assert!(PostgresOptions::new("postgres://bank:p%40ss@db.example.org/bank").is_ok());
    /// assert!(PostgresOptions::new("postgres://bank:p@ss@db.example.org/bank").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`PostgresError::Options`] when it is neither, or a URL holds such a character as it is. It shows nothing of it.
    pub fn new(address: &str) -> Result<Self, PostgresError> {
        if has_raw_characters(address) {
            const HOW: &str = "the URL is ambiguous: in a user, a password or a parameter, `@`, `/`, `?`, `#` and blanks are \
                               written as %40, %2F, %3F, %23 and %20";
            return Err(PostgresError::Options(HOW, None));
        }
        let config = address.parse::<Config>();
        let config = config
            .map_err(|error| PostgresError::Options("neither a URL nor a connection string", Some(error.into())))?;
        Ok(Self::from_config(config))
    }

    /// Takes a configuration of the client.
    pub fn from_config(config: Config) -> Self {
        Self {
            tls: Tls::of(&config),
            config,
            schema: Name::default(),
            connections: DEFAULT_POSTGRES_CONNECTIONS,
            connect_timeout: DEFAULT_POSTGRES_CONNECT_TIMEOUT,
            statement_timeout: DEFAULT_POSTGRES_STATEMENT_TIMEOUT,
            durability: None,
        }
    }

    /// Sets the schema that everything is in, `audited` otherwise.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Options`] unless it is up to 40 lower-case letters, digits and underscores.
    pub fn schema(mut self, schema: &str) -> Result<Self, PostgresError> {
        self.schema = Name::parse(schema)?;
        Ok(self)
    }

    /// Sets how many connections there are at most, two at least. Half of them write.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(2);
        self
    }

    /// Sets how long a connection may take.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long a statement may take, on the server and until its answer is here.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Talks TLS, and nothing else, to a server whose certificate the operating system trusts.
    pub fn tls(mut self) -> Self {
        self.tls = Tls::System;
        self
    }

    /// Talks TLS, and nothing else, to a server whose certificate one of these has signed, or is. They are in PEM.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Options`] when there is none, or one is malformed.
    pub fn tls_roots(mut self, pem: &[u8]) -> Result<Self, PostgresError> {
        self.tls = Tls::roots(pem)?;
        Ok(self)
    }

    /// Talks TLS, and nothing else, as a configuration of the client's says, for certificates of its own and the like.
    pub fn tls_config(mut self, config: Arc<rustls::ClientConfig>) -> Self {
        self.tls = Tls::Config(config);
        self
    }

    /// States what an acknowledgement promises, instead of asking the server. A connection to a server that promises less
    /// is refused. For stores that must start while their server is down:
    /// [`PostgresStore::connect_later`](super::PostgresStore::connect_later).
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// What the client is told; what is tried first is the first.
    pub(super) fn client_config(&self) -> Config {
        let mut config = self.config.clone();
        config.connect_timeout(self.connect_timeout);
        if config.get_application_name().is_none() {
            config.application_name("audited");
        }
        self.tls.apply(&mut config);
        config
    }
}

/// Whether a URL holds something before its last `@` that belongs to a user or a password, and ends them for a parser.
fn has_raw_characters(address: &str) -> bool {
    let is_url = ["postgres://", "postgresql://"].iter().find_map(|scheme| address.strip_prefix(scheme));
    let user_info = is_url.and_then(|rest| Some(rest.rsplit_once('@')?.0)).unwrap_or_default();
    user_info.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '/' | '?' | '#'))
}

impl fmt::Display for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.config.get_hosts().iter().map(show).collect();
        let database = self.config.get_dbname().or_else(|| self.config.get_user()).unwrap_or("?");
        let name = format!("postgres({}/{database})", if hosts.is_empty() { "?".into() } else { hosts.join(",") });
        f.write_str(&name.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), "?"))
    }
}

fn show(host: &Host) -> String {
    match host {
        Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresOptions({self})")
    }
}
