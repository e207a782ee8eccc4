//! A record in a few words.

use audited::{Severity, Stage, StoredActor, StoredDecision, StoredOutcome, StoredRecord, StoredResource, Timestamp};
use jiff::tz::TimeZone;

use super::{Cell, Style, escape};

/// What is shown of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Time,
    Action,
    Actor,
    Resource,
    Decision,
    Outcome,
    Tenant,
    Id,
}

impl Column {
    pub(crate) fn heading(self, zone: &TimeZone) -> Cell {
        Cell::new(match self {
            Self::Time if *zone == TimeZone::UTC => "TIME (UTC)",
            Self::Time => "TIME",
            Self::Action => "ACTION",
            Self::Actor => "ACTOR",
            Self::Resource => "RESOURCE",
            Self::Decision => "DECISION",
            Self::Outcome => "OUTCOME",
            Self::Tenant => "TENANT",
            Self::Id => "ID",
        })
    }

    /// How wide it is on a line by itself, where what stands there is no longer.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::Time => 23,
            Self::Action | Self::Actor | Self::Resource => 24,
            Self::Decision => 20,
            Self::Outcome => 16,
            Self::Tenant => 12,
            Self::Id => 36,
        }
    }

    /// What stands there for a record.
    pub(crate) fn of(self, record: &StoredRecord, zone: &TimeZone) -> Cell {
        match self {
            Self::Time => Cell::new(moment(record.occurred_at().or_else(|| record.recorded_at()), zone)),
            Self::Action => Cell::new(record.action()).styled(severity(record)),
            Self::Actor => Cell::new(record.actor().map_or_else(String::new, |actor| actor_of(&actor))),
            Self::Resource => Cell::new(record.resource().map_or_else(String::new, |resource| resource_of(&resource))),
            Self::Decision => match record.decision() {
                Some(StoredDecision::Allow) => Cell::new("allow").styled(Style::Good),
                Some(StoredDecision::Deny { reason }) => Cell::new(format!("deny {reason}")).styled(Style::Bad),
                _ => Cell::new(""),
            },
            Self::Outcome => outcome(record),
            Self::Tenant => Cell::new(record.tenant().unwrap_or_default()),
            Self::Id => Cell::new(record.id().map(|id| id.to_string()).unwrap_or_default()).styled(Style::Dim),
        }
    }
}

/// When something was, in a zone; to the millisecond.
pub(crate) fn moment(moment: Option<Timestamp>, zone: &TimeZone) -> String {
    moment.map_or_else(String::new, |moment| in_zone(moment, zone, "%Y-%m-%d %H:%M:%S%.3f"))
}

/// On which day something was, in a zone.
pub(crate) fn day(moment: Timestamp, zone: &TimeZone) -> String {
    in_zone(moment, zone, "%Y-%m-%d")
}

fn in_zone(moment: Timestamp, zone: &TimeZone, format: &str) -> String {
    let moment = jiff::Timestamp::from_microsecond(moment.as_unix_micros()).unwrap_or_default();
    moment.to_zoned(zone.clone()).strftime(format).to_string()
}

/// An actor as `kind:id`.
pub(crate) fn actor_of(actor: &StoredActor) -> String {
    let kind = actor.kind.map_or("?", audited::ActorKind::as_str);
    actor.id.as_ref().map_or_else(|| kind.to_owned(), |id| format!("{kind}:{id}"))
}

/// A resource, or a subject, as `kind:id`.
pub(crate) fn resource_of(resource: &StoredResource) -> String {
    format!("{}:{}", resource.kind, resource.id)
}

/// All that a record holds, a line each: what every record has first, then the rest by its keys, and the detail as JSON
/// in lines. Nothing in it is left for a terminal to act on.
pub(crate) fn describe(record: &StoredRecord, zone: &TimeZone) -> Vec<(String, Cell)> {
    let mut lines = Vec::new();
    let entries: Entries = serde_json::from_str(record.json()).unwrap_or_default();
    for (key, value) in entries.0 {
        let cell = match key.as_str() {
            "occurred_at" => Cell::new(with_zone(record.occurred_at(), zone)),
            "recorded_at" => Cell::new(with_zone(record.recorded_at(), zone)),
            "actor" => record.actor().map_or_else(|| json(&value), |actor| Cell::new(actor_of(&actor))),
            "on_behalf_of" => record.on_behalf_of().map_or_else(|| json(&value), |actor| Cell::new(actor_of(&actor))),
            "resource" => record.resource().map_or_else(|| json(&value), |it| Cell::new(resource_of(&it))),
            "decision" => match record.decision() {
                Some(_) => Column::Decision.of(record, zone),
                None => json(&value),
            },
            "outcome" => match record.outcome() {
                Some(_) => outcome(record),
                None => json(&value),
            },
            _ => json(&value),
        };
        lines.push((escape(&key).into_owned(), cell));
    }
    lines
}

fn json(value: &serde_json::value::RawValue) -> Cell {
    match serde_json::from_str::<String>(value.get()) {
        Ok(text) => Cell::new(text),
        Err(_) => Cell::json(value.get()),
    }
}

fn with_zone(moment: Option<Timestamp>, zone: &TimeZone) -> String {
    moment.map_or_else(String::new, |moment| in_zone(moment, zone, "%Y-%m-%d %H:%M:%S%.6f %:z"))
}

fn outcome(record: &StoredRecord) -> Cell {
    match (record.stage(), record.outcome()) {
        (Some(Stage::Intent), _) => Cell::new("no end recorded").styled(Style::Doubtful),
        (Some(Stage::Panicked), _) => Cell::new("panicked").styled(Style::Bad),
        (Some(Stage::Cancelled), _) => Cell::new("cancelled").styled(Style::Doubtful),
        (_, Some(StoredOutcome::Success)) => Cell::new("success").styled(Style::Good),
        (_, Some(StoredOutcome::Failure { code })) => Cell::new(format!("failure {code}")).styled(Style::Bad),
        (_, Some(StoredOutcome::Unknown)) => Cell::new("unknown").styled(Style::Doubtful),
        _ => Cell::new(""),
    }
}

fn severity(record: &StoredRecord) -> Style {
    match record.severity() {
        Some(Severity::Warning) => Style::Doubtful,
        Some(Severity::Error | Severity::Critical) => Style::Bad,
        _ => Style::Plain,
    }
}

/// The entries of a record, in their order.
#[derive(Default)]
struct Entries(Vec<(String, Box<serde_json::value::RawValue>)>);

impl<'de> serde::Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}
