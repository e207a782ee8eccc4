//! Time without a runtime: one thread for all combinations, there only while somebody waits.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

use audit_core::__private::Alarms;
use audit_core::SinkError;

static ALARMS: LazyLock<Arc<Alarms>> = LazyLock::new(Arc::default);

pub(super) fn alarms() -> &'static Arc<Alarms> {
    &ALARMS
}

/// Waits for so long.
pub(super) async fn sleep(time: Duration) {
    let (_ticket, receipt) = ALARMS.ticket(time);
    let _ = receipt.await;
}

/// Waits for an answer for so long at most; what has not answered by then is dropped.
pub(super) async fn within<F>(time: Duration, answer: F) -> Result<(), SinkError>
where
    F: Future<Output = Result<(), SinkError>>,
{
    let mut answer = pin!(answer);
    let mut out = pin!(sleep(time));
    poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => out.as_mut().poll(cx).map(|()| Err(SinkError::Deadline)),
    })
    .await
}
