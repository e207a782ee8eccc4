//! Telling from the bytes of a record that it is not what is looked for.

use std::fmt;

use memchr::memmem::Finder;

use super::glance::{Glance, SortText, sort_text_of};
use crate::id::RecordId;
use crate::query::{AnyOf, Condition, Intents};
use crate::timestamp::Timestamp;

/// The most texts of one condition that are looked for in the bytes.
const MAX_NEEDLES: usize = 8;

/// Tells from the bytes of records which of them a [`Selection`](crate::Selection) does not find, at the speed of a search
/// for a text: for a store that has no index, and reads whatever may be found.
///
/// It never decides that a record is found: that takes [`Selection::matches`](crate::Selection::matches). And it never
/// passes over one that is, whoever wrote it: what stands in a string stands there as it is, unless the record holds an
/// escape by which any character may be written.
///
/// ```
/// use audit_core::{Selection, StoredRecord};
///
/// /// The records of a selection, out of a text that has one a line.
/// fn found(selection: &Selection, text: &str) -> Vec<StoredRecord> {
///     let sieve = selection.sieve();
///     let lines = text.lines().filter(|line| sieve.may_match(line.as_bytes()));
///     lines.filter_map(|line| StoredRecord::parse(line).ok()).filter(|record| selection.matches(record)).collect()
/// }
/// ```
#[derive(Clone)]
pub struct Sieve {
    /// Of each, one must stand in the record.
    needles: Vec<Vec<Finder<'static>>>,
    intents: Intents,
    id: Option<RecordId>,
    not_before: Option<SortText>,
    not_after: Option<SortText>,
}

impl Sieve {
    pub(super) fn of(conditions: &[Condition], intents: Intents) -> Self {
        let mut sieve = Self { needles: Vec::new(), intents, id: None, not_before: None, not_after: None };
        // What stands in nearly every record is looked for last.
        let mut common = Vec::new();
        for condition in conditions {
            match condition {
                Condition::Tenant(any)
                | Condition::User(any)
                | Condition::DenyReason(any)
                | Condition::FailureCode(any)
                | Condition::CorrelationId(any) => sieve.want(strings(any.texts())),
                Condition::Action { exact, prefixes } => {
                    let prefixes = prefixes.texts().iter().map(|prefix| needle("\"", prefix, ""));
                    let exact = exact.texts().iter().map(|text| needle("\"", text, "\""));
                    sieve.want(any_of(exact.chain(prefixes)));
                }
                Condition::Actor { kind, id } => {
                    sieve.want_id(id.as_ref());
                    common.extend(kind.map(|kind| kind.as_str().to_owned()));
                }
                Condition::Subject { kind, id } | Condition::Resource { kind, id } => {
                    sieve.want_id(id.as_ref());
                    common.push(kind.clone());
                }
                Condition::Allowed(allowed) => common.push(if *allowed { "allow" } else { "deny" }.to_owned()),
                Condition::Ended(ending) => common.push(ending.as_str().to_owned()),
                Condition::Kind(kind) => common.push(kind.as_str().to_owned()),
                Condition::Text { texts, .. } => {
                    // It may be a number.
                    sieve.want(any_of(texts.texts().iter().map(|text| needle("", text, ""))));
                }
                Condition::From(moment) => sieve.not_before(moment.as_unix_micros()),
                Condition::Until(moment) => sieve.not_after(moment.as_unix_micros()),
                Condition::Id(id) => sieve.id = Some(*id),
                Condition::Not(_) => {}
            }
        }
        for text in common {
            sieve.want(strings(&[text]));
        }
        sieve
    }

    /// Passes over what happened before a moment in microseconds since the Unix epoch, too.
    pub fn not_before(&mut self, micros: i64) {
        // A moment without such a text is passed over by nothing.
        self.not_before = self.not_before.max(sort_text_of(micros));
    }

    /// Passes over what happened after that moment, too.
    pub fn not_after(&mut self, micros: i64) {
        if let Some(text) = sort_text_of(micros) {
            self.not_after = Some(self.not_after.map_or(text, |most| most.min(text)));
        }
    }

    /// Whether anything that happened at two moments or between them may be one of the selection.
    pub fn may_hold(&self, oldest: Timestamp, newest: Timestamp) -> bool {
        let text = |moment: Timestamp| sort_text_of(moment.as_unix_micros());
        let is_early = text(newest).zip(self.not_before).is_some_and(|(newest, least)| newest < least);
        let is_late = text(oldest).zip(self.not_after).is_some_and(|(oldest, most)| oldest > most);
        !is_early && !is_late
    }

    /// Whether a record, as JSON on one line, may be one of the selection. Where this is `false` it is none, or no record at
    /// all.
    pub fn may_match(&self, json: &[u8]) -> bool {
        let mut is_escaped = None;
        for any in &self.needles {
            if !any.iter().any(|needle| needle.find(json).is_some())
                && !*is_escaped.get_or_insert_with(|| may_be_escaped(json))
            {
                return false;
            }
        }
        let looks = self.id.is_some() || self.not_before.is_some() || self.not_after.is_some();
        if !looks && self.intents == Intents::Orphans {
            return true;
        }
        let Some(glance) = Glance::of(json) else { return true };
        let fits = match self.intents {
            Intents::Orphans => true,
            Intents::OrphansOnly => glance.is_intent,
            Intents::Hidden => !glance.is_intent,
        };
        fits && self.not_before.is_none_or(|least| *glance.when >= least)
            && self.not_after.is_none_or(|most| *glance.when <= most)
            && self.id.is_none_or(|id| glance.id().is_none_or(|is| is == id))
    }

    fn want_id(&mut self, id: Option<&AnyOf>) {
        if let Some(any) = id {
            self.want(strings(any.texts()));
        }
    }

    /// Wants one of some; of any others, where nothing can be told.
    fn want(&mut self, any: Option<Vec<Finder<'static>>>) {
        self.needles.extend(any);
    }
}

/// Whether a character that could be written as it is may be written otherwise.
fn may_be_escaped(json: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', json).any(|at| matches!(json.get(at + 1), Some(b'u' | b'/')))
}

fn strings(texts: &[String]) -> Option<Vec<Finder<'static>>> {
    any_of(texts.iter().map(|text| needle("\"", text, "\"")))
}

/// `None` where one of them cannot be looked for, or there are too many.
fn any_of(needles: impl Iterator<Item = Option<String>>) -> Option<Vec<Finder<'static>>> {
    let needles: Vec<_> = needles.take(MAX_NEEDLES + 1).collect::<Option<_>>()?;
    let finder = |needle: &String| Finder::new(needle).into_owned();
    (needles.len() <= MAX_NEEDLES).then(|| needles.iter().map(finder).collect())
}

/// What stands in every record that holds a text, unless [`may_be_escaped`]. `None` where nothing is known to: of no text at
/// all, which may be absent as well, and of one that is escapes alone.
fn needle(before: &str, text: &str, after: &str) -> Option<String> {
    let must_be_escaped = |c: char| c < ' ' || matches!(c, '"' | '\\');
    if !text.is_empty() && !text.contains(must_be_escaped) {
        return Some([before, text, after].concat());
    }
    let longest = text.split(must_be_escaped).max_by_key(|part| part.len())?;
    (!longest.is_empty()).then(|| longest.to_owned())
}

impl fmt::Debug for Sieve {
    /// Tells nothing of what is looked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sieve").field("intents", &self.intents).finish_non_exhaustive()
    }
}
