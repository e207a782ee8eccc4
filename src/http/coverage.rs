//! What is done about requests that leave no record.

/// What an `AuditLayer` or an `AuditMiddleware` does about a request that succeeded and left no record, although no
/// function with `#[not_audited]` handled it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CoverageMode {
    /// Nothing. Requests that are refused, fail or are cut short leave their records nevertheless.
    Off,
    /// It leaves a record, `audit.unaudited`, and the answer goes out.
    #[default]
    Report,
    /// It leaves that record, and the answer does not go out: the client gets the one that a refused call gets whose
    /// effect may have happened, 500 without a body.
    ///
    /// The handler has run: what it did is done, and not undone. That is why the status is none that a client takes for
    /// retryable.
    Strict,
}
