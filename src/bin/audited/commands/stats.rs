//! `audited stats`

use std::collections::BTreeMap;

use audited::{Stage, StoredDecision, StoredOutcome, StoredRecord, Timestamp};
use clap::Args;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::ending;
use crate::asking::AskArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Output, Style, Table, day, moment};
use crate::progress::Progress;
use crate::walk::Walk;

/// Counts records by action, decision, outcome, severity, day and tenant, and what was lost.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatsArgs {
    /// Shows so many of each kind, those that are most; JSON has all.
    #[arg(long, value_name = "ROWS", default_value_t = 20)]
    top: usize,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

const EXAMPLES: &str = "\
Examples:
  What there is:
    audited stats sqlite:audit.db --all-tenants --reason inventory
  Denials of the last week, by day and action:
    audited stats postgres://bank@db/bank --tenant acme --denied --since 7d

Records that were lost are counted by `audit.gap` records, which belong to no tenant: --all-tenants shows them.
Orphans are calls that have no end, as `audited orphans` lists them.";

/// What is counted of each kind; what is beyond is counted as `(others)`.
const MOST: usize = 10_000;
const OTHERS: &str = "(others)";

type Counts = BTreeMap<String, u64>;

/// What was counted.
#[derive(Default, Serialize)]
struct Stats {
    records: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    actions: Counts,
    decisions: Counts,
    outcomes: Counts,
    severities: Counts,
    days: Counts,
    tenants: Counts,
    /// Records of gaps.
    gaps: u64,
    /// Records that those say were lost.
    lost: u64,
    orphans: u64,
}

/// What a record of a gap says.
#[derive(serde::Deserialize)]
struct Gap {
    lost: u64,
}

impl StatsArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let (source, session) = self.ask.open().await?;
        let query = self.ask.query(&session, output.zone())?;
        let mut walk = Walk::new(&source, &session, query);
        let (mut stats, progress) = (Stats::default(), Progress::start("counted"));
        while let Some(records) = walk.next().await? {
            for record in &records {
                stats.count(record, output.zone());
            }
            progress.add(records.len());
        }
        drop(progress);
        session.end();
        if output.is_json() {
            let json = serde_json::to_string(&stats);
            output.json(&json.map_err(|error| Failure::because("the counts", &error))?)?;
        } else {
            self.show(&stats, output)?;
        }
        output.flush()?;
        Ok(ending(&source))
    }

    fn show(&self, stats: &Stats, output: &mut Output) -> Result<(), Failure> {
        let mut totals = Table::new(["RECORDS", "FIRST", "LAST", "ORPHANS", "GAPS", "LOST"]);
        let warn =
            |count: u64, style| Cell::new(count.to_string()).styled(if count > 0 { style } else { Style::Plain });
        totals.row([
            Cell::new(stats.records.to_string()),
            Cell::new(moment(stats.first, output.zone())),
            Cell::new(moment(stats.last, output.zone())),
            warn(stats.orphans, Style::Doubtful),
            warn(stats.gaps, Style::Bad),
            warn(stats.lost, Style::Bad),
        ]);
        output.table(&totals)?;
        let by_count = [
            ("ACTION", &stats.actions),
            ("DECISION", &stats.decisions),
            ("OUTCOME", &stats.outcomes),
            ("SEVERITY", &stats.severities),
            ("TENANT", &stats.tenants),
        ];
        for (heading, counts) in by_count {
            let mut rows: Vec<_> = counts.iter().collect();
            rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            self.rows(heading, &rows, output)?;
        }
        let days: Vec<_> = stats.days.iter().rev().collect();
        self.rows("DAY", &days, output)
    }

    fn rows(&self, heading: &str, rows: &[(&String, &u64)], output: &mut Output) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut table = Table::new([heading, "RECORDS"]);
        for (name, count) in rows.iter().take(self.top) {
            table.row([Cell::new(name), Cell::new(count.to_string())]);
        }
        output.line("")?;
        output.table(&table)?;
        if rows.len() > self.top {
            output.line(format_args!("and {} more: --top {}", rows.len() - self.top, rows.len()))?;
        }
        Ok(())
    }
}

impl Stats {
    fn count(&mut self, record: &StoredRecord, zone: &TimeZone) {
        self.records += 1;
        add(&mut self.actions, &record.action());
        match record.decision() {
            Some(StoredDecision::Allow) => add(&mut self.decisions, "allow"),
            Some(StoredDecision::Deny { reason }) => add(&mut self.decisions, &format!("deny {reason}")),
            _ => {}
        }
        match record.outcome() {
            _ if record.stage() == Some(Stage::Intent) => self.orphans += 1,
            Some(StoredOutcome::Success) => add(&mut self.outcomes, "success"),
            Some(StoredOutcome::Failure { code }) => add(&mut self.outcomes, &format!("failure {code}")),
            Some(StoredOutcome::Unknown) => add(&mut self.outcomes, "unknown"),
            _ => {}
        }
        if let Some(severity) = record.severity() {
            add(&mut self.severities, severity.as_str());
        }
        if let Some(tenant) = record.tenant() {
            add(&mut self.tenants, &tenant);
        }
        if record.action() == "audit.gap" {
            self.gaps += 1;
            self.lost += record.detail_as::<Gap>().map_or(0, |gap| gap.lost);
        }
        let Some(moment) = record.occurred_at().or_else(|| record.recorded_at()) else { return };
        add(&mut self.days, &day(moment, zone));
        self.first = Some(self.first.map_or(moment, |first| first.min(moment)));
        self.last = Some(self.last.map_or(moment, |last| last.max(moment)));
    }
}

fn add(counts: &mut Counts, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
        return;
    }
    let name = if counts.len() < MOST { name } else { OTHERS };
    *counts.entry(name.to_owned()).or_default() += 1;
}
