//! Legal holds, kept in the file.

use audit_core::StoreError;
use audit_core::{Record, SinkError};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use thiserror::Error;

use super::SqliteStore;
use super::insert::{Insert, Prepared, Unwritten};
use super::readers::failed;
use crate::hold::LegalHold;

impl SqliteStore {
    /// The holds that are placed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot answer.
    pub async fn holds(&self) -> Result<Vec<LegalHold>, StoreError> {
        self.0.read(|reading| failed(holds(&reading.connection))).await
    }

    /// Places a hold and records it as `audit.hold_placed`, in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is one of that name, or the store fails; the hold is not placed then.
    pub async fn place_hold(&self, hold: LegalHold) -> Result<(), StoreError> {
        let placed = self.on_writer(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let text = serde_json::to_string(&hold).unwrap_or_default();
            let sql = "INSERT INTO main.audit_holds VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            if transaction.execute(sql, params![hold.name(), text])? == 0 {
                return Ok(false);
            }
            insert(&transaction, hold.record("audit.hold_placed"))?;
            transaction.commit()?;
            Ok(true)
        });
        if placed.await? { Ok(()) } else { Err(StoreError::failed(HoldName::Taken)) }
    }

    /// Lifts a hold and records it as `audit.hold_lifted`, in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is none of that name, or the store fails; the hold is not lifted then.
    pub async fn lift_hold(&self, name: &str, reason: &str) -> Result<(), StoreError> {
        let (name, reason) = (name.to_owned(), reason.to_owned());
        let lifted = self.on_writer(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "DELETE FROM main.audit_holds WHERE name = ?1 RETURNING hold";
            let text: Option<String> = transaction.query_row(sql, [&name], |row| row.get(0)).optional()?;
            let Some(text) = text else { return Ok(false) };
            let hold = parse(&name, &text).because(&reason);
            insert(&transaction, hold.record("audit.hold_lifted"))?;
            transaction.commit()?;
            Ok(true)
        });
        if lifted.await? { Ok(()) } else { Err(StoreError::failed(HoldName::Unknown)) }
    }
}

pub(super) fn holds(connection: &Connection) -> rusqlite::Result<Vec<LegalHold>> {
    let mut rows = connection.prepare("SELECT name, hold FROM main.audit_holds ORDER BY name")?;
    let holds = rows.query_map([], |row| Ok(parse(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?)))?;
    holds.collect()
}

/// One that cannot be read holds everything.
fn parse(name: &str, text: &str) -> LegalHold {
    serde_json::from_str(text).unwrap_or_else(|_| LegalHold::new(name, "it cannot be read"))
}

/// Writes what the store says about itself.
pub(super) fn insert(connection: &Connection, record: Record) -> rusqlite::Result<()> {
    let Some(prepared) = Prepared::new(record) else { return Ok(()) };
    prepared.insert(connection, Insert::Whole).map_err(|unwritten| match unwritten {
        Unwritten::Failed(error) => error,
        Unwritten::Refused(refusal) => rusqlite::Error::ToSqlConversionFailure(Box::<SinkError>::new(refusal)),
    })
}

/// No hold was placed or lifted.
#[derive(Debug, Error)]
enum HoldName {
    #[error("a hold of that name is placed already: lift it, or take another name")]
    Taken,
    #[error("no hold of that name is placed")]
    Unknown,
}
