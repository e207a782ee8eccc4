//! Finding records again.

mod any_of;
mod condition;
mod row;

use thiserror::Error;

pub use self::any_of::AnyOf;
pub use self::condition::{Condition, Ending};
pub use self::row::{Entries, Row, SortKey, says_where};
use crate::__private::debug_as_display;
use crate::actor::ActorKind;
use crate::id::RecordId;
use crate::record::{Fields, Kind, Stage};
use crate::sensitive::KeyRing;
use crate::store::Cursor;
use crate::timestamp::Timestamp;

/// How many records a page has, unless a query asks for another number.
pub const DEFAULT_PAGE_RECORDS: usize = 100;
/// The most records of a page; whoever asks for more gets as many.
pub const MAX_PAGE_RECORDS: usize = 1_000;
/// The most records that a query skips; a [`Cursor`] goes on from any place, at no cost.
pub const MAX_OFFSET: usize = 100_000;
/// The most conditions of a query.
const MAX_CONDITIONS: usize = 64;
/// The most texts that a query looks for.
const MAX_TEXTS: usize = 1_000;
/// The most bytes of all texts of a query.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// What to find among records, and how to go through it. All that is asked must hold; nothing asked holds for every
/// record.
///
/// Times are when it happened, so that what arrives late stands where it belongs. The newest come first, unless
/// [`oldest_first`](Self::oldest_first) is asked; equal times are in the order of their ids.
///
/// The intent of a call counts as its call: it is found only where no final record of the call has arrived, as an orphan.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Action, ActorId, Actor, KeyRing, Query, Record};
///
/// let keys = KeyRing::new("2026", [7; 32])?.previous("2025", [3; 32])?;
/// let query = Query::new().hashed("detail.transfer.device", &keys, None, None, "9f1c2d34");
///
/// let other = Record::builder(Action::new("transfer.made")).field("cents", &5_u32).build();
/// assert!(!query.matches(&other));
/// assert!(Query::new().action_prefix("transfer.").succeeded().matches(&other));
/// # Ok::<(), audited::InvalidKey>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a query finds nothing until a reader is asked"]
pub struct Query {
    conditions: Vec<Condition>,
    /// What is asked of the action: one condition, however many calls added to it.
    actions: Option<(Vec<String>, Vec<String>)>,
    order: Order,
    intents: Intents,
    limit: Option<usize>,
    offset: usize,
    after: Option<Cursor>,
}

/// In which order records are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// What happened last comes first.
    #[default]
    NewestFirst,
    /// What happened first comes first.
    OldestFirst,
}

/// Which intents are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Intents {
    /// Those whose call has no final record in the store; beside everything else.
    #[default]
    Orphans,
    /// Those, and nothing else.
    OrphansOnly,
    /// None: whether a call has a final record may not be known yet.
    Hidden,
}

impl Query {
    /// Asks nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for what happened then or later.
    pub fn from(self, moment: impl Into<Timestamp>) -> Self {
        self.and(Condition::From(moment.into()))
    }

    /// Asks for what happened before that.
    pub fn until(self, moment: impl Into<Timestamp>) -> Self {
        self.and(Condition::Until(moment.into()))
    }

    /// Asks for an action. Several such calls, and [`actions`](Self::actions) and [`action_prefix`](Self::action_prefix),
    /// ask for any of what they name.
    pub fn action(self, action: impl Into<String>) -> Self {
        self.actions([action])
    }

    /// Asks for any of these actions. Of none, nothing is found.
    pub fn actions<T: Into<String>>(mut self, actions: impl IntoIterator<Item = T>) -> Self {
        self.actions.get_or_insert_default().0.extend(actions.into_iter().map(Into::into));
        self
    }

    /// Asks for actions that begin so: `account.`, with the dot.
    pub fn action_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.actions.get_or_insert_default().1.push(prefix.into());
        self
    }

    /// Asks for a user: as actor, or as a subject of the kind `user`.
    pub fn user(self, id: impl Into<AnyOf>) -> Self {
        self.and(Condition::User(id.into().shown()))
    }

    /// Asks for who did it.
    pub fn actor(self, kind: ActorKind, id: impl Into<AnyOf>) -> Self {
        self.and(Condition::Actor { kind: Some(kind), id: Some(id.into().shown()) })
    }

    /// Asks for actors of a kind, whoever they are.
    pub fn actor_kind(self, kind: ActorKind) -> Self {
        self.and(Condition::Actor { kind: Some(kind), id: None })
    }

    /// Asks for whom it is about.
    pub fn subject(self, kind: impl Into<String>, id: impl Into<AnyOf>) -> Self {
        self.and(Condition::Subject { kind: kind.into(), id: Some(id.into().shown()) })
    }

    /// Asks for what was acted on.
    pub fn resource(self, kind: impl Into<String>, id: impl Into<AnyOf>) -> Self {
        self.and(Condition::Resource { kind: kind.into(), id: Some(id.into().shown()) })
    }

    /// Asks for resources of a kind, whichever they are.
    pub fn resource_kind(self, kind: impl Into<String>) -> Self {
        self.and(Condition::Resource { kind: kind.into(), id: None })
    }

    /// Asks for what was allowed.
    pub fn allowed(self) -> Self {
        self.and(Condition::Allowed(true))
    }

    /// Asks for what was denied.
    pub fn denied(self) -> Self {
        self.and(Condition::Allowed(false))
    }

    /// Asks for what was denied for a reason.
    pub fn deny_reason(self, reason: impl Into<AnyOf>) -> Self {
        self.and(Condition::DenyReason(reason.into()))
    }

    /// Asks for what did as it was asked.
    pub fn succeeded(self) -> Self {
        self.outcome(Ending::Success)
    }

    /// Asks for what did not.
    pub fn failed(self) -> Self {
        self.outcome(Ending::Failure)
    }

    /// Asks for how it ended.
    pub fn outcome(self, ending: Ending) -> Self {
        self.and(Condition::Ended(ending))
    }

    /// Asks for what failed with a code.
    pub fn failure_code(self, code: impl Into<AnyOf>) -> Self {
        self.and(Condition::FailureCode(code.into()))
    }

    /// Asks for the records of one request.
    pub fn correlation_id(self, id: impl Into<AnyOf>) -> Self {
        self.and(Condition::CorrelationId(id.into()))
    }

    /// Asks for what the records are about: calls, events, the framework itself.
    pub fn kind(self, kind: Kind) -> Self {
        self.and(Condition::Kind(kind))
    }

    /// Asks for one record.
    pub fn id(self, id: RecordId) -> Self {
        self.and(Condition::Id(id))
    }

    /// Asks for a text at a path. The path leads from the record through keys, and through every item of a list:
    /// `detail.method`, `subjects.id`. A number or a truth value is found by its JSON.
    ///
    /// Stores have no index for it: they look through what the rest of the query leaves.
    pub fn text(self, path: impl Into<String>, text: impl Into<AnyOf>) -> Self {
        self.and(Condition::Text { path: path.into(), texts: text.into() })
    }

    /// Asks for a value that records keep as a keyed hash: at this path, of that tenant and scope.
    ///
    /// A path is as with [`text`](Self::text). Every key of the ring is tried, so that records from before a rotation are
    /// found, too. Hashed identities are found faster by [`AnyOf::hashed`], as [`user`](Self::user) and others take it.
    pub fn hashed(self, path: &str, keys: &KeyRing, tenant: Option<&str>, scope: Option<&str>, value: &str) -> Self {
        self.text(path, AnyOf::hashed(keys, tenant, scope, value))
    }

    /// Asks for nothing but intents whose call has no final record: it still runs, or its process died.
    pub fn orphans(mut self) -> Self {
        self.intents = Intents::OrphansOnly;
        self
    }

    /// Puts what happened first at the beginning.
    pub fn oldest_first(mut self) -> Self {
        self.order = Order::OldestFirst;
        self
    }

    /// Sets how many records a page has at most: [`DEFAULT_PAGE_RECORDS`] otherwise. Less than one is one, more than
    /// [`MAX_PAGE_RECORDS`] is as many.
    pub fn limit(mut self, records: usize) -> Self {
        self.limit = Some(records);
        self
    }

    /// Skips records before the first page, [`MAX_OFFSET`] at most. While records arrive, the same number leads elsewhere:
    /// [`after`](Self::after) goes on where a page has ended, and skips nothing.
    pub fn offset(mut self, records: usize) -> Self {
        self.offset = records;
        self
    }

    /// Goes on behind a page of the same query: what has arrived since shifts nothing.
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Whether a record is what is asked for. Order, limit, offset and cursor are no matter, and whether an intent's call
    /// has ended is not known here: [`orphans`](Self::orphans) asks for an intent.
    pub fn matches(&self, record: &Fields) -> bool {
        self.intents.may_be(record.stage()) && self.conditions().all(|condition| condition.holds(record))
    }

    /// What is asked, each by itself.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = Condition> + '_ {
        let actions = self.actions.as_ref().map(|(exact, prefixes)| Condition::Action {
            exact: AnyOf::from_iter(exact),
            prefixes: AnyOf::from_iter(prefixes),
        });
        self.conditions.iter().cloned().chain(actions)
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    pub(crate) fn intents(&self) -> Intents {
        self.intents
    }

    pub(crate) fn records(&self) -> usize {
        // Behind a page of none, nobody could go on.
        self.limit.unwrap_or(DEFAULT_PAGE_RECORDS).clamp(1, MAX_PAGE_RECORDS)
    }

    pub(crate) fn skipped(&self) -> usize {
        self.offset
    }

    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        self.after.as_ref()
    }

    /// Whether it keeps to its bounds.
    pub(crate) fn check(&self) -> Result<(), InvalidQuery> {
        if self.offset > MAX_OFFSET {
            return Err(InvalidQuery::Offset { records: self.offset });
        }
        let (mut count, mut bytes, mut texts) = (0, 0, 0);
        for condition in self.conditions() {
            let size = condition.size();
            (count, bytes, texts) = (count + 1, bytes + size.0, texts + size.1);
        }
        if count > MAX_CONDITIONS || texts > MAX_TEXTS || bytes > MAX_TEXT_BYTES {
            return Err(InvalidQuery::TooLarge);
        }
        Ok(())
    }

    fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

impl Intents {
    /// Whether a record may be found, whatever else is in the store.
    pub(crate) fn may_be(self, stage: Option<Stage>) -> bool {
        let intent = stage == Some(Stage::Intent);
        match self {
            Self::Orphans => true,
            Self::OrphansOnly => intent,
            Self::Hidden => !intent,
        }
    }
}

/// A query goes beyond its bounds.
#[derive(Error)]
#[non_exhaustive]
pub enum InvalidQuery {
    /// It skips too many records.
    #[error("a query skips at most {MAX_OFFSET} records, not {records}: go on behind a page with its cursor")]
    Offset {
        /// How many it skips.
        records: usize,
    },
    /// It asks too much.
    #[error(
        "a query has at most {MAX_CONDITIONS} conditions, {MAX_TEXTS} texts and {MAX_TEXT_BYTES} bytes of text: ask for less"
    )]
    TooLarge,
    /// It asks a stream for what has no place in a stream.
    #[error("what arrives has no order, no offset, no orphans and no cursor of a page: ask for these with a page")]
    Stream,
}

debug_as_display!(InvalidQuery);
