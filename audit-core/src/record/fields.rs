//! Reading a record.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use triomphe::{Arc, HeaderSlice};

use super::key::{Index, Key};
use super::{Kind, Stage};
use crate::actor::ActorKind;
use crate::id::RecordId;
use crate::severity::Severity;
use crate::timestamp::Timestamp;

/// The fields of a record, read from its JSON.
///
/// A field that is absent, or holds what this version does not know, reads as `None`; [`Fields::get`] gives its
/// JSON as it stands.
pub struct Fields(
    /// The text, and before it where what lies in it: one piece of memory.
    Arc<HeaderSlice<Index, str>>,
);

/// An actor as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredActor {
    /// What kind; `None` for one this version does not know.
    pub kind: Option<ActorKind>,
    /// The id, its hash, or `"<redacted>"`.
    pub id: Option<String>,
}

/// A resource or a subject as it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StoredResource {
    /// What kind.
    pub kind: String,
    /// The id, its hash, or `"<redacted>"`.
    pub id: String,
}

/// A source as it was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StoredSource {
    /// The client's address; `None` where it is not shown.
    #[serde(deserialize_with = "address")]
    pub ip: Option<IpAddr>,
    /// The user agent, as the client says.
    pub user_agent: Option<String>,
    /// The origin, as the client says.
    pub origin: Option<String>,
}

/// A decision as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredDecision<'a> {
    /// It was allowed.
    Allow,
    /// It was not.
    Deny {
        /// Why.
        reason: Cow<'a, str>,
    },
}

/// An outcome as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredOutcome<'a> {
    /// It did what it was asked.
    Success,
    /// It did not.
    Failure {
        /// How.
        code: Cow<'a, str>,
    },
    /// Nobody can tell.
    Unknown,
}

impl Fields {
    pub(super) fn new(json: &str, index: Index) -> Self {
        Self(Arc::from_header_and_str(index, json))
    }

    /// The same ones.
    pub(super) fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// The whole record as a JSON object on one line.
    pub fn json(&self) -> &str {
        &self.0.slice
    }

    /// The JSON of one key's value, known or not.
    pub fn get(&self, key: &str) -> Option<&str> {
        if let Some(key) = Key::parse(key) {
            return self.raw(key);
        }
        let entries: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(self.json()).ok()?;
        entries.get(key).map(|value| value.get())
    }

    /// The version of the record's layout.
    pub fn schema(&self) -> Option<u32> {
        self.read(Key::Schema)
    }

    /// The id of this record.
    pub fn id(&self) -> Option<RecordId> {
        self.text(Key::Id)?.parse().ok()
    }

    /// The stream that the record is in, where a sink has given it one.
    pub fn stream(&self) -> Option<Cow<'_, str>> {
        self.text(Key::Stream)
    }

    /// The position in the stream, where a sink has given it one.
    pub fn seq(&self) -> Option<u64> {
        self.read(Key::Seq)
    }

    /// What the record is about.
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.text(Key::Kind)?)
    }

    /// How far the call had come.
    pub fn stage(&self) -> Option<Stage> {
        Stage::parse(&self.text(Key::Stage)?)
    }

    /// What was done.
    pub fn action(&self) -> Cow<'_, str> {
        self.text(Key::Action).unwrap_or_default()
    }

    /// When it happened: of a call, when it began.
    pub fn occurred_at(&self) -> Option<Timestamp> {
        self.text(Key::OccurredAt)?.parse().ok()
    }

    /// When the record was handed to the sink.
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.text(Key::RecordedAt)?.parse().ok()
    }

    /// Whether it was allowed; absent where nothing was decided.
    pub fn decision(&self) -> Option<StoredDecision<'_>> {
        match &*self.text(Key::Decision)? {
            "allow" => Some(StoredDecision::Allow),
            "deny" => Some(StoredDecision::Deny { reason: self.text(Key::Reason).unwrap_or_default() }),
            _ => None,
        }
    }

    /// How it ended.
    pub fn outcome(&self) -> Option<StoredOutcome<'_>> {
        match &*self.text(Key::Outcome)? {
            "success" => Some(StoredOutcome::Success),
            "failure" => Some(StoredOutcome::Failure { code: self.text(Key::Code).unwrap_or_default() }),
            "unknown" => Some(StoredOutcome::Unknown),
            _ => None,
        }
    }

    /// How grave it is, where the program has said so.
    pub fn severity(&self) -> Option<Severity> {
        self.text(Key::Severity)?.parse().ok()
    }

    /// Who did it.
    pub fn actor(&self) -> Option<StoredActor> {
        self.read(Key::Actor)
    }

    /// For whom the actor acted.
    pub fn on_behalf_of(&self) -> Option<StoredActor> {
        self.read(Key::OnBehalfOf)
    }

    /// The callers between the originator and this service, the farthest first.
    pub fn invocation_chain(&self) -> Vec<StoredActor> {
        self.read(Key::InvocationChain).unwrap_or_default()
    }

    /// Whom it is about.
    pub fn subjects(&self) -> Vec<StoredResource> {
        self.read(Key::Subjects).unwrap_or_default()
    }

    /// What was acted on.
    pub fn resource(&self) -> Option<StoredResource> {
        self.read(Key::Resource)
    }

    /// The organisation that owns the record.
    pub fn tenant(&self) -> Option<Cow<'_, str>> {
        self.text(Key::Tenant)
    }

    /// The actor's roles.
    pub fn roles(&self) -> Vec<String> {
        self.read(Key::Roles).unwrap_or_default()
    }

    /// The session, usually its hash.
    pub fn session(&self) -> Option<Cow<'_, str>> {
        self.text(Key::Session)
    }

    /// Where the call came from.
    pub fn source(&self) -> Option<StoredSource> {
        self.read(Key::Source)
    }

    /// What ties the records of one request together.
    pub fn correlation_id(&self) -> Option<Cow<'_, str>> {
        self.text(Key::CorrelationId)
    }

    /// The trace, as 32 hex digits.
    pub fn trace_id(&self) -> Option<Cow<'_, str>> {
        self.text(Key::TraceId)
    }

    /// Of an intent, the id of the call's final record; of an addition, the id of the record it adds to.
    pub fn call(&self) -> Option<RecordId> {
        self.text(Key::Call)?.parse().ok()
    }

    /// The id of the final record of the audited call around this one.
    pub fn parent(&self) -> Option<RecordId> {
        self.text(Key::Parent)?.parse().ok()
    }

    /// How long it took, in whole microseconds. Of a call it is what lies between [`occurred_at`](Self::occurred_at) and
    /// [`recorded_at`](Self::recorded_at), by the clock that both are read from: nothing, where that was set back meanwhile.
    pub fn latency(&self) -> Option<Duration> {
        self.read(Key::LatencyUs).map(Duration::from_micros)
    }

    /// The JSON object of the payload.
    pub fn detail(&self) -> Option<&str> {
        self.raw(Key::Detail)
    }

    /// The payload as a type of yours; redacted fields hold `"<redacted>"` or a hash.
    ///
    /// # Errors
    ///
    /// When the payload does not have that type. A missing payload reads as an empty object.
    pub fn detail_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.detail().unwrap_or("{}"))
    }

    /// The JSON object of what is only said: what differed from the context that authentication had set, for which the
    /// record has the flag `claimed`, and what a client calls its request and its trace, for which it has not.
    pub fn claimed(&self) -> Option<&str> {
        self.raw(Key::Claimed)
    }

    /// Where something was redacted: paths such as `body.memo`, of payload and identities.
    pub fn redacted(&self) -> Vec<String> {
        self.read(Key::Redacted).unwrap_or_default()
    }

    /// Where something was cut for its size.
    pub fn cut(&self) -> Vec<String> {
        self.read(Key::Cut).unwrap_or_default()
    }

    /// What a reader must know besides: `undelivered`, `claimed`, `verbatim_action`, `unencodable`, `cut`, `unknown_action`,
    /// `drift`, `surface`, `coalescing`, `in_transaction`, `not_in_transaction`.
    pub fn flags(&self) -> Vec<String> {
        self.read(Key::Flags).unwrap_or_default()
    }

    /// The text of [`occurred_at`](Self::occurred_at), whatever it holds.
    pub(crate) fn occurred_text(&self) -> Option<Cow<'_, str>> {
        self.text(Key::OccurredAt)
    }

    pub(super) fn has_text(&self, key: Key) -> bool {
        self.text(key).is_some()
    }

    fn raw(&self, key: Key) -> Option<&str> {
        self.0.header.get(key, self.json())
    }

    fn read<'a, T: Deserialize<'a>>(&'a self, key: Key) -> Option<T> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    fn text(&self, key: Key) -> Option<Cow<'_, str>> {
        let raw = self.raw(key)?;
        let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.json())
    }
}

/// A sink's copy may say `"<redacted>"` instead.
fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| text.parse().ok()))
}

impl<'de> Deserialize<'de> for StoredActor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Shape {
            kind: String,
            #[serde(default)]
            id: Option<String>,
        }
        let shape = Shape::deserialize(deserializer)?;
        Ok(Self { kind: ActorKind::parse(&shape.kind), id: shape.id })
    }
}
