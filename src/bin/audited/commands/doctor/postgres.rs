//! A store in a server.

use audited::{PostgresError, PostgresInspection, PostgresStore, Timestamp};

use super::report::Report;
use crate::failure::Failure;
use crate::open::{ServerArgs, postgres_options};

/// By how much the clocks may differ, in microseconds.
const CLOCK: i64 = 1_000_000;
const FAR: i64 = 60 * CLOCK;
/// How far ahead there should be partitions, in microseconds.
const AHEAD: i64 = 7 * 24 * 3600 * 1_000_000;

const AS_THE_SERVICE: &str =
    "connect as the service does; its role is granted the store's writer, and owns nothing there";

pub(super) async fn examine(url: &str, server: &ServerArgs, report: &mut Report) -> Result<(), Failure> {
    let options = postgres_options(url, server)?;
    let name = options.to_string();
    let found = match PostgresStore::inspect(options).await {
        Ok(found) => found,
        Err(error @ PostgresError::NotSetUp(_)) => {
            report.fault("set-up", error.to_string());
            return Ok(());
        }
        Err(error) if error.sql_state() == Some("42501") => {
            report.failure("role", "it may not even see how the database is set up", AS_THE_SERVICE);
            return Ok(());
        }
        Err(error) => return Err(Failure::because(name, &error)),
    };
    settings(&found, report);
    set_up(&found, report);
    role(&found, report);
    guards(&found, report);
    partitions(&found, report);
    connection(&found, report);
    report.unknown("room", "how much room the server's disks have cannot be seen by a client");
    report.unknown("records", "they were not read: `audited verify` checks each");
    Ok(())
}

fn settings(found: &PostgresInspection, report: &mut Report) {
    let of = |name: &str| found.settings.get(name).map_or("unknown", String::as_str);
    report.ok("server", format!("PostgreSQL {}", of("server_version")));
    let mut must_be = |name: &'static str, wanted: &str, otherwise: &str| {
        let is = of(name);
        if is == wanted {
            report.ok(name, is);
        } else {
            report.failure(
                name,
                format!("{is}: {otherwise}"),
                format!("set {name} = {wanted}, and restart or reload the server"),
            );
        }
    };
    must_be("fsync", "on", "what is acknowledged is lost when the machine fails");
    must_be("full_page_writes", "on", "pages that a crash has torn cannot be repaired");
    must_be("zero_damaged_pages", "off", "damaged pages are emptied in silence");
    must_be("default_transaction_read_only", "off", "what a store writes is refused");
    must_be("server_encoding", "UTF8", "a store takes no other");
    match of("synchronous_commit") {
        is @ ("on" | "remote_apply") => report.ok("synchronous_commit", is),
        is => report.warning(
            "synchronous_commit",
            format!("{is} for this role: a store sets `on` for its own sessions, and others commit before the sync"),
            "set synchronous_commit = on",
        ),
    }
    match of("data_checksums") {
        "on" => report.ok("data_checksums", "on"),
        is => report.warning(
            "data_checksums",
            format!("{is}: what a disk changes is not noticed"),
            "pg_checksums --enable",
        ),
    }
    match of("synchronous_standby_names") {
        names if !names.is_empty() && found.standbys == 0 => report.failure(
            "durability",
            format!("no standby is connected, and commits wait for one of {names}"),
            "bring back the standby, or take it out of synchronous_standby_names: until then no record is acknowledged",
        ),
        "" => report.ok("durability", "an acknowledgement says that this server has it on its disk"),
        _ => report.ok("durability", "an acknowledgement says that synchronous standbys have it, too"),
    }
    if found.is_standby {
        report.failure("server", "it is a standby, and takes no records", "name the primary");
    }
}

fn set_up(found: &PostgresInspection, report: &mut Report) {
    let (is, wanted) = (found.version, found.current_version);
    if is == wanted {
        report.ok("set-up", format!("version {is}"));
    } else {
        report.failure(
            "set-up",
            format!("version {is}, and this program wants {wanted}"),
            "run `PostgresSetUp` of the newer as its owner",
        );
    }
}

/// What the store's role may do.
fn role(found: &PostgresInspection, report: &mut Report) {
    let name = &found.role;
    let mut fine = true;
    let mut must_be_none = |list: &[String], says: &str| {
        if !list.is_empty() {
            fine = false;
            report.failure("role", format!("{name} {says} {}", list.join(", ")), AS_THE_SERVICE);
        }
    };
    must_be_none(&found.powers, "is more than a store's role:");
    must_be_none(&found.owned, "can drop and change what it owns:");
    must_be_none(&found.excess, "may do what a store never does:");
    must_be_none(&found.lacking, "may not do what a store must:");
    if fine {
        report.ok("role", format!("{name} inserts and selects, and may do no more"));
    }
    if found.grants.is_empty() {
        report.ok("grants", "nobody else was granted to change or remove records; an owner and a superuser can");
    } else {
        let grants = found.grants.join("; ");
        report.failure("grants", format!("others may change or remove records: {grants}"), "revoke them");
    }
}

fn guards(found: &PostgresInspection, report: &mut Report) {
    for fault in &found.unguarded {
        report.failure(
            "triggers",
            fault.clone(),
            "run `PostgresSetUp` anew or restore them, and find out what was done meanwhile",
        );
    }
    if found.unguarded.is_empty() {
        report.ok("triggers", "every table refuses updates, deletes and truncates, and every partition");
    }
    if found.unscoped.is_empty() {
        report.ok("row level security", "on, for every table");
    } else {
        report.failure(
            "row level security",
            format!("off: {}", found.unscoped.join(", ")),
            "ALTER TABLE … ENABLE ROW LEVEL SECURITY",
        );
    }
}

fn partitions(found: &PostgresInspection, report: &mut Report) {
    let mend = "call `PostgresStore::maintain` daily, or run `PostgresSetUp` with more ahead";
    let ahead = found.partitioned_until.map(|until| until.as_unix_micros() - Timestamp::now().as_unix_micros());
    match (ahead, found.partitioned_until) {
        (Some(ahead), Some(until)) if ahead >= AHEAD => {
            report.ok("partitions", format!("{}, the last until {until}", found.partitions));
        }
        (Some(ahead), Some(until)) if ahead > 0 => {
            report.warning("partitions", format!("the last ends soon, {until}"), mend);
        }
        _ => report.warning(
            "partitions",
            "there is none for today: records go into the default one, which no retention removes",
            mend,
        ),
    }
    if found.in_default {
        report.warning("partitions", "records lie in the default partition, which no retention removes", mend);
    }
}

fn connection(found: &PostgresInspection, report: &mut Report) {
    match &found.tls {
        Some(version) => report.ok("TLS", version.clone()),
        None if found.is_local => report.ok("TLS", "none, and the server is on this machine"),
        None => report.failure(
            "TLS",
            "none: records and the password can be read on their way",
            "write ?sslmode=require, with --tls-roots FILE where the system does not know the certificate",
        ),
    }
    let (ahead, trip) = (found.clock_ahead_micros, found.round_trip);
    let unsure = i64::try_from(trip.as_micros() / 2).unwrap_or(i64::MAX);
    let off = ahead.abs().saturating_sub(unsure);
    let says = format!(
        "the server's is {} ms {} the one here",
        ahead.abs() / 1_000,
        if ahead < 0 { "behind" } else { "ahead of" }
    );
    if off > FAR {
        report.failure("clocks", says, "synchronise both");
    } else if off > CLOCK {
        report.warning("clocks", says, "synchronise both");
    } else {
        report.ok("clocks", says);
    }
    report.ok("answer", format!("after {} µs", trip.as_micros()));
}
