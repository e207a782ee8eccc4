//! The body of an answer, watched until its end.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use super::super::delivery::Delivery;
use super::super::handled::LostReason;

pin_project! {
    /// The body of an answer that an [`AuditMiddleware`](crate::AuditMiddleware) gives: that of the service, or none.
    ///
    /// Should it fail, or be dropped before its end, a record says so. What its own code records has the context of the
    /// request.
    pub struct AuditMessageBody<B> {
        #[pin]
        body: Option<B>,
        delivery: Option<Delivery>,
    }

    impl<B> PinnedDrop for AuditMessageBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(delivery) = this.delivery {
                delivery.enter(|| this.body.set(None));
            }
        }
    }
}

impl<B> AuditMessageBody<B> {
    /// None.
    pub(super) const fn empty() -> Self {
        Self { body: None, delivery: None }
    }

    /// That of the service, of which nobody has to know what becomes of it.
    pub(super) const fn through(body: B) -> Self {
        Self { body: Some(body), delivery: None }
    }

    /// That of the service, watched.
    pub(super) const fn watched(body: B, delivery: Delivery) -> Self {
        Self { body: Some(body), delivery: Some(delivery) }
    }
}

impl<B: MessageBody> MessageBody for AuditMessageBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.as_ref().map_or(BodySize::Sized(0), MessageBody::size)
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let Some(delivery) = this.delivery else { return body.poll_next(cx) };
        let polled = catch_unwind(AssertUnwindSafe(|| delivery.enter(|| body.as_mut().poll_next(cx))));
        match &polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(None)) => delivery.over(),
            Ok(Poll::Ready(Some(Ok(bytes)))) => delivery.given(bytes.len() as u64),
            Ok(Poll::Ready(Some(Err(_)))) => delivery.lost(LostReason::Failed),
            Err(_) => delivery.lost(LostReason::Panicked),
        }
        polled.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl<B> fmt::Debug for AuditMessageBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditMessageBody").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}
