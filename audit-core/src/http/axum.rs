//! Refusals as responses of axum.

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

use crate::refusal::{Refusal, Refuse};

/// As a status alone: 503 where the call has not started, 500 where it may have happened, 403 for a denial.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        StatusCode::refuse(self).into_response()
    }
}
