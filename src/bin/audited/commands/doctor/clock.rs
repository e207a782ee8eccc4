//! The clock of this machine.

use std::path::Path;

use super::report::Report;

/// Whether it is set by others. Only systemd's own client says so in a file.
pub(super) fn examine(report: &mut Report) {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        report.ok("time", "the clock of this machine is synchronised, says systemd-timesyncd");
    } else {
        report.unknown(
            "time",
            "whether the clock of this machine is synchronised cannot be seen: ask chrony, ntpd or timedatectl",
        );
    }
}
