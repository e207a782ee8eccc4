//! Reading, for one tenant or for all.

use std::fmt;
use std::sync::Arc;

use super::cursor::{At, Mark};
use super::scope::Scope;
use super::selection::Selection;
use super::{AuditStore, Cursor, CursorKey, Follow, InvalidCursor, Position, StoreError, reading};
use crate::id::RecordId;
use crate::query::{Query, SortKey};
use crate::record::StoredRecord;
use crate::recorder::Recorder;

/// Reads the records of one tenant ([`AuditStore::tenant`]), or those of all ([`AuditStore::global`]).
///
/// That somebody reads is a record itself, `audit.read`, with who (from the context), whose, and which filter: one when a
/// reading is opened, none when a cursor goes on with it, unless somebody else holds that or nobody has recorded it. It is
/// acknowledged before anything is read. It is of the tenant whose records are read, or of that of the context, with the
/// other as a claim; and the reading that it is about does not find it.
///
/// What a query looks for stands there as a keyed hash, or `"<redacted>"` without a key; shown are times, ids of records,
/// and what looks like a name of the program's: actions, kinds, codes, paths.
///
/// ```
/// # use audit_core as audited;
/// use audited::{AuditStore, Cursor, Page, Query, StoreError};
///
/// /// One page for a client, who goes on with the cursor of the page before.
/// async fn list(store: &(impl AuditStore + Clone), tenant: &str, after: Option<Cursor>) -> Result<Page, StoreError> {
///     let mut query = Query::new().action_prefix("account.").limit(50);
///     if let Some(cursor) = after {
///         query = query.after(cursor);
///     }
///     store.tenant(tenant).page(&query).await
/// }
/// ```
#[derive(Clone)]
#[must_use = "a reader reads nothing until it is asked"]
pub struct Reader {
    pub(super) store: Arc<dyn AuditStore>,
    scope: Scope,
    recorded: Recorded,
}

/// Where it is recorded that something is read.
#[derive(Clone)]
enum Recorded {
    /// With the recorder that is current then.
    Current,
    By(Recorder),
    Not,
}

/// A page of records.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The records, in the order that was asked for.
    pub records: Vec<StoredRecord>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<Cursor>,
}

/// What has arrived, in the order in which it did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arrivals {
    /// The records.
    pub records: Vec<StoredRecord>,
    /// Behind what was looked at: where the next reading begins, also where nothing was found.
    pub next: Cursor,
    /// Whether more may be there already.
    pub more: bool,
}

/// From where on what arrives is read.
#[derive(Clone, Debug)]
pub enum Since {
    /// Everything that the store has.
    Beginning,
    /// What arrives from now on.
    Now,
    /// What has arrived behind [`Arrivals::next`] or [`Follow::cursor`].
    Cursor(Cursor),
}

impl Reader {
    pub(super) fn new(store: Arc<dyn AuditStore>, scope: Scope) -> Self {
        Self { store, scope, recorded: Recorded::Current }
    }

    /// Has it recorded by that recorder that something is read, instead of the one that is current then.
    pub fn recorded_by(mut self, recorder: Recorder) -> Self {
        self.recorded = Recorded::By(recorder);
        self
    }

    /// Has nobody record that something is read: for the service's own work, such as an export that is recorded as a
    /// whole.
    pub fn unrecorded(mut self) -> Self {
        self.recorded = Recorded::Not;
        self
    }

    /// Finds a page of records.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; a cursor that was not given for this scope and query is [`StoreError::InvalidCursor`].
    pub async fn page(&self, query: &Query) -> Result<Page, StoreError> {
        let mut selection = Selection::new(&self.scope, query)?;
        let (fingerprint, limit) = (selection.fingerprint(), selection.limit());
        let (read, who) = match query.cursor() {
            None => (self.record("page", query).await?, reading::who()),
            Some(cursor) => {
                let mark = selection.open(&self.store.cursor_key().await?, cursor)?;
                let At::Page(key) = mark.at else { return Err(InvalidCursor.into()) };
                selection.behind(key);
                self.go_on("page", query, &mark).await?
            }
        };
        selection.hide(read);
        selection.look_ahead();
        let mut records = self.store.select(&selection).await?;
        check(&selection, records.iter())?;
        let mut next = None;
        if records.len() > limit {
            records.truncate(limit);
            if let Some(last) = records.last().and_then(|record| SortKey::of(record)) {
                let mark = Mark { fingerprint, read, who, at: At::Page(last) };
                next = Some(self.store.cursor_key().await?.seal(&mark));
            }
        }
        Ok(Page { records, next })
    }

    /// Counts the records of a query, whatever its order, limit, offset and cursor.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn count(&self, query: &Query) -> Result<u64, StoreError> {
        let mut selection = Selection::new(&self.scope, query)?;
        let read = self.record("count", query).await?;
        selection.hide(read);
        self.store.count(&selection).await
    }

    /// Finds one record by its id. An intent whose call has ended is found by the id of its final record alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn get(&self, id: RecordId) -> Result<Option<StoredRecord>, StoreError> {
        let query = Query::new().id(id).limit(1);
        let selection = Selection::new(&self.scope, &query)?;
        self.record("record", &query).await?;
        let records = self.store.select(&selection).await?;
        check(&selection, records.iter())?;
        Ok(records.into_iter().next())
    }

    /// Finds what has arrived, in the order in which it did: whatever its times say, nothing is passed over and nothing is
    /// given twice. Intents are not shown; whether a call will end is not known.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; a cursor of another scope, another query or a page is [`StoreError::InvalidCursor`].
    pub async fn since(&self, query: &Query, since: Since) -> Result<Arrivals, StoreError> {
        let stream = self.stream("since", query, since).await?;
        let mut arrived = stream.arrived(&stream.at).await?;
        let records = arrived.records.drain(..).map(|(record, _)| record).collect();
        Ok(Arrivals { records, next: stream.cursor(&arrived.next), more: arrived.more })
    }

    /// Follows what arrives: first what was missed, then what comes, as [`since`](Self::since) finds it.
    ///
    /// # Errors
    ///
    /// As [`since`](Self::since).
    pub async fn follow(&self, query: &Query, since: Since) -> Result<Follow, StoreError> {
        Ok(Follow::new(self.stream("follow", query, since).await?))
    }

    async fn stream(&self, what: &str, query: &Query, since: Since) -> Result<Stream, StoreError> {
        let mut selection = Selection::of_arrivals(&self.scope, query)?;
        let fingerprint = selection.fingerprint();
        let key = self.store.cursor_key().await?;
        let ((read, who), at) = match since {
            Since::Beginning => ((self.record(what, query).await?, reading::who()), Position::start()),
            Since::Now => {
                // What arrives while the reading is recorded is not from before.
                let now = self.store.position().await?;
                ((self.record(what, query).await?, reading::who()), now)
            }
            Since::Cursor(cursor) => {
                let mark = selection.open(&key, &cursor)?;
                let At::Stream(position) = &mark.at else { return Err(InvalidCursor.into()) };
                (self.go_on(what, query, &mark).await?, position.clone())
            }
        };
        selection.hide(read);
        Ok(Stream { store: self.store.clone(), selection, fingerprint, key, read, who, at })
    }

    /// Goes on with a reading. Who has not begun it begins one, and so does who goes on with one that nobody has recorded.
    async fn go_on(&self, what: &str, query: &Query, mark: &Mark) -> Result<(Option<RecordId>, [u8; 16]), StoreError> {
        let is_recorded = mark.read.is_some() && mark.who == reading::who();
        if is_recorded || matches!(self.recorded, Recorded::Not) {
            return Ok((mark.read, mark.who));
        }
        Ok((self.record(what, query).await?, reading::who()))
    }

    async fn record(&self, what: &str, query: &Query) -> Result<Option<RecordId>, StoreError> {
        let recorder = match &self.recorded {
            Recorded::Current => Recorder::current(),
            Recorded::By(recorder) => recorder.clone(),
            Recorded::Not => return Ok(None),
        };
        reading::record(&recorder, what, &self.scope, query).await.map(Some)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// A reading of what arrives.
pub(super) struct Stream {
    pub(super) store: Arc<dyn AuditStore>,
    selection: Selection,
    fingerprint: [u8; 16],
    key: CursorKey,
    read: Option<RecordId>,
    who: [u8; 16],
    /// Where it begins.
    pub(super) at: Position,
}

impl Stream {
    pub(super) async fn arrived(&self, after: &Position) -> Result<super::Arrived, StoreError> {
        let arrived = self.store.arrived(&self.selection, after).await?;
        check(&self.selection, arrived.records.iter().map(|(record, _)| record))?;
        Ok(arrived)
    }

    pub(super) fn cursor(&self, position: &Position) -> Cursor {
        let at = At::Stream(position.clone());
        self.key.seal(&Mark { fingerprint: self.fingerprint, read: self.read, who: self.who, at })
    }
}

/// A store is not believed: what was not asked for goes no further.
fn check<'a>(selection: &Selection, mut records: impl Iterator<Item = &'a StoredRecord>) -> Result<(), StoreError> {
    if records.all(|record| selection.matches(record)) { Ok(()) } else { Err(StoreError::Foreign) }
}
