//! How to reach a stream, and what to ask of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr};
use audit_core::AuditSink;

use super::error::NatsError;
use super::feed::NatsFeedBuilder;
use super::stream::{LONGEST, Wanted};
use super::subject::{is_plain, subject, subjects_of};
use super::{NatsSink, link::Link, tls};

/// How many records a [`NatsSink`] has on their way at most.
pub const DEFAULT_NATS_WINDOW_RECORDS: usize = 1024;

/// How many bytes a [`NatsSink`] has on their way at most.
pub const DEFAULT_NATS_WINDOW_BYTES: usize = 8 << 20;

/// For how long a stream must know which messages it has.
pub const DEFAULT_NATS_DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// How to reach a `JetStream` stream, and what to ask of it: for a [`NatsSink`], and for a [`NatsFeed`](crate::NatsFeed).
///
/// No credential is in `Debug`, in a description or in an error.
#[derive(Clone)]
#[must_use = "options do nothing until `connect`"]
pub struct NatsOptions {
    servers: Vec<String>,
    pub(super) wanted: Wanted,
    credentials: Credentials,
    require_tls: bool,
    roots: Vec<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
    pub(super) window_records: usize,
    pub(super) window_bytes: usize,
    pub(super) connect_within: Duration,
    pub(super) answer_within: Duration,
    pub(super) check_every: Duration,
}

#[derive(Clone)]
enum Credentials {
    None,
    Token(String),
    Password(String, String),
    NKey(String),
    File(PathBuf),
    Text(String),
}

impl NatsOptions {
    /// Begins with one server, such as `nats://127.0.0.1:4222` or `tls://nats.example.org`, and the name of the stream.
    pub fn new(server: impl Into<String>, stream: impl Into<String>) -> Self {
        Self {
            servers: vec![server.into()],
            wanted: Wanted {
                stream: stream.into(),
                prefix: "audit".to_owned(),
                create: false,
                replicas: 1,
                duplicate_window: DEFAULT_NATS_DUPLICATE_WINDOW,
                allow_memory: false,
                allow_forgetting: false,
                syncs_always: false,
            },
            credentials: Credentials::None,
            require_tls: false,
            roots: Vec::new(),
            identity: None,
            window_records: DEFAULT_NATS_WINDOW_RECORDS,
            window_bytes: DEFAULT_NATS_WINDOW_BYTES,
            connect_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(5),
            check_every: Duration::from_secs(30),
        }
    }

    /// Adds a server of the same cluster.
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.servers.push(server.into());
        self
    }

    /// Sets what the subjects begin with, `PREFIX.<tenant>.<action>`; otherwise `audit`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.wanted.prefix = prefix.into();
        self
    }

    /// Authenticates with a token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.credentials = Credentials::Token(token.into());
        self
    }

    /// Authenticates with a user and a password.
    pub fn user_and_password(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Credentials::Password(user.into(), password.into());
        self
    }

    /// Authenticates with an `NKey`: its seed, which stays here and signs.
    pub fn nkey(mut self, seed: impl Into<String>) -> Self {
        self.credentials = Credentials::NKey(seed.into());
        self
    }

    /// Authenticates with a credentials file, which is read when the connection is made.
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.credentials = Credentials::File(path.into());
        self
    }

    /// Authenticates with the text of a credentials file.
    pub fn credentials(mut self, text: impl Into<String>) -> Self {
        self.credentials = Credentials::Text(text.into());
        self
    }

    /// Refuses servers without TLS, as an address that begins with `tls://` does, and certificates that are set below.
    ///
    /// The certificates of the system are trusted, or those of [`Self::root_certificates`]. TLS is rustls, on `ring`.
    pub fn require_tls(mut self) -> Self {
        self.require_tls = true;
        self
    }

    /// Trusts the certificates of this PEM file, and not those of the system.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots.push(path.into());
        self
    }

    /// Shows a certificate to the server: PEM files of the chain and of its key.
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Sets how many records and bytes are on their way at most; otherwise [`DEFAULT_NATS_WINDOW_RECORDS`] and
    /// [`DEFAULT_NATS_WINDOW_BYTES`]. Whoever writes more waits. A larger record goes alone.
    pub fn window(mut self, records: usize, bytes: usize) -> Self {
        self.window_records = records.clamp(1, u32::MAX as usize >> 4);
        self.window_bytes = bytes.clamp(1, u32::MAX as usize >> 4);
        self
    }

    /// Sets how long [`Self::connect`] waits; otherwise 5 seconds.
    pub fn connect_within(mut self, within: Duration) -> Self {
        self.connect_within = within;
        self
    }

    /// Sets how long the server has to answer; otherwise 5 seconds. A record that is not acknowledged by then counts as
    /// failed.
    pub fn answer_within(mut self, within: Duration) -> Self {
        self.answer_within = within;
        self
    }

    /// Sets how often a sink looks at how the stream is set up while the connection holds; otherwise every 30 seconds. At
    /// each reconnection it does so anyway.
    pub fn check_every(mut self, every: Duration) -> Self {
        self.check_every = every;
        self
    }

    /// Creates the stream where it is not there: in files, with [`Self::replicas`] and [`Self::duplicate_window`],
    /// without any limit, and such that nobody deletes single messages or purges it.
    pub fn create_stream(mut self) -> Self {
        self.wanted.create = true;
        self
    }

    /// Sets how many servers must keep the stream; otherwise 1. One with fewer replicas is refused.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.wanted.replicas = replicas.max(1);
        self
    }

    /// Sets for how long the stream must know which messages it has; otherwise [`DEFAULT_NATS_DUPLICATE_WINDOW`]. One
    /// that forgets sooner is refused. A record that comes again later than that is in the stream twice, and once in a
    /// store that a feed fills.
    pub fn duplicate_window(mut self, window: Duration) -> Self {
        self.wanted.duplicate_window = window.min(LONGEST);
        self
    }

    /// Accepts a stream that is lost with its servers: in memory, or acknowledged before it is written. Its durability
    /// is [`Memory`](audit_core::Durability::Memory).
    pub fn allow_memory(mut self) -> Self {
        self.wanted.allow_memory = true;
        self
    }

    /// Accepts a stream that removes old records, by `max_age` or by a limit with `discard: old`: one that only carries
    /// them to a store. Whoever sets the limits sees to it that the feed is never as far behind.
    pub fn allow_forgetting(mut self) -> Self {
        self.wanted.allow_forgetting = true;
        self
    }

    /// Promises, in the operator's name, that every server of the cluster has `sync_interval: always` in its `jetstream`
    /// section. No client can see that.
    ///
    /// Without it NATS acknowledges before it syncs, and the sink says
    /// [`OsBuffer`](audit_core::Durability::OsBuffer) of any stream in files. With it, it says
    /// [`Disk`](audit_core::Durability::Disk), or [`Replicated`](audit_core::Durability::Replicated) from three replicas
    /// on. A server older than 2.10 cannot do so, and is refused; that much is seen of the one that
    /// the connection leads to.
    pub fn servers_sync_always(mut self) -> Self {
        self.wanted.syncs_always = true;
        self
    }

    /// The subject of a record of this tenant, or of none, with this action.
    ///
    /// Each of both is one token: letters, digits, `-` and `_` stand for themselves, a colon for a dot, and `%` with two
    /// hex digits for every other byte. `~none` is no tenant, `~empty` an empty one, and `~sha256-` with a digest stands
    /// for what is too long. Different names have different tokens.
    ///
    /// ```
    /// # use audit_sinks as audited;
    /// use audited::NatsOptions;
    ///
    /// let options = NatsOptions::new("nats://127.0.0.1:4222", "AUDIT");
    /// assert_eq!(options.subject(Some("acme"), "account.transfer"), "audit.acme.account:transfer");
    /// assert_eq!(options.subject(None, "a *"), "audit.~none.a%20%2A");
    /// ```
    pub fn subject(&self, tenant: Option<&str>, action: &str) -> String {
        subject(&self.wanted.prefix, tenant, action)
    }

    /// The subjects of all records of a tenant, or of none: for permissions, and for [`NatsFeedBuilder::filter`].
    pub fn subjects_of(&self, tenant: Option<&str>) -> String {
        subjects_of(&self.wanted.prefix, tenant)
    }

    /// Connects, reads how the stream is set up, and refuses one that would lose records. It blocks the thread.
    ///
    /// # Errors
    ///
    /// [`NatsError`] when that cannot be done in time, or the stream is refused.
    pub fn connect(self) -> Result<NatsSink, NatsError> {
        let (link, durability) = Link::connect(&self)?;
        Ok(NatsSink::new(&self, link, Some(durability)))
    }

    /// Connects when there is a server, and returns at once: for a sink behind a [`Forwarder`](crate::Forwarder), in a
    /// service that starts while NATS is away. Records are taken once the stream is seen and found fit.
    ///
    /// Since nobody has told yet what the stream promises, the sink promises nothing:
    /// [`Durability::None`](audit_core::Durability::None).
    ///
    /// # Errors
    ///
    /// [`NatsError`] when the options are wrong.
    pub fn connect_later(self) -> Result<NatsSink, NatsError> {
        let link = Link::later(&self)?;
        Ok(NatsSink::new(&self, link, None))
    }

    /// Begins to build a feed, which fills a store from the stream.
    ///
    /// `dead_letters` is a directory of its own, for the journal of what the store does not take.
    pub fn feed(self, store: impl AuditSink, dead_letters: impl Into<PathBuf>) -> NatsFeedBuilder {
        NatsFeedBuilder::new(self, Arc::new(store), dead_letters.into())
    }

    /// Checks what can be checked without a server.
    pub(super) fn client(&self) -> Result<(Vec<ServerAddr>, ConnectOptions), NatsError> {
        if !is_plain(&self.wanted.stream, false) {
            return Err(NatsError::Name);
        }
        if !is_plain(&self.wanted.prefix, true) {
            return Err(NatsError::Prefix);
        }
        let servers: Result<Vec<_>, _> = self.servers.iter().map(|server| address(server)).collect();
        let mut client = ConnectOptions::new().name("audited").connection_timeout(self.connect_within);
        client = match &self.credentials {
            Credentials::None => client,
            Credentials::Token(token) => client.token(token.clone()),
            Credentials::Password(user, password) => client.user_and_password(user.clone(), password.clone()),
            Credentials::NKey(seed) => client.nkey(seed.clone()),
            Credentials::File(path) => {
                let text = std::fs::read_to_string(path).map_err(unreadable)?;
                client.credentials(&text).map_err(unreadable)?
            }
            Credentials::Text(text) => client.credentials(text).map_err(unreadable)?,
        };
        let servers = servers?;
        let trusts = !self.roots.is_empty() || self.identity.is_some();
        let require_tls = self.require_tls || trusts || servers.iter().any(ServerAddr::tls_required);
        if require_tls {
            let config = tls::config(&self.roots, self.identity.as_ref());
            client = client.tls_client_config(config.map_err(|error| NatsError::Tls(Arc::new(error)))?);
        }
        Ok((servers, client.require_tls(require_tls)))
    }

    /// Where it leads, without secrets.
    pub(super) fn description(&self) -> String {
        let shown = |server: &String| match address(server) {
            Ok(address) => format!("{}:{}", address.host(), address.port()),
            Err(_) => "?".to_owned(),
        };
        let servers: Vec<_> = self.servers.iter().map(shown).collect();
        let stream = if is_plain(&self.wanted.stream, false) { &self.wanted.stream } else { "?" };
        format!("{}/{stream}", servers.join(","))
    }
}

impl fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsOptions({})", self.description())
    }
}

fn address(server: &str) -> Result<ServerAddr, NatsError> {
    // Asked before it is parsed: with a `/`, a `?` or a `#` in it, a secret would be taken for the host, and be shown.
    if server.contains('@') {
        return Err(NatsError::SecretInAddress);
    }
    let address: ServerAddr = server.parse().map_err(|error| NatsError::Server(Arc::new(error)))?;
    if address.is_websocket() || address.host().is_empty() {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a server of the NATS protocol");
        return Err(NatsError::Server(Arc::new(error)));
    }
    Ok(address)
}

fn unreadable(error: std::io::Error) -> NatsError {
    NatsError::Credentials(Arc::new(error))
}
