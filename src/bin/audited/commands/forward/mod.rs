//! `audited forward`

mod log;
mod notify;
pub(super) mod target;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{TryRecvError, channel};
use std::time::{Duration, Instant};

use audited::{DeadLetter, Forwarder, ForwarderError, ForwarderLag, Journal, JournalError, JournalWatch, NotDelivered};
use clap::Args;
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::notify::notify;
use crate::failure::{Exit, Failure};
use crate::location::Location;
use crate::open::{ServerArgs, warn_of_password};
use crate::output::{Output, escape};
use crate::signals::Interrupt;

/// How often a journal without a line is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often it is looked whether all is delivered, and whether the journal is still what it was.
const TURN: Duration = Duration::from_millis(100);

/// How often a file is tried to be read before its records are given up for now: what passes by itself has passed then.
const READINGS: u64 = 3;

/// How long a service takes to deliver the rest, where nobody says.
const UNASKED: Duration = Duration::from_secs(10);

/// Delivers a journal to a store or a stream, as a service: every record, in order, at least once.
///
/// The journal may be written by a service meanwhile: it is read without its lock, and what is read is synced before it
/// is delivered. How far it is stands beside the journal, in `cursors/NAME.json`, so that it goes on from there when it
/// is started again, and a retention removes nothing that is not delivered. Who does not take records now is asked again
/// for ever; what it will never take becomes a dead letter (`audited dead-letters`). A file of the journal that cannot be
/// read is tried again for ever, too, and each report names it; --once gives it up.
///
/// It runs until SIGTERM or Ctrl-C, then delivers what is there, for as long as --stop-within says, and tells what is
/// left. It logs on the standard error, as JSON with --json, and tells systemd when it is ready.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ForwardArgs {
    /// The journal: `journal:DIR`.
    #[arg(value_name = "JOURNAL")]
    from: String,
    /// Where to: `sqlite:FILE`, `postgres://USER@HOST/DATABASE` or `nats://HOST:4222/STREAM`.
    #[arg(value_name = "TO")]
    to: String,
    /// The name that its cursor and its dead letters go by, which is never changed; otherwise the scheme of TO.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Delivers the journals that dead processes have left below this directory, too, as often as it is given.
    #[arg(long, value_name = "DIR")]
    adopt: Vec<PathBuf>,
    /// Delivers what is there, and ends.
    #[arg(long)]
    once: bool,
    /// Forgets what was delivered, and begins with the oldest record: a store knows what it has.
    #[arg(long)]
    reset: bool,
    /// How long it may take to end, and with --once to deliver.
    ///
    /// Without it 10 seconds, and with --once as long as it takes.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    stop_within: Option<Duration>,
    /// How often it logs how far it is behind.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1m")]
    report_every: Duration,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  audited forward journal:/var/lib/bank/audit postgres://bank@db/bank
  audited forward journal:./audit sqlite:audit.db --once
  audited forward journal:./audit nats://nats:4222/AUDIT --name fleet --adopt /var/lib/bank/old

As a service of systemd:
  [Service]
  Type=notify
  User=bank
  ExecStart=/usr/bin/audited forward journal:/var/lib/bank/audit postgres://bank@db/bank
  EnvironmentFile=/etc/bank/audited
  Restart=on-failure
  TimeoutStopSec=30

NATS takes AUDITED_NATS_CREDENTIALS (a file), AUDITED_NATS_TOKEN, or AUDITED_NATS_USER and AUDITED_NATS_PASSWORD.

It ends with 1 where the journal is not what was delivered, or with --once a dead letter waits for somebody;
with --once with 3 where not all was delivered, in time or because a file of the journal cannot be read.";

/// Reads how long something is to be: `90s`, `5m`, `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write how long, such as 30s, 5m or 1h30m".to_owned();
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(span).map_err(|_| wrong())
}

impl ForwardArgs {
    pub(crate) async fn run(&self, output: &Output) -> Result<Exit, Failure> {
        let journal = journal(&self.from)?;
        warn_of_password(&self.to);
        let to = Location::parse(&self.to)?;
        let name = self.name.clone().unwrap_or_else(|| target::name(&to).to_owned());
        log::start(output.is_json());
        let mut interrupt = Interrupt::listen()?;
        let Some(sink) = interrupt.or(target::open(&to, &self.server)).await.transpose()? else {
            return self.asked_before_it_began();
        };
        let watch = match interrupt.or(self.watch(&journal)).await.transpose()? {
            Some(Some(watch)) => watch,
            Some(None) => return Ok(Exit::Clean),
            None => return self.asked_before_it_began(),
        };
        let mut builder = Forwarder::watching(&watch, sink).name(&name);
        for parent in &self.adopt {
            builder = builder.adopt(parent);
        }
        if self.reset {
            builder = builder.reset();
        }
        let forwarder = builder.start().map_err(refused)?;
        let lag = forwarder.lag();
        tracing::info!(target: "audited::forward", from = %Location::Journal(journal.clone()), to = %to, name, behind = lag.records, "forwarding");
        notify(&format!("READY=1\nSTATUS={}", behind(&lag)));
        let ended = self.carry(&forwarder, &watch, &mut interrupt).await;
        notify("STOPPING=1");
        let within = match ended {
            Ok(Ended::Asked) if self.once => Duration::ZERO,
            Ok(Ended::Done) => self.stop_within.unwrap_or(Duration::MAX),
            _ => self.stop_within.unwrap_or(UNASKED),
        };
        let stopped = self.stop(forwarder, within, &mut interrupt).await;
        let left = DeadLetter::all(&journal, &name).map_or(0, |letters| letters.len());
        if left > 0 {
            tracing::warn!(target: "audited::forward", dead_letters = left, "records are not delivered: `audited dead-letters list` names them");
        }
        ended?;
        match stopped {
            _ if !self.once => Ok(Exit::Clean),
            Stopped::Left(records) => Err(Failure::unreachable(format!(
                "{records} records were not delivered in time; they are delivered when it is started again"
            ))),
            Stopped::Blind(records, why) => Err(Failure::unreachable(format!(
                "{}; {records} records are not delivered: make it readable, and start it again",
                escape(&why)
            ))),
            Stopped::Asked => Err(interrupted()),
            Stopped::Delivered if left > 0 => Ok(Exit::Findings),
            Stopped::Delivered => Ok(Exit::Clean),
        }
    }

    /// A service that is asked to end has done its duty; what is to be delivered once is not.
    fn asked_before_it_began(&self) -> Result<Exit, Failure> {
        if self.once { Err(interrupted()) } else { Ok(Exit::Clean) }
    }

    /// Begins to watch the journal, once there is a line in it; none where there is nothing to wait for any more.
    async fn watch(&self, journal: &Path) -> Result<Option<JournalWatch>, Failure> {
        let mut told = false;
        loop {
            match JournalWatch::open(journal) {
                Ok(watch) => return Ok(Some(watch)),
                Err(error @ JournalError::Empty { .. }) => {
                    if self.once {
                        tracing::info!(target: "audited::forward", %error, "there is nothing to deliver");
                        return Ok(None);
                    }
                    if !std::mem::replace(&mut told, true) {
                        tracing::info!(target: "audited::forward", %error, "waiting for the first line");
                    }
                }
                Err(error) => return Err(Failure::because("the journal cannot be read", &error)),
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until it is to end, and says how.
    async fn carry(
        &self,
        forwarder: &Forwarder,
        watch: &JournalWatch,
        interrupt: &mut Interrupt,
    ) -> Result<Ended, Failure> {
        let mut report = interval(self.report_every.max(TURN));
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        report.tick().await;
        let mut turn = interval(TURN);
        loop {
            tokio::select! {
                biased;
                () = interrupt.came() => return Ok(Ended::Asked),
                _ = turn.tick() => {
                    if let Some(fault) = watch.fault() {
                        return Err(Failure::Missing(escape(&fault.to_string()).into_owned()));
                    }
                    // The rest is to be delivered within the time that there is.
                    if self.once {
                        return Ok(Ended::Done);
                    }
                }
                _ = report.tick() => {
                    let (lag, stats) = (forwarder.lag(), forwarder.stats());
                    tracing::info!(
                        target: "audited::forward", behind = lag.records, behind_bytes = lag.bytes,
                        behind_seconds = lag.age.as_secs(), delivered = stats.delivered, retried = stats.retried,
                        dead_letters = stats.unresolved, adopted = stats.adopted, not_adopted = stats.not_adopted,
                        adoption_error = stats.adoption_error, circuit = ?stats.circuit,
                        last_error = stats.last_error, journal_error = stats.journal_error, "how far it is"
                    );
                    notify(&format!("STATUS={}", status(&lag, stats.journal_error.as_deref())));
                }
            }
        }
    }

    /// Delivers the rest and ends; who asks a second time does not wait for it.
    async fn stop(&self, forwarder: Forwarder, within: Duration, interrupt: &mut Interrupt) -> Stopped {
        // A thread of its own, and not one of the runtime, which would wait for it: a sink may block it.
        let (told, ended) = channel();
        std::thread::spawn(move || {
            let ended = deliver(&forwarder, within);
            let delivered = forwarder.stats().delivered;
            drop(forwarder);
            let _ = told.send((delivered, ended));
        });
        let mut turn = interval(LOOK / 10);
        let result = loop {
            tokio::select! {
                _ = turn.tick() => match ended.try_recv() {
                    Ok((delivered, ended)) => {
                        tracing::info!(target: "audited::forward", delivered, "stopped");
                        break ended;
                    }
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => break Stopped::Delivered,
                },
                () = interrupt.came() => {
                    let asked = if self.once { "asked to end" } else { "asked twice" };
                    tracing::warn!(target: "audited::forward", "{asked}: the rest is delivered when it is started again");
                    break Stopped::Asked;
                }
            }
        };
        if let Stopped::Left(left) | Stopped::Blind(left, _) = &result {
            tracing::warn!(target: "audited::forward", left, "not everything is delivered; the rest is when it is started again");
        }
        result
    }
}

/// Why it carries no more.
enum Ended {
    /// It was asked to end.
    Asked,
    /// What there is may be delivered once.
    Done,
}

/// How it has stopped.
enum Stopped {
    Delivered,
    /// So many records were not delivered in time.
    Left(u64),
    /// So many records were not delivered, because the journal cannot be read, for this reason.
    Blind(u64, String),
    /// It was asked to end before the rest was delivered.
    Asked,
}

/// Delivers what is there, in that time, and gives up what cannot be read: a permission does not come back by itself.
fn deliver(forwarder: &Forwarder, within: Duration) -> Stopped {
    let until = Instant::now().checked_add(within);
    loop {
        let left = until.map_or(within, |until| until.saturating_duration_since(Instant::now()));
        let Err(NotDelivered { records, .. }) = forwarder.flush(left.min(TURN)) else { return Stopped::Delivered };
        let stats = forwarder.stats();
        match stats.journal_error {
            Some(error) if stats.read_failures >= READINGS => return Stopped::Blind(records, error),
            _ if left.is_zero() => return Stopped::Left(records),
            _ => {}
        }
    }
}

fn interrupted() -> Failure {
    Failure::unreachable("asked to end before all was delivered; the rest is delivered when it is started again")
}

fn status(lag: &ForwarderLag, journal_error: Option<&str>) -> String {
    match journal_error {
        Some(error) => format!("{}: {}", behind(lag), escape(error)),
        None => behind(lag),
    }
}

fn behind(lag: &ForwarderLag) -> String {
    match lag.records {
        0 => "nothing is left to deliver".to_owned(),
        records => format!("{records} records behind, the oldest by {} s", lag.age.as_secs()),
    }
}

/// The directory of a journal.
pub(super) fn journal(text: &str) -> Result<PathBuf, Failure> {
    match Location::parse(text)? {
        Location::Journal(path) if path.is_dir() => Ok(path),
        Location::Journal(path) => {
            // The reader says what is wrong with it.
            let error = Journal::read(&path).err();
            let why = error.map_or_else(|| "it is no directory".to_owned(), |error| error.to_string());
            Err(Failure::unreachable(escape(&why).into_owned()))
        }
        other => Err(Failure::usage(format!("{other} is no journal: what is delivered is a journal:DIR"))),
    }
}

/// Why a forwarder does not start.
pub(super) fn refused(error: ForwarderError) -> Failure {
    match error {
        ForwarderError::Name => Failure::usage(format!("--name: {error}")),
        ForwarderError::OtherStream { .. }
        | ForwarderError::Shorter { .. }
        | ForwarderError::Different { .. }
        | ForwarderError::Missing { .. } => Failure::Missing(format!("{} (--reset)", escape(&error.to_string()))),
        error => Failure::unreachable(escape(&error.to_string()).into_owned()),
    }
}
