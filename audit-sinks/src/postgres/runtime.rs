//! A runtime of the store's own: what is asked of it is answered on any executor, or on none.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use super::error::PostgresError;

/// Starts a thread with a runtime. It ends when what it runs at first has ended.
pub(super) fn start<F>(first: impl FnOnce() -> F + Send + 'static) -> Result<Handle, PostgresError>
where
    F: Future<Output = ()>,
{
    let runtime = Builder::new_current_thread().enable_all().build().map_err(PostgresError::Thread)?;
    let handle = runtime.handle().clone();
    let thread = thread::Builder::new().name("audited-postgres".into());
    thread.spawn(move || runtime.block_on(first())).map_err(PostgresError::Thread)?;
    Ok(handle)
}

/// Runs something on a thread that is there for nothing else.
pub(super) async fn alone<T, F>(what: impl FnOnce() -> F + Send + 'static) -> Result<T, PostgresError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, PostgresError>>,
{
    let (answer, answered) = tokio::sync::oneshot::channel();
    start(move || async move {
        let _ = answer.send(what().await);
    })?;
    answered.await.unwrap_or_else(|_| Err(PostgresError::Thread(io::ErrorKind::Interrupted.into())))
}

/// A task that ends when nobody waits for it any more.
pub(super) struct Asked<T>(JoinHandle<Result<T, PostgresError>>);

impl<T: Send + 'static> Asked<T> {
    pub(super) fn of(handle: &Handle, task: impl Future<Output = Result<T, PostgresError>> + Send + 'static) -> Self {
        Self(handle.spawn(task))
    }
}

impl<T> Future for Asked<T> {
    type Output = Result<T, PostgresError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| joined.unwrap_or(Err(PostgresError::Closed)))
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
