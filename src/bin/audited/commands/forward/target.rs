//! What a journal is delivered to.

#[cfg(feature = "nats")]
use std::path::Path;
use std::sync::Arc;

use audited::AuditSink;

use crate::failure::Failure;
#[cfg(feature = "nats")]
use crate::file;
use crate::location::Location;
use crate::open::{self, ServerArgs};

/// What a forwarder to a place is called where nobody names it.
pub(in super::super) const fn name(to: &Location) -> &'static str {
    match to {
        Location::Journal(_) => "journal",
        Location::Sqlite(_) => "sqlite",
        Location::Postgres(_) => "postgres",
        Location::Nats(_) => "nats",
    }
}

/// Opens it. A server need not be there yet; a file of SQLite is made where there is none.
pub(in super::super) async fn open(to: &Location, server: &ServerArgs) -> Result<Arc<dyn AuditSink>, Failure> {
    match to {
        Location::Journal(_) => Err(Failure::usage(format!(
            "{to}: a journal does not know what it has, and a repeated record would be there twice: name a store or a stream"
        ))),
        #[cfg(feature = "sqlite")]
        Location::Sqlite(path) => {
            let store = audited::SqliteStore::open(path);
            Ok(Arc::new(store.map_err(|error| Failure::because("the store cannot be opened", &error))?))
        }
        #[cfg(feature = "postgres")]
        Location::Postgres(url) => postgres(url, server).await,
        #[cfg(feature = "nats")]
        Location::Nats(url) => nats(url),
        #[cfg(not(feature = "nats"))]
        Location::Nats(_) => Err(open::lacking("NATS", "nats")),
        #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
        _ => open::sink(to, server).await,
    }
}

/// What is wrong with the address, the set-up or the password is told at once; a server that is away is waited for.
#[cfg(feature = "postgres")]
async fn postgres(url: &str, server: &ServerArgs) -> Result<Arc<dyn AuditSink>, Failure> {
    use audited::{PostgresError, PostgresStore};

    let options = open::postgres_options(url, server)?;
    let store = match PostgresStore::connect(options.clone()).await {
        Err(error @ (PostgresError::Connection(_) | PostgresError::Timeout(_))) => {
            tracing::warn!(target: "audited::forward", to = %options, %error, "the server is away; it is asked again and again");
            PostgresStore::connect_later(options.clone())
        }
        connected => connected,
    };
    Ok(Arc::new(store.map_err(|error| Failure::because(options, &error))?))
}

#[cfg(feature = "nats")]
fn nats(url: &str) -> Result<Arc<dyn AuditSink>, Failure> {
    use audited::NatsError;

    let options = nats_options(url)?;
    let sink = match options.clone().connect() {
        Err(
            error
            @ (NatsError::Connect { .. } | NatsError::Deadline | NatsError::NoJetStream | NatsError::Disconnected),
        ) => {
            tracing::warn!(target: "audited::forward", to = ?options, %error, "the server is away; it is asked again and again");
            options.clone().connect_later()
        }
        connected => connected,
    };
    Ok(Arc::new(sink.map_err(|error| Failure::because(format_args!("{options:?}"), &error))?))
}

/// What is asked of a stream: `nats://HOST:4222/STREAM`, and credentials of the environment.
#[cfg(feature = "nats")]
pub(in super::super) fn nats_options(url: &str) -> Result<audited::NatsOptions, Failure> {
    use audited::NatsOptions;

    let usage = || Failure::usage("which stream? Write nats://HOST:4222/STREAM, without a user or a password");
    if Location::has_password(url) {
        return Err(Failure::usage(
            "a password or a token stands in the address: leave it out, and set AUDITED_NATS_TOKEN, AUDITED_NATS_CREDENTIALS \
             (a file), or AUDITED_NATS_USER and AUDITED_NATS_PASSWORD",
        ));
    }
    let (scheme, rest) = url.split_once("://").ok_or_else(usage)?;
    let (host, stream) = rest.trim_end_matches('/').split_once('/').ok_or_else(usage)?;
    if host.is_empty() || stream.is_empty() {
        return Err(usage());
    }
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut options = NatsOptions::new(format!("{scheme}://{host}"), stream);
    if let Some(file) = of("AUDITED_NATS_CREDENTIALS") {
        options = options.credentials(file::text(Path::new(&file))?);
    } else if let Some(token) = of("AUDITED_NATS_TOKEN") {
        options = options.token(token);
    } else if let (Some(user), Some(password)) = (of("AUDITED_NATS_USER"), of("AUDITED_NATS_PASSWORD")) {
        options = options.user_and_password(user, password);
    }
    Ok(options)
}
