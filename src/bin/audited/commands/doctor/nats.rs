//! A stream of NATS.

use audited::{AuditSink as _, Durability, NatsError};

use super::report::Report;
use crate::commands::forward::target::nats_options;
use crate::failure::Failure;

pub(super) fn examine(url: &str, report: &mut Report) -> Result<(), Failure> {
    let options = nats_options(url)?;
    match options.clone().connect() {
        Ok(sink) => {
            report.ok("stream", format!("{} keeps what it takes", sink.describe()));
            match sink.durability() {
                Durability::Replicated | Durability::Disk => {}
                Durability::OsBuffer => {
                    report.ok("durability", "an acknowledgement says that a server has it in a file");
                }
                weaker => report.failure(
                    "durability",
                    format!("an acknowledgement promises `{weaker}`"),
                    "take a stream that is kept in files",
                ),
            }
        }
        Err(NatsError::Unfit { faults, .. }) => {
            for fault in &faults {
                report.fault("stream", fault.to_string());
            }
        }
        Err(NatsError::NoStream { stream }) => report.failure(
            "stream",
            format!("there is no stream {stream}"),
            "create it: in files, with the subjects `audit.>`, without limits, `deny_delete` and `deny_purge`",
        ),
        Err(error) => return Err(Failure::because(format_args!("{options:?}"), &error)),
    }
    report.unknown("room", "how much room the servers' disks have cannot be seen by a client");
    report.unknown(
        "sync_interval",
        "NATS acknowledges before it syncs unless each server has `sync_interval: always`: no client can see that",
    );
    Ok(())
}
