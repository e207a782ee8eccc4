//! Foreign futures, polled in place.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use audit_core::__private::{Guarded, contained};
use audit_core::{AuditSink, SinkError};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 'a>>;

/// Asks a sink for a future and polls it; when either panics, the answer is [`SinkError::Panicked`].
pub(super) fn guarded<'a>(sink: &'a Guarded, ask: impl FnOnce(&'a dyn AuditSink) -> Answer<'a>) -> Contained<'a> {
    Contained(sink.sink().and_then(|sink| contained(|| ask(sink))))
}

/// Polls all of them until each has answered; gives the first error of the list.
pub(super) async fn join<F>(futures: impl IntoIterator<Item = F>) -> Result<(), SinkError>
where
    F: Future<Output = Result<(), SinkError>>,
{
    let mut pending: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|cx| {
        for (future, result) in &mut pending {
            if result.is_none()
                && let Poll::Ready(answer) = future.as_mut().poll(cx)
            {
                *result = Some(answer);
            }
        }
        if pending.iter().any(|(_, result)| result.is_none()) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    pending.into_iter().filter_map(|(_, result)| result).collect()
}

pub(super) struct Contained<'a>(Option<Answer<'a>>);

impl Future for Contained<'_> {
    type Output = Result<(), SinkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.0.as_mut().and_then(|answer| contained(|| answer.as_mut().poll(cx)));
        let result = match polled {
            Some(Poll::Pending) => return Poll::Pending,
            Some(Poll::Ready(result)) => result,
            None => Err(SinkError::Panicked),
        };
        self.end();
        Poll::Ready(result)
    }
}

impl Contained<'_> {
    /// What the future holds may panic when it is dropped.
    fn end(&mut self) {
        let answer = self.0.take();
        contained(|| drop(answer));
    }
}

impl Drop for Contained<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
