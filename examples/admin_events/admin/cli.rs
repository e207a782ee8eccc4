//! The command line: for those who sit at the machine.

use audited::{Actor, ActorId, RecordId, Subject, Surface, record_from};

use super::accounts::{Account, Accounts};
use super::events::{CliOperation, OperatorEvent, OsActor, Proposal};

/// What can be asked for: a word, the operation that it records, and what it does to the account.
type Operation = (&'static str, CliOperation, fn(&mut Account));

const OPERATIONS: [Operation; 5] = [
    ("reset_password", CliOperation::ResetPassword, |account| account.password = "change me"),
    ("unlock", CliOperation::Unlock, |account| account.failures = 0),
    ("disable_mfa", CliOperation::DisableMfa, |account| account.codes.clear()),
    ("promote", CliOperation::Promote, |account| account.admin = true),
    ("emergency_access", CliOperation::EmergencyAccess, |account| account.inactive = false),
];

pub(crate) const USAGE: &str = "reset_password, unlock, disable_mfa, promote or emergency_access, and an e-mail address; \
                                approve, reject or apply, the number of a proposal, and a reason or files";

/// Does what the words say, once it is on record.
pub(crate) async fn run(cli: &Surface, accounts: &Accounts, words: &[&str]) -> Result<RecordId, String> {
    let os_actor = os_actor();
    let (event, recovery) = match words {
        ["approve", id] => (OperatorEvent::AiProposalApproved { proposal: proposal(id)? }, None),
        ["reject", id, reason] => {
            (OperatorEvent::AiProposalRejected { proposal: proposal(id)?, reason: (*reason).to_owned() }, None)
        }
        ["apply", id, files @ ..] => {
            let files = files.iter().map(|file| (*file).to_owned()).collect();
            (OperatorEvent::AiProposalApplied { proposal: proposal(id)?, files }, None)
        }
        [word, email] => {
            let (_, cli_operation, change) = OPERATIONS.iter().find(|(name, ..)| name == word).ok_or(USAGE)?;
            let user = accounts.change(email, |_| {}).ok_or("nobody has that address")?;
            let event = OperatorEvent::EmergencyRecovery { cli_operation: *cli_operation, os_actor: os_actor.clone() };
            (event, Some((user, email, change)))
        }
        _ => return Err(USAGE.to_owned()),
    };
    let mut record = record_from(cli, &event).actor(Actor::user(ActorId::plain(os_actor.to_string())));
    if let Some((user, ..)) = recovery {
        record = record.subject(Subject::user(user));
    }
    let id = record.await.map_err(|error| error.to_string())?;
    if let Some((_, email, change)) = recovery {
        accounts.change(email, change);
    }
    Ok(id)
}

fn proposal(id: &str) -> Result<Proposal, String> {
    let id = id.parse().map_err(|_| "a proposal has a number")?;
    Ok(Proposal { id, capability: "refactor", title: "Rename a module", ai_action: "edit_files" })
}

fn os_actor() -> OsActor {
    let user = std::env::var("USER").unwrap_or_else(|_| "nobody".into());
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    OsActor::new(user, if host.trim().is_empty() { "localhost" } else { host.trim() })
}
