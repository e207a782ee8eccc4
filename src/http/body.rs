//! The body of an answer, watched until its end.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::delivery::Delivery;
use super::handled::LostReason;

pin_project! {
    /// The body of an answer that an [`AuditLayer`](crate::AuditLayer) gives: that of the service, or none.
    ///
    /// Should it fail, or be dropped before its end, a record says so. What its own code records has the context of the
    /// request.
    pub struct AuditBody<B: Body> {
        #[pin]
        body: Option<B>,
        delivery: Option<Delivery>,
    }

    impl<B: Body> PinnedDrop for AuditBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(delivery) = this.delivery else { return };
            if this.body.as_ref().as_pin_ref().is_none_or(|body| body.is_end_stream()) {
                delivery.over();
            }
            delivery.enter(|| this.body.set(None));
        }
    }
}

impl<B: Body> AuditBody<B> {
    /// None.
    pub(super) const fn empty() -> Self {
        Self { body: None, delivery: None }
    }

    /// That of the service, of which nobody has to know what becomes of it.
    pub(super) const fn through(body: B) -> Self {
        Self { body: Some(body), delivery: None }
    }

    /// That of the service, watched.
    pub(super) fn watched(body: B, watch: impl FnOnce(Option<u64>) -> Delivery) -> Self {
        let mut delivery = watch(body.size_hint().exact());
        if body.is_end_stream() {
            delivery.over();
        }
        Self { body: Some(body), delivery: Some(delivery) }
    }
}

/// None, as layers around this one want it that answer by themselves.
impl<B: Body> Default for AuditBody<B> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<B: Body> Body for AuditBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let Some(delivery) = this.delivery else { return body.poll_frame(cx) };
        let polled = catch_unwind(AssertUnwindSafe(|| delivery.enter(|| body.as_mut().poll_frame(cx))));
        match &polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(None)) => delivery.over(),
            Ok(Poll::Ready(Some(Ok(frame)))) => {
                if let Some(data) = frame.data_ref() {
                    delivery.given(data.remaining() as u64);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    delivery.trailers(trailers);
                } else if body.is_end_stream() {
                    delivery.over();
                }
            }
            Ok(Poll::Ready(Some(Err(_)))) => delivery.lost(LostReason::Failed),
            Err(_) => delivery.lost(LostReason::Panicked),
        }
        polled.unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body> fmt::Debug for AuditBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditBody").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}
