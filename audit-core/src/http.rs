//! Decisions from HTTP responses.

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tonic")]
mod tonic;

use http::{Response, StatusCode};

use crate::decision::{Code, Decide, Deny, Verdict};
use crate::refusal::{Effect, Refusal, Refuse};

/// What a status says: 401 and 403 are denials (`unauthenticated`, `forbidden`), 429 is one too (`rate_limited`),
/// every other 4xx and 5xx is a failure (`http.404`), the rest a success.
impl Decide for StatusCode {
    fn decide(&self) -> Verdict {
        match *self {
            Self::UNAUTHORIZED => Verdict::denied("unauthenticated"),
            Self::FORBIDDEN => Verdict::denied("forbidden"),
            Self::TOO_MANY_REQUESTS => Verdict::denied("rate_limited"),
            status if status.is_client_error() || status.is_server_error() => {
                Verdict::failure(Code::custom(format!("http.{}", status.as_u16())))
            }
            _ => Verdict::success(),
        }
    }
}

/// What the response's status says, unless it carries a [`Verdict`] among its extensions: that one comes first, so
/// that a denial can be shown as a 404.
impl<B> Decide for Response<B> {
    fn decide(&self) -> Verdict {
        self.extensions().get::<Verdict>().cloned().unwrap_or_else(|| self.status().decide())
    }
}

macro_rules! beside_a_status {
    ($($rest:ident),*) => {
        /// What the status says, beside headers and a body.
        impl<$($rest),*> Decide for (StatusCode, $($rest),*) {
            fn decide(&self) -> Verdict {
                self.0.decide()
            }
        }
    };
}

beside_a_status!(A);
beside_a_status!(A, B);
beside_a_status!(A, B, C);
beside_a_status!(A, B, C, D);

/// As an error it says the same, and where that would be a success (a redirect, say), nobody can tell how the call ended.
#[diagnostic::do_not_recommend]
impl Deny for StatusCode {
    fn deny(&self) -> Verdict {
        no_success(self.decide())
    }
}

/// As the status, as an error.
#[diagnostic::do_not_recommend]
impl<B> Deny for Response<B> {
    fn deny(&self) -> Verdict {
        no_success(self.decide())
    }
}

/// As the status, as an error.
#[diagnostic::do_not_recommend]
impl<A> Deny for (StatusCode, A) {
    fn deny(&self) -> Verdict {
        self.0.deny()
    }
}

fn no_success(verdict: Verdict) -> Verdict {
    if verdict == Verdict::success() { Verdict::unknown() } else { verdict }
}

/// 403 for a denial; 503 where the call has not started; 500, which nobody takes for retryable, where it may have
/// happened. Never a body.
#[diagnostic::do_not_recommend]
impl Refuse for StatusCode {
    fn refuse(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied => Self::FORBIDDEN,
            Refusal::Unavailable { effect: Effect::NotStarted } => Self::SERVICE_UNAVAILABLE,
            Refusal::Unavailable { effect: Effect::MayHaveHappened } => Self::INTERNAL_SERVER_ERROR,
        }
    }
}

/// As a status alone, with an empty body.
#[diagnostic::do_not_recommend]
impl<B: Default> Refuse for Response<B> {
    fn refuse(refusal: Refusal) -> Self {
        let mut response = Self::new(B::default());
        *response.status_mut() = StatusCode::refuse(refusal);
        response
    }
}

#[diagnostic::do_not_recommend]
impl Refuse for (StatusCode, String) {
    fn refuse(refusal: Refusal) -> Self {
        (StatusCode::refuse(refusal), String::new())
    }
}

#[diagnostic::do_not_recommend]
impl Refuse for (StatusCode, &'static str) {
    fn refuse(refusal: Refusal) -> Self {
        (StatusCode::refuse(refusal), "")
    }
}

/// What a refused call gets, as an error.
#[diagnostic::do_not_recommend]
impl<B: Default> From<Refusal> for Response<B> {
    fn from(refusal: Refusal) -> Self {
        Self::refuse(refusal)
    }
}

macro_rules! refused_as {
    ($($error:ty),*) => {$(
        /// What a refused call gets, as an error.
        #[diagnostic::do_not_recommend]
        impl From<Refusal> for $error {
            fn from(refusal: Refusal) -> Self {
                Self::refuse(refusal)
            }
        }
    )*};
}

refused_as!(StatusCode, (StatusCode, String), (StatusCode, &'static str));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_say_what_the_field_expects() {
        for (status, verdict) in [
            (200, Verdict::success()),
            (302, Verdict::success()),
            (401, Verdict::denied("unauthenticated")),
            (403, Verdict::denied("forbidden")),
            (429, Verdict::denied("rate_limited")),
            (404, Verdict::failure("http.404")),
            (500, Verdict::failure("http.500")),
        ] {
            assert_eq!(StatusCode::from_u16(status).unwrap().decide(), verdict);
        }
    }

    #[test]
    fn a_decision_attached_to_the_response_beats_its_status() {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.extensions_mut().insert(Verdict::denied("secret_exists"));
        assert_eq!(response.decide(), Verdict::denied("secret_exists"));
    }

    #[test]
    fn an_error_is_no_success() {
        assert_eq!(StatusCode::FOUND.deny(), Verdict::unknown());
        assert_eq!((StatusCode::FORBIDDEN, "text").deny(), Verdict::denied("forbidden"));
        let mut response = Response::new(());
        assert_eq!(response.deny(), Verdict::unknown());
        response.extensions_mut().insert(Verdict::denied("secret_exists"));
        assert_eq!(response.deny(), Verdict::denied("secret_exists"));
    }

    #[test]
    fn a_refusal_has_no_body_and_only_what_has_not_started_can_be_retried() {
        let response = Response::<String>::refuse(Refusal::Unavailable { effect: Effect::NotStarted });
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::SERVICE_UNAVAILABLE, ""));
        let happened = StatusCode::refuse(Refusal::Unavailable { effect: Effect::MayHaveHappened });
        assert_eq!(happened, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
