//! What was lost, and when.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::record::{Draft, Kind};
use crate::sensitive::{Encoder, Redaction};
use crate::sink::SinkError;
use crate::timestamp::Timestamp;

/// The most actions that one gap record lists; the rest is counted under `…`.
const MAX_LISTED: usize = 32;

/// What is lost and not yet in the stream.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) lost: u64,
    actions: BTreeMap<String, u64>,
    reasons: BTreeMap<&'static str, u64>,
    /// What the operating system said, where it was that.
    io: BTreeMap<String, u64>,
    /// When the first of the lost happened.
    from: Timestamp,
    /// When the last of them happened.
    to: Timestamp,
}

impl Gap {
    pub(super) fn at(when: Timestamp) -> Self {
        Self { lost: 0, actions: BTreeMap::new(), reasons: BTreeMap::new(), io: BTreeMap::new(), from: when, to: when }
    }

    pub(super) fn add(&mut self, action: &str, error: &SinkError, when: Timestamp) {
        self.lost += 1;
        self.from = self.from.min(when);
        self.to = self.to.max(when);
        self.count_action(action, 1);
        *self.reasons.entry(error.reason()).or_default() += 1;
        // Its kind alone, which is one of a few: the text may name a place.
        if let Some(kind) = error.io_kind() {
            *self.io.entry(kind.to_string()).or_default() += 1;
        }
    }

    pub(super) fn draft(&self) -> Draft {
        let mut draft = Draft::new(Action::new("audit.gap"), Kind::System);
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.value("lost", &self.lost);
            fields.field("actions", |encoder| counted(&self.actions, encoder));
            fields.field("reasons", |encoder| counted(&self.reasons, encoder));
            if !self.io.is_empty() {
                fields.field("io", |encoder| counted(&self.io, encoder));
            }
            fields.value("from", &self.from);
            fields.value("to", &self.to);
        });
        draft
    }

    fn count_action(&mut self, action: &str, count: u64) {
        let listed = self.actions.len() < MAX_LISTED || self.actions.contains_key(action);
        *self.actions.entry(if listed { action.to_owned() } else { "…".to_owned() }).or_default() += count;
    }
}

/// Writes names of actions or of reasons, which no field hides that is named like one.
fn counted<K: AsRef<str>>(counts: &BTreeMap<K, u64>, encoder: &mut Encoder<'_>) {
    encoder.object(|fields| counts.iter().for_each(|(name, count)| fields.value(name.as_ref(), count)));
}
