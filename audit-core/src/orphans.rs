//! Calls that began and did not end.

use std::collections::HashMap;

use crate::id::RecordId;
use crate::record::{Stage, StoredRecord};

/// Finds the intents that no final record follows, in their order: calls whose process died, and, where the process
/// lives, those that are still running. How they ended is unknown.
///
/// It reads the records once, in the order in which they were written, and holds no more than the open intents.
///
/// # Errors
///
/// The first error of the records themselves.
///
/// ```
/// # use audit_core as audited;
/// use std::convert::Infallible;
/// use audited::{Action, Record, Stage, StoredRecord, orphans};
///
/// let intent = Record::builder(Action::new("vault.open")).stage(Stage::Intent).build();
/// let open = orphans([Ok::<_, Infallible>(StoredRecord::from(intent))])?;
/// assert_eq!(open[0].action(), "vault.open");
/// # Ok::<(), Infallible>(())
/// ```
pub fn orphans<E>(records: impl IntoIterator<Item = Result<StoredRecord, E>>) -> Result<Vec<StoredRecord>, E> {
    let mut open: HashMap<RecordId, (usize, StoredRecord)> = HashMap::new();
    for (at, record) in records.into_iter().enumerate() {
        let record = record?;
        let Some(id) = record.id() else { continue };
        if record.stage() == Some(Stage::Intent) {
            open.insert(record.call().unwrap_or(id), (at, record));
        } else {
            open.remove(&id);
        }
    }
    let mut orphans: Vec<_> = open.into_values().collect();
    orphans.sort_unstable_by_key(|(at, _)| *at);
    Ok(orphans.into_iter().map(|(_, intent)| intent).collect())
}
