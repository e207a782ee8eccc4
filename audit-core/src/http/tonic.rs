//! Decisions from statuses of gRPC, and refusals as such.

use ::tonic::{Code as GrpcCode, Status};

use crate::decision::{Deny, Verdict};
use crate::refusal::{Effect, Refusal, Refuse};

/// What the code says: `UNAUTHENTICATED`, `PERMISSION_DENIED` and `RESOURCE_EXHAUSTED` are denials (`unauthenticated`,
/// `forbidden`, `rate_limited`, as with HTTP), every other one is a failure (`grpc.not_found`). Message, details and
/// metadata are in no record.
///
/// An error with the code `OK` says nothing: nobody can tell how the call ended.
#[diagnostic::do_not_recommend]
impl Deny for Status {
    fn deny(&self) -> Verdict {
        let failure = match self.code() {
            GrpcCode::Unauthenticated => return Verdict::denied("unauthenticated"),
            GrpcCode::PermissionDenied => return Verdict::denied("forbidden"),
            GrpcCode::ResourceExhausted => return Verdict::denied("rate_limited"),
            GrpcCode::Ok => return Verdict::unknown(),
            GrpcCode::Cancelled => "grpc.cancelled",
            GrpcCode::Unknown => "grpc.unknown",
            GrpcCode::InvalidArgument => "grpc.invalid_argument",
            GrpcCode::DeadlineExceeded => "grpc.deadline_exceeded",
            GrpcCode::NotFound => "grpc.not_found",
            GrpcCode::AlreadyExists => "grpc.already_exists",
            GrpcCode::FailedPrecondition => "grpc.failed_precondition",
            GrpcCode::Aborted => "grpc.aborted",
            GrpcCode::OutOfRange => "grpc.out_of_range",
            GrpcCode::Unimplemented => "grpc.unimplemented",
            GrpcCode::Internal => "grpc.internal",
            GrpcCode::Unavailable => "grpc.unavailable",
            GrpcCode::DataLoss => "grpc.data_loss",
        };
        Verdict::failure(failure)
    }
}

/// Without a message: `PERMISSION_DENIED` for a denial; `UNAVAILABLE` where the call has not started; `INTERNAL`, which
/// no client retries, where it may have happened.
#[diagnostic::do_not_recommend]
impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        Self::new(
            match refusal {
                Refusal::Denied => GrpcCode::PermissionDenied,
                Refusal::Unavailable { effect: Effect::NotStarted } => GrpcCode::Unavailable,
                Refusal::Unavailable { effect: Effect::MayHaveHappened } => GrpcCode::Internal,
            },
            "",
        )
    }
}

#[diagnostic::do_not_recommend]
impl Refuse for Status {
    fn refuse(refusal: Refusal) -> Self {
        refusal.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_http_would_or_fails_under_its_name() {
        let mut seen = Vec::new();
        for number in 0..=16 {
            let verdict = Status::new(GrpcCode::from_i32(number), "secret").deny();
            assert!(!format!("{verdict:?}").contains("secret"));
            assert_ne!(verdict, Verdict::success());
            assert!(!seen.contains(&verdict), "{verdict:?} twice");
            seen.push(verdict);
        }
        assert_eq!(seen[5], Verdict::failure("grpc.not_found"));
        assert_eq!(seen[7], Verdict::denied("forbidden"));
        assert_eq!(seen[8], Verdict::denied("rate_limited"));
        assert_eq!(seen[16], Verdict::denied("unauthenticated"));
    }

    #[test]
    fn a_refusal_says_nothing_and_only_what_has_not_started_can_be_retried() {
        for (refusal, code) in [
            (Refusal::Denied, GrpcCode::PermissionDenied),
            (Refusal::Unavailable { effect: Effect::NotStarted }, GrpcCode::Unavailable),
            (Refusal::Unavailable { effect: Effect::MayHaveHappened }, GrpcCode::Internal),
        ] {
            let status = Status::from(refusal);
            assert_eq!((status.code(), status.message(), status.details()), (code, "", &b""[..]));
        }
    }
}
