//! What becomes of the body of an answer. Nothing here knows which framework it is.

use audit_core::RecordId;

use super::handled::{Handled, LostReason};
use super::status::Status;

/// The account of a body that is given away piece by piece. Dropping it before its end is recorded.
#[derive(Debug)]
pub(crate) struct Delivery {
    handled: Handled,
    /// The record that says how the request ended; without one there is nothing to add to.
    record: Option<RecordId>,
    status: Status,
    given: u64,
    /// How much there will be, where that is known.
    length: Option<u64>,
}

/// Whether the server sends no body, whatever the response holds.
pub(crate) fn is_bodiless(method: &str, status: u16) -> bool {
    let tunnel = method == "CONNECT" && (200..300).contains(&status);
    method == "HEAD" || tunnel || matches!(status, 100..200 | 204 | 304)
}

impl Delivery {
    pub(super) fn new(handled: Handled, record: Option<RecordId>, status: Status, length: Option<u64>) -> Self {
        // Behind its last message a call of gRPC has yet to say how it ended.
        let length = length.filter(|_| matches!(status, Status::Http(_)));
        let mut delivery = Self { handled, record, status, given: 0, length };
        delivery.given(0);
        delivery
    }

    /// Runs a part of the body's own code within the request.
    pub(crate) fn enter<R>(&self, inside: impl FnOnce() -> R) -> R {
        self.handled.scope().enter(inside)
    }

    /// So much more was given away.
    pub(crate) fn given(&mut self, bytes: u64) {
        self.given += bytes;
        if self.length.is_some_and(|length| self.given >= length) {
            self.over();
        }
    }

    /// The trailers have come, which say how a call of gRPC has ended.
    #[cfg(feature = "tower")]
    pub(crate) fn trailers(&mut self, trailers: &http::HeaderMap) {
        #[cfg(feature = "tonic")]
        if let (Status::Grpc(None), Some(code)) = (self.status, super::grpc::code_in(trailers)) {
            self.status = Status::Grpc(Some(code));
            if code != tonic::Code::Ok && self.record.is_none() {
                self.handled.failed_late(self.status, super::grpc::verdict(code));
            } else if code != tonic::Code::Ok {
                self.lost(LostReason::Status);
            }
        }
        let _ = trailers;
        self.over();
    }

    /// All was given away.
    pub(crate) fn over(&mut self) {
        self.record = None;
    }

    /// The rest is not to come.
    pub(crate) fn lost(&mut self, reason: LostReason) {
        if let Some(record) = self.record.take() {
            self.handled.lost(record, reason, Some(self.status), self.given);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.lost(LostReason::Dropped);
    }
}
