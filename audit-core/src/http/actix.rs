//! Decisions from responses of actix-web, and refusals as such.

use actix_web::body::BoxBody;
use actix_web::dev::Response;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Either, Json};
use actix_web::{CustomizeResponder, Error, HttpResponse, HttpResponseBuilder, ResponseError, web};

use crate::decision::{Decide, Deny, Verdict};
use crate::refusal::{Refusal, Refuse};
use crate::sensitive::{Encoder, Sensitive};

/// What [`http::StatusCode`] says of the same number; the two are of different versions of the crate `http`.
#[diagnostic::do_not_recommend]
impl Decide for StatusCode {
    fn decide(&self) -> Verdict {
        http::StatusCode::from_u16(self.as_u16()).map_or(Verdict::unknown(), |status| status.decide())
    }
}

/// What the response's status says, unless it carries a [`Verdict`] among its extensions: that one comes first, so
/// that a denial can be shown as a 404.
#[diagnostic::do_not_recommend]
impl<B> Decide for HttpResponse<B> {
    fn decide(&self) -> Verdict {
        let stated = self.extensions().get::<Verdict>().cloned();
        stated.unwrap_or_else(|| self.status().decide())
    }
}

/// As [`HttpResponse`].
#[diagnostic::do_not_recommend]
impl<B> Decide for Response<B> {
    fn decide(&self) -> Verdict {
        let stated = self.extensions().get::<Verdict>().cloned();
        stated.unwrap_or_else(|| self.status().decide())
    }
}

/// What the side that is there says.
#[diagnostic::do_not_recommend]
impl<L: Decide, R: Decide> Decide for Either<L, R> {
    fn decide(&self) -> Verdict {
        match self {
            Self::Left(left) => left.decide(),
            Self::Right(right) => right.decide(),
        }
    }
}

/// Nobody can tell: it does not show its status. `.finish()` makes a response of it, which does.
#[diagnostic::do_not_recommend]
impl Decide for HttpResponseBuilder {
    fn decide(&self) -> Verdict {
        Verdict::unknown()
    }
}

/// Nobody can tell: it does not show its status. A pair with a status does, and so does an [`HttpResponse`].
#[diagnostic::do_not_recommend]
impl<R> Decide for CustomizeResponder<R> {
    fn decide(&self) -> Verdict {
        Verdict::unknown()
    }
}

macro_rules! before_a_status {
    ($($body:ty $(, $of:ident)?;)*) => {$(
        /// What the status says, beside a body.
        #[diagnostic::do_not_recommend]
        impl$(<$of>)? Decide for ($body, StatusCode) {
            fn decide(&self) -> Verdict {
                self.1.decide()
            }
        }
    )*};
}

before_a_status! {
    &'static str;
    String;
    Bytes;
    Vec<u8>;
    Json<T>, T;
    HttpResponse<B>, B;
}

/// What its [`status_code`](ResponseError::status_code) says. The text of the error is in no record.
///
/// The answer is not made for that, since some errors give theirs away only once: an error that says its status in
/// `error_response` alone is a failure, `http.500`.
#[diagnostic::do_not_recommend]
impl Deny for Error {
    fn deny(&self) -> Verdict {
        match self.as_response_error().status_code().decide() {
            // An error whose answer is a redirect, say.
            verdict if verdict == Verdict::success() => Verdict::unknown(),
            verdict => verdict,
        }
    }
}

/// As a status alone, with an empty body: 503 where the call has not started, 500 where it may have happened, 403 for a
/// denial.
impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        let status = http::StatusCode::refuse(*self).as_u16();
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.status_code())
    }
}

#[diagnostic::do_not_recommend]
impl Refuse for HttpResponse<BoxBody> {
    fn refuse(refusal: Refusal) -> Self {
        refusal.error_response()
    }
}

macro_rules! extracted {
    ($($extractor:ident),*) => {$(
        /// As what was extracted.
        #[diagnostic::do_not_recommend]
        impl<T: Sensitive> Sensitive for web::$extractor<T> {
            fn write(&self, encoder: &mut Encoder<'_>) {
                (**self).write(encoder);
            }
        }
    )*};
}

extracted!(Form, Json, Path, Query);

#[cfg(test)]
mod tests {
    use actix_web::Responder;
    use actix_web::body::MessageBody;
    use actix_web::error::{ErrorForbidden, InternalError};

    use super::*;
    use crate::refusal::Effect;

    #[test]
    fn a_response_says_what_its_status_does_or_its_verdict() {
        assert_eq!(HttpResponse::Ok().finish().decide(), Verdict::success());
        assert_eq!(HttpResponse::Forbidden().finish().decide(), Verdict::denied("forbidden"));
        assert_eq!(("text", StatusCode::CONFLICT).decide(), Verdict::failure("http.409"));
        assert_eq!((web::Json(1), StatusCode::UNAUTHORIZED).decide(), Verdict::denied("unauthenticated"));
        let mut hidden = HttpResponse::NotFound().finish();
        hidden.extensions_mut().insert(Verdict::denied("secret_exists"));
        assert_eq!(hidden.decide(), Verdict::denied("secret_exists"));
        assert_eq!(HttpResponse::Forbidden().decide(), Verdict::unknown());
        assert_eq!("text".customize().with_status(StatusCode::FORBIDDEN).decide(), Verdict::unknown());
    }

    #[test]
    fn an_error_is_read_and_left_as_it_is() {
        assert_eq!(ErrorForbidden("secret").deny(), Verdict::denied("forbidden"));
        let once = InternalError::from_response("secret", HttpResponse::Unauthorized().body("kept"));
        let once = Error::from(once);
        assert_eq!(once.deny(), Verdict::denied("unauthenticated"));
        let answer = once.error_response();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.into_body().try_into_bytes().unwrap(), "kept");
        let redirect = InternalError::new("secret", StatusCode::FOUND);
        assert_eq!(Error::from(redirect).deny(), Verdict::unknown());
    }

    #[test]
    fn a_refusal_has_no_body() {
        for (refusal, status) in [
            (Refusal::Denied, 403),
            (Refusal::Unavailable { effect: Effect::NotStarted }, 503),
            (Refusal::Unavailable { effect: Effect::MayHaveHappened }, 500),
        ] {
            for answer in [HttpResponse::refuse(refusal), Error::from(refusal).error_response()] {
                assert_eq!(answer.status().as_u16(), status);
                assert!(answer.headers().is_empty());
                assert!(answer.into_body().try_into_bytes().unwrap().is_empty());
            }
        }
    }
}
