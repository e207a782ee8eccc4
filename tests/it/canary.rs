//! The canary harness: it is silent where nothing leaks, and finds whatever does.

mod clean;
mod leaky;
mod modes;
mod planting;
mod vacuous;

use std::fmt;

use audited::testing::{CanaryReport, Form, Leak};
use audited::{AuditEvent, Deny, Sensitive, audited, record};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize, Sensitive)]
struct Transfer {
    to: u64,
    #[sensitive(plain)]
    currency: String,
    #[sensitive]
    memo: String,
    #[sensitive(hash)]
    device: String,
    #[sensitive(hash)]
    limit: u64,
}

impl Transfer {
    fn sample() -> Self {
        Self { to: 815, currency: "EUR".into(), memo: "gift".into(), device: "phone".into(), limit: 10 }
    }
}

#[derive(Debug, Deny)]
enum BankError {
    #[denied("frozen")]
    Frozen,
    #[failed]
    Memo(String),
}

impl fmt::Display for BankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frozen => f.write_str("the account is frozen"),
            Self::Memo(memo) => write!(f, "no such memo: {memo}"),
        }
    }
}

impl std::error::Error for BankError {}

#[derive(AuditEvent)]
#[event(prefix = "bank")]
enum BankEvent {
    Moved { body: Transfer },
}

#[audited(action = "account.transfer", resource("account", body.to), fields(body))]
async fn transfer(body: Transfer) -> Result<u64, BankError> {
    tracing::info!(to = body.to, "moving money");
    record(&BankEvent::Moved { body: body.clone() }).await.map_err(|_| BankError::Frozen)?;
    if body.to == 0 { Err(BankError::Memo(body.memo)) } else { Ok(body.to) }
}

#[audited(action = "account.look", fields(body))]
fn look(body: &Transfer) -> u64 {
    body.to
}

/// The one leak that there is of `memo`, as far as several places do not have the same.
#[track_caller]
fn the_leak<R>(report: &CanaryReport<R>, form: Form) -> &Leak {
    let mut found = report.leaks().iter().filter(|leak| leak.form == form);
    let leak = found.next().unwrap_or_else(|| panic!("no leak in this form: {report}"));
    assert_eq!(leak.path, "memo", "{report}");
    leak
}
