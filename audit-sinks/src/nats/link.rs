//! A connection on a thread of its own, and what is known of the stream at its other end.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use audit_core::Durability;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::error::NatsError;
use super::options::NatsOptions;
use super::stream::Wanted;
use crate::moment::after;

/// How long to wait before the stream is looked for again, while it may still come.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The thread ends when this is dropped, and with it the connection and all that runs there.
pub(super) struct Link {
    handle: Handle,
    pub(super) line: Arc<Line>,
    _end: oneshot::Sender<()>,
}

/// What is seen from the tasks of the thread.
pub(super) struct Line {
    context: OnceLock<Context>,
    connection: watch::Sender<Connection>,
    known: Mutex<Option<Known>>,
    wanted: Wanted,
    answer_within: Duration,
    /// For how long a stream that was found fit counts as such, on a connection that holds.
    check_every: Duration,
    /// What was promised when the connection was made.
    stated: OnceLock<Durability>,
}

/// Every connection has its number, and so has every time without one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Connection {
    number: u64,
    is_up: bool,
}

/// The stream was fit.
#[derive(Clone, Copy)]
struct Known {
    connection: u64,
    at: Instant,
}

impl Link {
    /// Connects, and gives what the stream promises.
    pub(super) fn connect(options: &NatsOptions) -> Result<(Self, Durability), NatsError> {
        let until = after(Instant::now(), options.connect_within);
        let link = Self::start(options, false)?;
        let ours = link.line.clone();
        let durability = link.run(async move {
            loop {
                match ours.look().await {
                    Err(error) if error.may_pass() && Instant::now() < until => sleep(LOOK_AGAIN).await,
                    result => return result,
                }
            }
        })?;
        let _ = link.line.stated.set(durability);
        Ok((link, durability))
    }

    /// Connects when there is somebody to connect to.
    pub(super) fn later(options: &NatsOptions) -> Result<Self, NatsError> {
        Self::start(options, true)
    }

    /// Connects, and asks nothing.
    pub(super) fn open(options: &NatsOptions) -> Result<Self, NatsError> {
        Self::start(options, false)
    }

    fn start(options: &NatsOptions, later: bool) -> Result<Self, NatsError> {
        let (servers, client) = options.client()?;
        let (connection, _) = watch::channel(Connection { number: 0, is_up: false });
        let line = Arc::new(Line {
            context: OnceLock::new(),
            connection,
            known: Mutex::new(None),
            wanted: options.wanted.clone(),
            answer_within: options.answer_within,
            check_every: options.check_every,
            stated: OnceLock::new(),
        });
        let (end, ended) = oneshot::channel();
        let (ready, readiness) = std::sync::mpsc::sync_channel(1);
        let (theirs, window) = (line.clone(), options.window_records);
        let within = options.connect_within;
        let run = move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(NatsError::Thread(Arc::new(error))))),
            };
            runtime.block_on(async {
                let connected = theirs.connect(servers, client, window, within, later).await;
                let failed = connected.is_err();
                let _ = ready.send(connected.map(|()| Handle::current()));
                if !failed {
                    let _ = ended.await;
                    theirs.hang_up().await;
                }
            });
            // A name that is being resolved is nobody's to wait for.
            runtime.shutdown_background();
        };
        thread::Builder::new()
            .name("audited-nats".into())
            .spawn(run)
            .map_err(|error| NatsError::Thread(Arc::new(error)))?;
        let handle = readiness.recv().map_err(|_| NatsError::Disconnected)??;
        Ok(Self { handle, line, _end: end })
    }

    /// Runs something on the thread, and waits for it. The thread of the caller is blocked, whether it has a runtime or not.
    pub(super) fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, NatsError>> + Send + 'static,
    ) -> Result<T, NatsError> {
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        self.spawn(async move {
            let _ = reply.send(task.await);
        });
        answer.recv().unwrap_or(Err(NatsError::Disconnected))
    }

    /// Polls something on this thread, which must be one of ours: there is no runtime on it.
    pub(super) fn block_on<T>(&self, task: impl Future<Output = T>) -> T {
        self.handle.block_on(task)
    }

    /// Runs something on the thread.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(task));
    }
}

impl Line {
    async fn connect(
        self: &Arc<Self>,
        servers: Vec<ServerAddr>,
        client: ConnectOptions,
        window: usize,
        within: Duration,
        later: bool,
    ) -> Result<(), NatsError> {
        let theirs = Arc::downgrade(self);
        let client = client.event_callback(move |event| {
            if let Some(line) = theirs.upgrade() {
                line.hear(&event);
            }
            std::future::ready(())
        });
        let client = if later { client.retry_on_initial_connect() } else { client };
        let connected = timeout(within, client.connect(servers)).await.map_err(|_| NatsError::Deadline)?;
        let client = connected
            .map_err(|error| NatsError::Connect { kind: error.kind().to_string(), source: Arc::new(error) })?;
        // Acknowledgements are counted by the window of the sink.
        let context = ContextBuilder::new()
            .timeout(self.answer_within)
            .ack_timeout(self.answer_within)
            .max_ack_inflight(window.saturating_mul(2))
            .build(client);
        let _ = self.context.set(context);
        Ok(())
    }

    fn hear(&self, event: &Event) {
        let is_up = match event {
            Event::Connected => true,
            Event::Disconnected | Event::Closed => false,
            _ => return,
        };
        self.connection.send_modify(|connection| {
            connection.number += 1;
            connection.is_up = is_up;
        });
    }

    /// Sends what is still to be sent.
    async fn hang_up(&self) {
        if let Some(context) = self.context.get() {
            let _ = timeout(Duration::from_secs(1), context.client().flush()).await;
        }
    }

    pub(super) fn context(&self) -> Result<&Context, NatsError> {
        self.context.get().ok_or(NatsError::Disconnected)
    }

    pub(super) fn client(&self) -> Result<Client, NatsError> {
        Ok(self.context()?.client())
    }

    pub(super) const fn answer_within(&self) -> Duration {
        self.answer_within
    }

    pub(super) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Waits for a connection, and sees to it that the stream at its end is fit; gives the number of the connection.
    pub(super) async fn check(&self) -> Result<u64, NatsError> {
        let check = async {
            let number = self.up().await?;
            let mut known = self.known.lock().await;
            let is_known = |known: &Known| known.connection == number && known.at.elapsed() < self.check_every;
            if known.as_ref().is_some_and(is_known) {
                return Ok(number);
            }
            *known = None;
            let found = self.look().await?;
            if let Some(stated) = self.stated.get().copied().filter(|stated| *stated > found) {
                return Err(NatsError::Weaker { stream: self.wanted.stream.clone(), stated, found });
            }
            *known = Some(Known { connection: number, at: Instant::now() });
            Ok(number)
        };
        timeout(self.answer_within, check).await.unwrap_or(Err(NatsError::Disconnected))
    }

    /// Waits for a connection, and gives its number.
    pub(super) async fn up(&self) -> Result<u64, NatsError> {
        let mut connection = self.connection.subscribe();
        let up = timeout(self.answer_within, connection.wait_for(|connection| connection.is_up)).await;
        match up {
            Ok(Ok(connection)) => Ok(connection.number),
            Ok(Err(_)) | Err(_) => Err(NatsError::Disconnected),
        }
    }

    /// Comes back when a connection is no more.
    pub(super) async fn lost(&self, number: u64) {
        let _ = self.connection.subscribe().wait_for(|connection| connection.number != number).await;
    }

    /// Looks at the stream.
    async fn look(&self) -> Result<Durability, NatsError> {
        let context = self.context()?;
        let config = self.wanted.read(context).await?;
        let faults = self.wanted.faults(&config, context.client().is_server_compatible(2, 10, 0));
        if !faults.is_empty() {
            return Err(NatsError::Unfit { stream: self.wanted.stream.clone(), faults });
        }
        Ok(self.wanted.durability(&config))
    }
}
