//! The journal that is read, and its files as a store that has no index: it tells what a reader asks a store for.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audited::__private::{Inline as _, Ticket, block_on};
use audited::{
    Action, Actor, ActorId, Arrived, AuditContext, AuditSink, AuditStore, CursorKey, Decision, Durability,
    JournalOptions, Outcome, Position, Query, Record, Selection, SinkError, StoreError, StoredRecord,
};

const SEGMENT_BYTES: u64 = 32 << 20;
/// One record in so many is what is looked for.
const RARE: u64 = 10_000;

/// The files of a journal, as a store that has no index.
#[derive(Clone)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
    asked: Arc<Mutex<Option<Selection>>>,
}

impl Files {
    pub(super) fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), asked: Arc::default() }
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// What a reader asks a store for a query.
    pub(super) fn selection(&self, query: &Query) -> Selection {
        let reader = self.global("benchmark").unrecorded();
        let asked = async { reader.count(query).await.map(drop).map_err(|_| SinkError::Closed) };
        block_on(asked, Duration::MAX).unwrap();
        self.asked.lock().unwrap().take().unwrap()
    }

    /// Has every block of every file.
    pub(super) fn blocks(&self, mut each: impl FnMut(&[u8])) {
        let mut block = vec![0; 1 << 20];
        for path in self.paths() {
            let mut file = File::open(path).unwrap();
            while let read @ 1.. = file.read(&mut block).unwrap() {
                each(&block[..read]);
            }
        }
    }
}

/// Writes a journal of about so many bytes.
pub(super) fn write(path: &Path, bytes: u64) {
    let journal = JournalOptions::new().os_buffer().segment_bytes(SEGMENT_BYTES).reserve_bytes(0).open(path).unwrap();
    let (mut written, mut number) = (0, 0);
    while written < bytes {
        let receipts: Vec<_> = (0..1_000)
            .map(|_| {
                number += 1;
                let record = record(number);
                // With its place in the stream.
                written += record.json().len() as u64 + 149;
                let (ticket, receipt) = Ticket::new();
                journal.submit(record, ticket);
                receipt
            })
            .collect();
        for receipt in receipts {
            receipt.wait().unwrap();
        }
    }
}

/// A record of about the size of an audited call.
fn record(number: u64) -> Record {
    let user = if number.is_multiple_of(RARE) { "rare".to_owned() } else { format!("user-{}", number % 1_009) };
    let context = AuditContext::new()
        .actor(Actor::user(ActorId::plain(user)))
        .tenant(audited::TenantId::plain(format!("tenant-{}", number % 7)));
    Record::builder(Action::new("account.transfer"))
        .context(context)
        .decision(Decision::Allow)
        .outcome(Outcome::Success)
        .fields(|fields| {
            fields.value("cents", &(number * 31));
            fields.plain("currency", "EUR");
            fields.plain("to", &format!("account-{:08}", number % 65_537));
            fields.redacted("memo");
        })
        .build()
}

#[async_trait::async_trait]
impl AuditStore for Files {
    async fn select(&self, _: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        *self.asked.lock().unwrap() = Some(selection.clone());
        Ok(0)
    }

    async fn arrived(&self, _: &Selection, _: &Position) -> Result<Arrived, StoreError> {
        Err(StoreError::Closed)
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Err(StoreError::Closed)
    }

    async fn grown(&self, _: &Position) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        Err(StoreError::Closed)
    }
}

#[async_trait::async_trait]
impl AuditSink for Files {
    async fn write(&self, _: &[Record]) -> Result<(), SinkError> {
        Err(SinkError::Closed)
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "files".into()
    }
}
