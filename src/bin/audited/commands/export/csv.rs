//! Records as rows of CSV.

use std::borrow::Cow;
use std::io::{self, Write};

use audited::{ActorKind, StoredActor, StoredDecision, StoredOutcome, StoredRecord};

use crate::output::escape_controls;

/// What stands above the columns. Further ones are added behind them; these stay.
const COLUMNS: [&str; 25] = [
    "id",
    "occurred_at",
    "recorded_at",
    "tenant",
    "kind",
    "stage",
    "action",
    "actor_kind",
    "actor_id",
    "on_behalf_of_kind",
    "on_behalf_of_id",
    "subjects",
    "resource_kind",
    "resource_id",
    "decision",
    "deny_reason",
    "outcome",
    "failure_code",
    "severity",
    "source_ip",
    "correlation_id",
    "trace_id",
    "stream",
    "seq",
    "detail",
];

/// Writes records as rows.
pub(super) struct CsvRows<W: Write>(csv::Writer<W>);

impl<W: Write> CsvRows<W> {
    /// Writes what stands above the columns.
    pub(super) fn begin(out: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS).map_err(of_output)?;
        Ok(Self(writer))
    }

    pub(super) fn write(&mut self, record: &StoredRecord) -> io::Result<()> {
        let row = row(record);
        self.0.write_record(row.iter().map(|text| harmless(text).into_owned())).map_err(of_output)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What went wrong with the output: a pipe that was closed, or a disk that is full, is to be known as such.
fn of_output(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::ErrorKind::InvalidData.into(),
    }
}

fn row(record: &StoredRecord) -> [String; COLUMNS.len()] {
    let text = |text: Option<Cow<'_, str>>| text.unwrap_or_default().into_owned();
    let shown = |value: Option<&dyn ToString>| value.map(ToString::to_string).unwrap_or_default();
    let (decision, deny_reason) = match record.decision() {
        Some(StoredDecision::Allow) => ("allow", String::new()),
        Some(StoredDecision::Deny { reason }) => ("deny", reason.into_owned()),
        _ => ("", String::new()),
    };
    let (outcome, failure_code) = match record.outcome() {
        Some(StoredOutcome::Success) => ("success", String::new()),
        Some(StoredOutcome::Failure { code }) => ("failure", code.into_owned()),
        Some(StoredOutcome::Unknown) => ("unknown", String::new()),
        _ => ("", String::new()),
    };
    let (actor, principal) = (actor(record.actor()), actor(record.on_behalf_of()));
    let resource = record.resource().map(|resource| (resource.kind, resource.id)).unwrap_or_default();
    let subjects: Vec<_> = record.subjects().iter().map(|subject| format!("{}:{}", subject.kind, subject.id)).collect();
    [
        shown(record.id().as_ref().map(|id| id as _)),
        shown(record.occurred_at().as_ref().map(|moment| moment as _)),
        shown(record.recorded_at().as_ref().map(|moment| moment as _)),
        text(record.tenant()),
        record.kind().map_or("", audited::Kind::as_str).to_owned(),
        record.stage().map_or("", audited::Stage::as_str).to_owned(),
        record.action().into_owned(),
        actor.0,
        actor.1,
        principal.0,
        principal.1,
        subjects.join(" "),
        resource.0,
        resource.1,
        decision.to_owned(),
        deny_reason,
        outcome.to_owned(),
        failure_code,
        record.severity().map_or("", audited::Severity::as_str).to_owned(),
        shown(record.source().and_then(|source| source.ip).as_ref().map(|ip| ip as _)),
        text(record.correlation_id()),
        text(record.trace_id()),
        text(record.stream()),
        shown(record.seq().as_ref().map(|seq| seq as _)),
        record.detail().unwrap_or_default().to_owned(),
    ]
}

fn actor(actor: Option<StoredActor>) -> (String, String) {
    actor.map_or_else(Default::default, |actor| {
        (actor.kind.map_or("", ActorKind::as_str).to_owned(), actor.id.unwrap_or_default())
    })
}

/// A text that no spreadsheet takes for a formula, and no terminal for a command.
///
/// What comes before a formula, blanks and characters that look like the signs among them, is passed over by some
/// spreadsheets, too.
fn harmless(text: &str) -> Cow<'_, str> {
    let begins_formula =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '|' | '＝' | '＋' | '－' | '＠');
    let is_formula = text.trim_start_matches([' ', '\u{a0}', '\u{feff}', '\'', '"']).starts_with(begins_formula);
    let shown = escape_controls(text);
    if is_formula { Cow::Owned(format!("'{shown}")) } else { shown }
}
