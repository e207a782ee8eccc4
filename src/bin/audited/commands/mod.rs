//! The commands, a file each.

pub(crate) mod catalogue;
pub(crate) mod completions;
pub(crate) mod dead_letters;
pub(crate) mod doctor;
mod document;
pub(crate) mod export;
mod find;
pub(crate) mod forward;
pub(crate) mod lock;
pub(crate) mod man;
pub(crate) mod orphans;
pub(crate) mod query;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod tail;
pub(crate) mod verify;

use std::io;

use audited::StoredRecord;

use crate::failure::Exit;
use crate::open::Source;
use crate::output::{Column, Output, Table};

/// Prints records: a table for people, a record a line for programs.
fn list(output: &mut Output, records: &[StoredRecord], tenants: bool, ids: bool) -> io::Result<()> {
    if output.is_json() {
        return records.iter().try_for_each(|record| output.json(record.json()));
    }
    if records.is_empty() {
        return output.line("no records");
    }
    let columns = columns(tenants, ids);
    let zone = output.zone();
    let mut table = Table::new(columns.iter().map(|column| column.heading(zone)));
    for record in records {
        table.row(columns.iter().map(|column| column.of(record, zone)));
    }
    output.table(&table)
}

/// What is shown of each record.
fn columns(tenants: bool, ids: bool) -> Vec<Column> {
    let mut columns =
        vec![Column::Time, Column::Action, Column::Decision, Column::Actor, Column::Resource, Column::Outcome];
    columns.extend(tenants.then_some(Column::Tenant));
    columns.extend(ids.then_some(Column::Id));
    columns
}

/// How a command ends that has read all that it wanted.
fn ending(source: &Source) -> Exit {
    if source.damages.are_any() { Exit::Findings } else { Exit::Clean }
}
