//! What the command line of the example alone can do does not compile in an HTTP handler.
#![allow(dead_code)]

#[path = "../../../examples/admin_events/admin/events.rs"]
mod events;

use audited::{Unacknowledged, record};
use events::{CliOperation, OperatorEvent, OsActor};

async fn recover() -> Result<(), Unacknowledged> {
    let os_actor = OsActor::new("ann", "host");
    record(&OperatorEvent::EmergencyRecovery { cli_operation: CliOperation::Unlock, os_actor }).await?;
    Ok(())
}

fn main() {
    drop(recover());
}
