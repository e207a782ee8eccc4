//! Ties to other records and to traces.

use std::fmt;
use std::sync::Arc;

use crate::__private::debug_as_display;
use thiserror::Error;

/// The most bytes of a correlation id.
pub const MAX_CORRELATION_ID_LEN: usize = 64;

/// Ties the records of one request together: `[A-Za-z0-9._-]{1,64}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationId(Arc<str>);

impl CorrelationId {
    /// Checks an id that came from elsewhere.
    ///
    /// # Errors
    ///
    /// [`InvalidCorrelationId`] when it does not match `[A-Za-z0-9._-]{1,64}`.
    pub fn parse(id: &str) -> Result<Self, InvalidCorrelationId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !id.is_empty() && id.len() <= MAX_CORRELATION_ID_LEN && id.bytes().all(plain) {
            Ok(Self(id.into()))
        } else {
            Err(InvalidCorrelationId)
        }
    }

    /// Makes a new one.
    pub fn random() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not a correlation id.
#[derive(Error)]
#[error("a correlation id matches [A-Za-z0-9._-] and has one to {MAX_CORRELATION_ID_LEN} characters")]
pub struct InvalidCorrelationId;

debug_as_display!(InvalidCorrelationId);

/// The trace that a record belongs to: the 32 hex digits of a W3C `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// Reads 32 hex digits, not all of them zero.
    ///
    /// # Errors
    ///
    /// [`InvalidTraceId`] for anything else.
    pub fn parse(id: &str) -> Result<Self, InvalidTraceId> {
        let digits = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(id, 16) {
            Ok(value) if digits && value != 0 => Ok(Self(value)),
            _ => Err(InvalidTraceId),
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Not a trace id.
#[derive(Error)]
#[error("a trace id is 32 hex digits, not all zero")]
pub struct InvalidTraceId;

debug_as_display!(InvalidTraceId);
