//! One thing that is asked of a record.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::row::Entries;
use super::{AnyOf, Row, SortKey};
use crate::actor::ActorKind;
use crate::id::RecordId;
use crate::record::{Fields, Kind, StoredDecision, StoredOutcome};
use crate::timestamp::Timestamp;

/// The kind of an actor, and of a subject, that is a user.
const USER: &str = "user";
/// The most levels of lists and objects below which a text is looked for.
const MAX_LEVELS: usize = 128;

/// One thing that a query or the scope of a reader asks of a record. All of them must hold.
///
/// A store writes into its own query those that it can, and leaves the rest to [`Selection::matches`], which knows all
/// of them. So it must do with those that it does not know.
///
/// [`Selection::matches`]: crate::Selection::matches
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Condition {
    /// The organisation that owns the record is one of these; a record without one belongs to nobody.
    Tenant(AnyOf),
    /// It happened then or later, by [`SortKey::micros`](crate::SortKey::micros).
    From(Timestamp),
    /// It happened before that, by [`SortKey::micros`](crate::SortKey::micros).
    Until(Timestamp),
    /// What was done is one of these, or begins with one of these. Neither is asked of `None`: no action fits.
    Action {
        /// Whole actions.
        exact: AnyOf,
        /// How actions begin, byte for byte.
        prefixes: AnyOf,
    },
    /// The actor is that user, or the record is about that user.
    User(AnyOf),
    /// Who did it.
    Actor {
        /// What kind, where that is asked.
        kind: Option<ActorKind>,
        /// Which, where that is asked.
        id: Option<AnyOf>,
    },
    /// Whom it is about, among others.
    Subject {
        /// What kind.
        kind: String,
        /// Which, where that is asked.
        id: Option<AnyOf>,
    },
    /// What was acted on.
    Resource {
        /// What kind.
        kind: String,
        /// Which, where that is asked.
        id: Option<AnyOf>,
    },
    /// Whether it was allowed.
    Allowed(bool),
    /// It was denied, for one of these reasons.
    DenyReason(AnyOf),
    /// How it ended: one of these.
    Ended(Ending),
    /// It failed, with one of these codes.
    FailureCode(AnyOf),
    /// It belongs to that request.
    CorrelationId(AnyOf),
    /// What it is about.
    Kind(Kind),
    /// One of the texts stands at a path, such as `detail.order.device` or `subjects.id`.
    Text {
        /// Leads from the record through keys, and through every item of a list.
        path: String,
        /// What may stand there. A number or a truth value is its JSON.
        texts: AnyOf,
    },
    /// It is this record.
    Id(RecordId),
    /// It is not this record.
    Not(RecordId),
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Ending {
    /// It did what it was asked.
    Success,
    /// It did not.
    Failure,
    /// Nobody can tell.
    Unknown,
}

impl Ending {
    /// The name in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }

    const fn of(outcome: &StoredOutcome<'_>) -> Self {
        match outcome {
            StoredOutcome::Success => Self::Success,
            StoredOutcome::Failure { .. } => Self::Failure,
            StoredOutcome::Unknown => Self::Unknown,
        }
    }
}

impl Condition {
    /// Whether it holds. What it does not ask for is not read.
    pub(crate) fn holds(&self, record: &Fields) -> bool {
        match self {
            Self::Tenant(any) => record.tenant().is_some_and(|tenant| any.contains(&tenant)),
            Self::From(moment) => micros(record).is_some_and(|micros| micros >= moment.as_unix_micros()),
            Self::Until(moment) => micros(record).is_some_and(|micros| micros < moment.as_unix_micros()),
            Self::Action { exact, prefixes } => {
                let action = record.action();
                exact.contains(&action) || prefixes.texts().iter().any(|prefix| action.starts_with(prefix))
            }
            Self::User(any) => {
                is_actor(record, Some(ActorKind::User), Some(any)) || is_subject(record, USER, Some(any))
            }
            Self::Actor { kind, id } => is_actor(record, *kind, id.as_ref()),
            Self::Subject { kind, id } => is_subject(record, kind, id.as_ref()),
            Self::Resource { kind, id } => {
                record.resource().is_some_and(|is| is.kind == *kind && asked(id.as_ref(), Some(&is.id)))
            }
            Self::Allowed(allowed) => match record.decision() {
                Some(decision) => matches!(decision, StoredDecision::Allow) == *allowed,
                None => false,
            },
            Self::DenyReason(any) => match record.decision() {
                Some(StoredDecision::Deny { reason }) => any.contains(&reason),
                _ => false,
            },
            Self::Ended(ending) => record.outcome().is_some_and(|outcome| Ending::of(&outcome) == *ending),
            Self::FailureCode(any) => match record.outcome() {
                Some(StoredOutcome::Failure { code }) => any.contains(&code),
                _ => false,
            },
            Self::CorrelationId(any) => record.correlation_id().is_some_and(|id| any.contains(&id)),
            Self::Kind(kind) => record.kind() == Some(*kind),
            Self::Text { path, texts } => stands_in(texts, record.json().trim_ascii_start(), Some(path), MAX_LEVELS),
            Self::Id(id) => record.id() == Some(*id),
            Self::Not(id) => record.id() != Some(*id),
        }
    }

    /// How many bytes of text it asks for, and how many texts.
    pub(super) fn size(&self) -> (usize, usize) {
        let of = |any: &AnyOf| (any.bytes(), any.texts().len());
        let (text, any): (&str, Option<&AnyOf>) = match self {
            Self::Tenant(any)
            | Self::User(any)
            | Self::DenyReason(any)
            | Self::FailureCode(any)
            | Self::CorrelationId(any) => ("", Some(any)),
            Self::Action { exact, prefixes } => {
                let (exact, prefixes) = (of(exact), of(prefixes));
                return (exact.0 + prefixes.0, exact.1 + prefixes.1);
            }
            Self::Actor { id, .. } => ("", id.as_ref()),
            Self::Subject { kind, id } | Self::Resource { kind, id } => (kind, id.as_ref()),
            Self::Text { path, texts } => (path, Some(texts)),
            Self::From(_)
            | Self::Until(_)
            | Self::Allowed(_)
            | Self::Ended(_)
            | Self::Kind(_)
            | Self::Id(_)
            | Self::Not(_) => ("", None),
        };
        let (bytes, texts) = any.map_or((0, 0), of);
        (bytes + text.len(), texts)
    }
}

impl Row<'_> {
    /// How it ended, without the code.
    pub fn ending(&self) -> Option<Ending> {
        self.outcome.as_ref().map(Ending::of)
    }
}

fn micros(record: &Fields) -> Option<i64> {
    SortKey::of(record).map(|key| key.micros)
}

fn is_actor(record: &Fields, kind: Option<ActorKind>, id: Option<&AnyOf>) -> bool {
    record
        .actor()
        .is_some_and(|actor| kind.is_none_or(|kind| actor.kind == Some(kind)) && asked(id, actor.id.as_deref()))
}

fn is_subject(record: &Fields, kind: &str, id: Option<&AnyOf>) -> bool {
    record.subjects().iter().any(|subject| subject.kind == kind && asked(id, Some(&subject.id)))
}

fn asked(any: Option<&AnyOf>, text: Option<&str>) -> bool {
    any.is_none_or(|any| text.is_some_and(|text| any.contains(text)))
}

/// Whether one of the texts stands in a value, at what is left of a path; `None` where it has led here.
///
/// What does not lead there is not read: neither a number beyond all types nor half a surrogate is in the way.
fn stands_in(texts: &AnyOf, json: &str, path: Option<&str>, levels: usize) -> bool {
    match (json.as_bytes().first(), path) {
        (Some(b'{'), Some(path)) if levels > 0 => {
            // A key may hold a dot itself.
            let Ok(Entries(entries)) = serde_json::from_str(json) else { return false };
            entries.iter().any(|(key, value)| {
                let rest = path.strip_prefix(&**key).and_then(|rest| match rest.strip_prefix('.') {
                    None => rest.is_empty().then_some(None),
                    below => Some(below),
                });
                rest.is_some_and(|rest| stands_in(texts, value.get(), rest, levels - 1))
            })
        }
        (Some(b'['), _) if levels > 0 => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            items.iter().any(|item| stands_in(texts, item.get(), path, levels - 1))
        }
        (Some(b'"'), None) => serde_json::from_str::<String>(json).is_ok_and(|text| texts.contains(&text)),
        (Some(b'{' | b'[' | b'n') | None, _) | (_, Some(_)) => false,
        (_, None) => texts.contains(json),
    }
}

macro_rules! serialize_by_name {
    ($($ty:ty)*) => {$(
        /// For the fingerprint of a query.
        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}

serialize_by_name! { ActorKind Kind }
