//! The record of an audited call in a transaction of its caller's.
//!
//! Only a success goes there, once the body is over and before its arguments are dropped: the transaction is one of
//! them. From the moment that the transaction is asked, the record may be in it, and nothing else is recorded of the call
//! but what cannot contradict it.

use super::writing::Obliged;
use crate::contain::contained;
use crate::decision::Verdict;
use crate::judge::Told;
use crate::record::{Flag, Stage};
use crate::recorder::Call;
use crate::recorder::shell::with_call;
use crate::sink::SinkError;
use crate::transaction::AuditTransaction;

/// How far the record of a call is that goes into a transaction.
pub(in crate::recorder) enum Within {
    /// It goes into none, or the body is not over.
    Not,
    /// The body is over, and came to this.
    Judged(Verdict),
    /// The transaction was asked.
    Asked,
    Written,
    /// The transaction did not take it.
    Refused,
}

impl Within {
    /// Whether the body was judged.
    pub(in crate::recorder) fn is_over(&self) -> bool {
        !matches!(self, Self::Not)
    }

    pub(in crate::recorder) fn is_written(&self) -> bool {
        matches!(self, Self::Written)
    }

    pub(in crate::recorder) fn may_be_written(&self) -> bool {
        matches!(self, Self::Asked | Self::Written)
    }

    pub(in crate::recorder) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused)
    }
}

impl Call {
    /// Keeps what the body came to; says whether that is a success.
    fn keep(&mut self, judge: impl FnOnce(&mut Self) -> Verdict) -> bool {
        if self.is_refused() || self.is_off() {
            return false;
        }
        let verdict = contained(|| judge(self)).unwrap_or(Verdict::unknown());
        let succeeded = verdict == Verdict::success();
        self.within = Within::Judged(verdict);
        succeeded
    }

    /// The transaction is about to be asked.
    fn oblige(&mut self) -> Obliged {
        self.within = Within::Asked;
        self.draft.set_verdict(Verdict::success());
        self.draft.stage = Stage::Completed;
        let when = self.end();
        Obliged::new(&self.core, &self.draft, Some(&self.context()), self.id, when)
    }

    /// The verdict for the record that goes to the recorder. A success that is in no transaction is none that anybody can
    /// vouch for: the caller may roll back what it is about.
    pub(in crate::recorder) fn judged_before(&mut self) -> Verdict {
        match &self.within {
            Within::Judged(verdict) if *verdict != Verdict::success() => verdict.clone(),
            _ => {
                self.within = Within::Refused;
                self.draft.flags.raise(Flag::NotInTransaction);
                Verdict::unknown()
            }
        }
    }

    fn within_answered(&mut self, answer: &Result<(), SinkError>) {
        self.within = if answer.is_ok() { Within::Written } else { Within::Refused };
    }
}

/// Runs a body that is not async, so that its returns end here.
pub fn run_body<T>(body: impl FnOnce() -> T) -> T {
    body()
}

/// Whether the body has succeeded, so that its record goes into the transaction. The verdict is kept.
pub fn succeeded<T>(value: &T, judge: impl FnOnce(&T, &mut dyn Told) -> Verdict) -> bool {
    with_call(|call| call.keep(|call| judge(value, call))).unwrap_or(false)
}

/// Writes the record of the running call, whose body has succeeded, into a transaction.
pub async fn write_into<T: AuditTransaction + ?Sized>(transaction: &T) {
    if let Some(obliged) = with_call(Call::oblige) {
        let answer = obliged.write(transaction).await;
        with_call(|call| call.within_answered(&answer));
    }
}

/// As [`write_into`], and blocks the thread for that.
pub fn write_into_sync<T: AuditTransaction + ?Sized>(transaction: &T) {
    if let Some(obliged) = with_call(Call::oblige) {
        let answer = obliged.write_sync(transaction);
        with_call(|call| call.within_answered(&answer));
    }
}

/// In place of what judges a value: that was done when the body was over.
pub fn judged_before<T: ?Sized>(_: &T, _: &mut dyn Told) -> Verdict {
    Verdict::unknown()
}
