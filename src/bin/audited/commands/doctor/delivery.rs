//! What is delivered of a journal, and what was left behind.

use std::path::Path;
use std::time::Duration;

use audited::{DeadLetter, DeadReason, ForwarderCursor, Journal, Timestamp};
use uuid::Uuid;

use super::journal::CLOCK;
use super::report::Report;
use crate::failure::Failure;

/// How long a cursor may stand still while there is something to deliver.
const STILL: Duration = Duration::from_secs(10 * 60);

/// The last line of a journal.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) stream: Uuid,
    pub(super) seq: u64,
}

/// The forwarders, each by its cursor.
pub(super) fn examine(path: &Path, head: Option<Head>, report: &mut Report) -> Result<(), Failure> {
    let cursors = match ForwarderCursor::all(path) {
        Ok(cursors) => cursors,
        Err(error) => {
            report.fault("delivery", error.to_string());
            return Ok(());
        }
    };
    if cursors.is_empty() {
        report.ok("delivery", "no forwarder has a cursor here: nothing is delivered from this journal");
    }
    for cursor in &cursors {
        of_cursor(path, cursor, head, report);
        letters(path, cursor, report);
    }
    left_behind(path, &cursors, report)
}

fn of_cursor(path: &Path, cursor: &ForwarderCursor, head: Option<Head>, report: &mut Report) {
    let name = &cursor.name;
    let Some(head) = head else {
        return report.failure(
            "delivery",
            format!("{name} has delivered record {}, and the journal has no line", cursor.seq),
            "its files were removed, or another directory stands here: bring back the journal that was here",
        );
    };
    if cursor.stream != head.stream {
        return report.failure(
            "delivery",
            format!("the cursor of {name} is of another stream than the journal"),
            "somebody has put another journal here: bring back the former one, or give the forwarder another name",
        );
    }
    if cursor.seq > head.seq {
        return report.failure(
            "delivery",
            format!("{name} has delivered record {}, and the journal ends with {}", cursor.seq, head.seq),
            "its end was cut off, or an older copy was restored: bring back the journal that was here",
        );
    }
    let behind = head.seq - cursor.seq;
    let still = since(cursor.updated_at);
    // There may have been nothing to deliver for long.
    let waits = if behind > 0 { oldest(path, cursor.seq + 1).map_or(still, since) } else { Duration::ZERO };
    if still.min(waits) > STILL {
        report.warning(
            "delivery",
            format!("{name} is {behind} records behind, and has delivered nothing for {} min", still.as_secs() / 60),
            "is it at work, and does its store take records? Its log says so",
        );
    } else if behind > 0 && cursor.updated_at.as_unix_micros() > Timestamp::now().as_unix_micros() + CLOCK {
        report.warning(
            "delivery",
            format!("{name} is {behind} records behind, and has delivered last in the future, {}", cursor.updated_at),
            "the clock was set back: whether it stands still is not known until then",
        );
    } else {
        report.ok("delivery", format!("{name} is {behind} records behind"));
    }
}

fn since(moment: Timestamp) -> Duration {
    let micros = Timestamp::now().as_unix_micros().saturating_sub(moment.as_unix_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// When the first record from a position on was recorded.
fn oldest(path: &Path, seq: u64) -> Option<Timestamp> {
    Journal::read(path).ok()?.from_seq(seq).ok()?.next()?.ok()?.recorded_at()
}

fn letters(path: &Path, cursor: &ForwarderCursor, report: &mut Report) {
    let name = &cursor.name;
    let letters = match DeadLetter::all(path, name) {
        Ok(letters) => letters,
        Err(error) => return report.fault("dead letters", error.to_string()),
    };
    let mend = "`audited dead-letters list` names them; redeliver or dismiss each";
    let conflicts = letters.iter().filter(|letter| letter.reason == DeadReason::Conflict).count();
    if conflicts > 0 {
        report.failure(
            "dead letters",
            format!("{conflicts} of {name}: the store has another record in their places; history was written anew, here or there"),
            mend,
        );
    }
    let others = letters.len() - conflicts;
    if others > 0 {
        report.warning("dead letters", format!("{others} of {name} wait for somebody"), mend);
    }
}

/// Journals of further streams: those of dead processes are to be delivered, too.
fn left_behind(path: &Path, cursors: &[ForwarderCursor], report: &mut Report) -> Result<(), Failure> {
    let streams = Journal::streams(path).map_err(|error| Failure::because("the journal cannot be read", &error))?;
    for stream in streams {
        let name = stream.file_name().unwrap_or_default().display().to_string();
        let written = Journal::inspect(&stream).is_ok_and(|found| found.writer.is_some());
        let delivered = || {
            let theirs = ForwarderCursor::all(&stream).unwrap_or_default();
            let done = |cursor: &ForwarderCursor| {
                theirs.iter().any(|their| their.name == cursor.name && their.is_complete(&stream).unwrap_or_default())
            };
            cursors.iter().all(done)
        };
        if written {
            report.ok("streams", format!("{name} is written by another process; a doctor of its own looks at it"));
        } else if cursors.is_empty() {
            report.ok("streams", format!("{name} was left by a process"));
        } else if delivered() {
            report.ok("streams", format!("{name} was left by a process, and is delivered"));
        } else {
            report.warning(
                "streams",
                format!("{name} was left by a process, and is not delivered to its end"),
                "forward with --adopt the directory of this journal",
            );
        }
    }
    Ok(())
}
