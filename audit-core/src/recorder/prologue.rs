//! What the body of an audited function does before the user's part of it: it captures what the attribute names, passes
//! its guard, and has its intent acknowledged.
//!
//! The user's expressions are arguments here, so that they are evaluated while the call lies where it belongs: they may
//! await, return, panic, and make audited calls of their own.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::call::Call;
use super::capture::{CaptureActor, CaptureSubject};
use super::shell::{is_inside_off, with_call};
use crate::decision::Guard;
use crate::refusal::{Effect, Refusal};
use crate::sensitive::Sensitive;
use crate::sink::SinkError;
use crate::ticket::Receipt;

/// Captures the owner of the record.
pub fn tenant(tenant: &dyn Sensitive) {
    with_call(|call| call.tenant(tenant));
}

/// Captures who acts.
pub fn actor(actor: &dyn CaptureActor) {
    with_call(|call| call.actor(actor));
}

/// Captures whom it is about.
pub fn subject(subject: &dyn CaptureSubject) {
    with_call(|call| call.subject(subject));
}

/// Captures what is acted on.
pub fn resource(kind: &'static str, id: &dyn Sensitive) {
    with_call(|call| call.resource(kind, id));
}

/// Captures a field of the detail.
pub fn field(key: &str, value: &dyn Sensitive) {
    with_call(|call| call.field(key, value));
}

/// Captures several fields of the detail at once; see [`Call::fields`].
pub fn fields(keys: &str, values: &[&dyn Sensitive]) {
    with_call(|call| call.fields(keys, values));
}

/// Lets the call pass its guard, or notes that it is denied.
///
/// # Errors
///
/// The refusal to answer with.
pub fn require(guard: impl Guard) -> Result<(), Refusal> {
    if is_inside_off() {
        return guard.guard().map_err(|_| Refusal::Denied);
    }
    with_call(|call| call.require(guard)).unwrap_or(Err(Refusal::Denied))
}

/// Has the intent acknowledged, where there is to be one. Awaited by an async body; a refusal means that the user's part
/// must not run.
pub fn intent() -> Intent {
    Intent { receipt: None }
}

/// Has the intent acknowledged as [`intent`] does, and blocks the thread for that.
///
/// # Errors
///
/// The refusal to answer with.
pub fn intent_sync() -> Result<(), Refusal> {
    match announce()? {
        None => Ok(()),
        Some(receipt) => announced(&receipt.wait()),
    }
}

fn announce() -> Result<Option<Receipt>, Refusal> {
    if is_inside_off() {
        return Ok(None);
    }
    with_call(Call::intent).unwrap_or(Err(NOT_STARTED))
}

fn announced(answer: &Result<(), SinkError>) -> Result<(), Refusal> {
    with_call(|call| call.intent_answered(answer)).unwrap_or(Err(NOT_STARTED))
}

const NOT_STARTED: Refusal = Refusal::Unavailable { effect: Effect::NotStarted };

/// See [`intent`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Intent {
    receipt: Option<Receipt>,
}

impl Future for Intent {
    type Output = Result<(), Refusal>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let receipt = match &mut self.receipt {
            Some(receipt) => receipt,
            none => match announce()? {
                Some(receipt) => none.insert(receipt),
                None => return Poll::Ready(Ok(())),
            },
        };
        Poll::Ready(announced(&ready!(Pin::new(receipt).poll(cx))))
    }
}
