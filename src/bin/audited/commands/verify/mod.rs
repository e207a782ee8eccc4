//! `audited verify`

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod checked;
mod journal;
mod store;

use audited::ChainHash;
use clap::Args;

use crate::failure::{Exit, Failure};
use crate::location::Location;
use crate::open::{ServerArgs, SourceArgs};
use crate::output::{Output, escape};

/// Checks that records are as they were written: every line of a journal, every record of a store.
///
/// Of a journal it names the first bad file and line, what is wrong with it, and what is proved all the same: which
/// lines follow each other as they were written. Nothing is changed or locked; a service may write it meanwhile.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// Compares with a head that was kept elsewhere.
    ///
    /// The chain alone does not show that a journal was cut shorter, or all of it written anew. A head that was kept
    /// where nobody who can write the journal can write shows both.
    #[arg(long, value_name = "[STREAM:]SEQ:HASH")]
    expect: Option<String>,
    /// Prints the head and nothing else, to be kept elsewhere.
    #[arg(long)]
    head: bool,
    /// How much damage is listed.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    most: usize,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  audited verify journal:./audit
  Keep its head elsewhere, and compare with it later:
    audited verify journal:./audit --head | ssh vault 'cat >> heads'
    audited verify journal:./audit --expect 019a9c8e-5f3b-7000-8000-3a2f6e0c1d2b:4711:5d5b09c1…
  The records of a store beside what is kept of them:
    audited verify sqlite:audit.db
    audited verify postgres://bank@db/bank

It ends with 0 where all is well, with 1 where something is not, and with 3 where it could not be read.";

/// A head that was kept elsewhere. Without a stream it is compared with whatever stream is there.
#[derive(Clone, Copy, Debug)]
struct Expected {
    stream: Option<uuid::Uuid>,
    seq: u64,
    hash: ChainHash,
}

impl Expected {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ':');
        let hash = parts.next()?.parse().ok()?;
        let seq = parts.next()?.parse().ok()?;
        let stream = match parts.next() {
            Some(stream) => Some(stream.parse().ok()?),
            None => None,
        };
        Some(Self { stream, seq, hash })
    }
}

impl VerifyArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let expected = self.expect.as_deref().map(|text| {
            Expected::parse(text).ok_or_else(|| {
                Failure::usage(format!(
                    "`{}` is no head: write SEQ:HASH or STREAM:SEQ:HASH, as `audited verify --head` prints it",
                    escape(text)
                ))
            })
        });
        let (location, expected) = (self.source.location()?, expected.transpose()?);
        match &location {
            Location::Journal(path) => journal::verify(path, expected, self, output),
            _ if self.head || expected.is_some() => Err(Failure::usage(format!(
                "{location} has no head: only a journal is a chain. Leave out --head and --expect"
            ))),
            Location::Sqlite(path) => store::sqlite(path, self.most, output),
            Location::Postgres(url) => store::postgres(url, &self.server, self.most, output).await,
            Location::Nats(_) => Err(Failure::usage(format!(
                "{location}: a stream is not verified here; name the journal that it comes from, or the store that it fills"
            ))),
        }
    }
}
