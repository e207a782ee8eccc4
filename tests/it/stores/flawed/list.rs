//! A list of records, with a flaw.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use audited::{
    ActorKind, AnyOf, Arrived, AuditSink, AuditStore, Condition, CursorKey, Durability, Intents, InvalidCursor, Kind,
    Order, Position, Record, Selection, SinkError, SortKey, StoreError, StoredRecord, Timestamp,
};

use super::super::made::of_json;
use super::super::model::{Ask, Entry, Model, Shown};
use super::Flaw;
use super::taking::take;

/// A list, searched as the model is.
#[derive(Clone)]
pub(super) struct ListStore(Arc<Shared>);

struct Shared {
    flaw: Flaw,
    key: CursorKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    model: Model,
    wakers: Vec<Waker>,
    is_busy: bool,
}

impl ListStore {
    pub(super) fn new(flaw: Flaw) -> Self {
        Self(Arc::new(Shared { flaw, key: CursorKey::random().unwrap(), state: Mutex::default() }))
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.0.flaw == flaw
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// What a selection asks, as far as it is not forgotten.
    fn asks(&self, selection: &Selection) -> Vec<Ask> {
        let asks = selection.conditions().iter().map(ask_of);
        let forgets = |ask: &Ask| match self.0.flaw {
            Flaw::ForgetsTheTenant => matches!(ask, Ask::Tenant(_)),
            Flaw::Forgets(name) => name_of(ask) == name,
            _ => false,
        };
        asks.filter(|ask| !forgets(ask)).collect()
    }

    fn holds(&self, ask: &Ask, entry: &Entry, selection: &Selection) -> bool {
        let tenant = || entry.json["tenant"].as_str().unwrap_or_default().to_owned();
        let action = entry.json["action"].as_str().unwrap();
        match (self.0.flaw, ask) {
            (Flaw::NeverFinds(name), ask) if name_of(ask) == name => false,
            (Flaw::FoldsTheTenant, Ask::Tenant(any)) => {
                any.iter().any(|any| any.to_lowercase() == tenant().to_lowercase())
            }
            (Flaw::TrimsTheTenant, Ask::Tenant(any)) => any.iter().any(|any| any.trim_end() == tenant().trim_end()),
            (Flaw::EndsTextsAtNul, Ask::Tenant(any)) => any.iter().any(|any| to_nul(any) == to_nul(&tenant())),
            (Flaw::EndsTextsAtNul, Ask::Action { prefixes, .. }) if !prefixes.is_empty() => {
                prefixes.iter().any(|prefix| action.starts_with(to_nul(prefix))) || ask.holds(entry)
            }
            (Flaw::TakesPrefixesForPatterns, Ask::Action { prefixes, .. }) => {
                prefixes.iter().any(|prefix| is_like(action, &format!("{prefix}%"))) || ask.holds(entry)
            }
            (Flaw::FoldsPrefixes, Ask::Action { prefixes, .. }) => {
                let action = action.to_lowercase();
                prefixes.iter().any(|prefix| action.starts_with(&prefix.to_lowercase())) || ask.holds(entry)
            }
            (Flaw::LeavesTheStartOut, Ask::From(moment)) => entry.key.0 > *moment,
            (Flaw::TakesTheEndIn, Ask::Until(moment)) => entry.key.0 <= *moment,
            // What a store does not know it leaves to the selection.
            (_, Ask::Text { .. }) => selection.matches(&entry.record),
            _ => ask.holds(entry),
        }
    }

    fn found(&self, selection: &Selection) -> Vec<Entry> {
        let state = self.lock();
        let asks = self.asks(selection);
        let shown = match selection.intents() {
            Intents::Orphans => Shown::WithOrphans,
            Intents::OrphansOnly => Shown::OrphansAlone,
            Intents::Hidden => Shown::NoIntents,
        };
        let oldest_first = selection.order() == Order::OldestFirst && !self.is(Flaw::OldestFirstAlways)
            || self.is(Flaw::OldestFirstAlways);
        let mut found: Vec<Entry> = match self.0.flaw {
            Flaw::ShowsEndedIntents if shown == Shown::WithOrphans => state.model.entries.clone(),
            Flaw::HidesOrphans => {
                state.model.select(&[], Shown::NoIntents, oldest_first).into_iter().cloned().collect()
            }
            Flaw::EndsCallsWithinATenant => {
                let tenants = asks.iter().filter(|ask| matches!(ask, Ask::Tenant(_)));
                let tenants: Vec<_> = tenants.cloned().collect();
                let own = |entry: &&Entry| tenants.iter().all(|ask| ask.holds(entry));
                let own = Model { entries: state.model.entries.iter().filter(own).cloned().collect() };
                own.select(&[], shown, oldest_first).into_iter().cloned().collect()
            }
            _ => state.model.select(&[], shown, oldest_first).into_iter().cloned().collect(),
        };
        match self.0.flaw {
            Flaw::OrdersByArrival => found.clone_from(&state.model.entries),
            Flaw::ShowsEndedIntents => {
                found.sort_by(|a, b| a.key.cmp(&b.key));
                if !oldest_first {
                    found.reverse();
                }
            }
            Flaw::OrdersEqualTimesByArrival => {
                found.clone_from(&state.model.entries);
                found.sort_by_key(|entry| if oldest_first { entry.key.0 } else { -entry.key.0 });
            }
            Flaw::OrdersByRecording => {
                let recorded = |entry: &Entry| entry.record.recorded_at().map(Timestamp::as_unix_micros);
                found.sort_by_key(|entry| (recorded(entry).unwrap_or(entry.key.0), entry.key.1.clone()));
                if !oldest_first {
                    found.reverse();
                }
            }
            _ => {}
        }
        if self.is(Flaw::LimitsBeforeItFilters) {
            let limit = selection.limit() + selection.offset();
            let is_text = |ask: &Ask| matches!(ask, Ask::Text { .. });
            found.retain(|entry| asks.iter().filter(|ask| !is_text(ask)).all(|ask| self.holds(ask, entry, selection)));
            found.truncate(limit);
        }
        found.retain(|entry| asks.iter().all(|ask| self.holds(ask, entry, selection)));
        found
    }
}

fn to_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

/// Whether a text is like a pattern of SQL.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| is_like(&text[at..], rest.as_str()))
        }
        Some(c) => {
            let mut text = text.chars();
            text.next().is_some_and(|first| c == '_' || c == first) && is_like(text.as_str(), rest.as_str())
        }
    }
}

fn name_of(ask: &Ask) -> &'static str {
    match ask {
        Ask::Tenant(_) => "tenant",
        Ask::From(_) => "from",
        Ask::Until(_) => "until",
        Ask::Action { .. } => "action",
        Ask::User(_) => "user",
        Ask::Actor { .. } => "actor",
        Ask::Subject { .. } => "subject",
        Ask::Resource { .. } => "resource",
        Ask::Allowed(_) => "decision",
        Ask::Reason(_) => "reason",
        Ask::Ended(_) => "outcome",
        Ask::Code(_) => "code",
        Ask::Correlation(_) => "correlation",
        Ask::Kind(_) => "kind",
        Ask::Text { .. } => "text",
        Ask::Id(_) => "id",
        Ask::Not(_) => "not",
    }
}

fn ask_of(condition: &Condition) -> Ask {
    let texts = |any: &AnyOf| any.texts().to_vec();
    match condition {
        Condition::Tenant(any) => Ask::Tenant(texts(any)),
        Condition::From(moment) => Ask::From(moment.as_unix_micros()),
        Condition::Until(moment) => Ask::Until(moment.as_unix_micros()),
        Condition::Action { exact, prefixes } => Ask::Action { exact: texts(exact), prefixes: texts(prefixes) },
        Condition::User(any) => Ask::User(texts(any)),
        Condition::Actor { kind, id } => Ask::Actor { kind: kind.map(ActorKind::as_str), id: id.as_ref().map(texts) },
        Condition::Subject { kind, id } => Ask::Subject { kind: kind.clone(), id: texts(id.as_ref().unwrap()) },
        Condition::Resource { kind, id } => Ask::Resource { kind: kind.clone(), id: id.as_ref().map(texts) },
        Condition::Allowed(allowed) => Ask::Allowed(*allowed),
        Condition::DenyReason(any) => Ask::Reason(texts(any)),
        Condition::Ended(ending) => Ask::Ended(ending.as_str()),
        Condition::FailureCode(any) => Ask::Code(texts(any)),
        Condition::CorrelationId(any) => Ask::Correlation(texts(any)),
        Condition::Kind(kind) => Ask::Kind(Kind::as_str(*kind)),
        Condition::Text { path, texts: any } => Ask::Text { path: path.clone(), texts: texts(any) },
        Condition::Id(id) => Ask::Id(id.to_string()),
        Condition::Not(id) => Ask::Not(id.to_string()),
        _ => unreachable!("a condition that the suite does not know"),
    }
}

fn entry_of(record: &Record) -> Entry {
    Entry::new(record.clone(), SortKey::of(record).unwrap().micros)
}

fn stored(entries: impl IntoIterator<Item = Entry>) -> Vec<StoredRecord> {
    entries.into_iter().map(|entry| entry.record.into()).collect()
}

/// Gives others their turn once.
async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl AuditStore for ListStore {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        if self.is(Flaw::StaysBusy) {
            if std::mem::replace(&mut self.lock().is_busy, true) {
                return Err(StoreError::Closed);
            }
            pause().await;
            self.lock().is_busy = false;
        }
        let mut found = self.found(selection);
        if let Some(after) = selection.after() {
            let after = (after.micros, after.id.to_string());
            let newest_first = selection.order() == Order::NewestFirst;
            let is_behind = |entry: &Entry| match (self.0.flaw, newest_first) {
                (Flaw::RepeatsAtCursors, true) => entry.key <= after,
                (Flaw::RepeatsAtCursors, false) => entry.key >= after,
                (_, true) => entry.key < after,
                (_, false) => entry.key > after,
            };
            found.retain(is_behind);
            if self.is(Flaw::SkipsAtCursors) && !found.is_empty() {
                found.remove(0);
            }
        }
        let offset = if self.is(Flaw::IgnoresOffsets) { 0 } else { selection.offset() };
        let limit = selection.limit() - usize::from(self.is(Flaw::GivesOneTooFew));
        Ok(stored(found.into_iter().skip(offset).take(limit)))
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        if self.is(Flaw::CountsForEverybody) {
            return Ok(self.lock().model.entries.len() as u64);
        }
        let count = self.found(selection).len() as u64;
        Ok(match self.0.flaw {
            Flaw::CountsPages => count.min(selection.limit() as u64),
            Flaw::CountsOneMore => count + 1,
            _ => count,
        })
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        let state = self.lock();
        let start = match after.as_bytes() {
            [] => 0,
            bytes => usize::try_from(u64::from_be_bytes(bytes.try_into().map_err(|_| InvalidCursor)?)).unwrap(),
        };
        let mut entries = state.model.entries.clone();
        if self.is(Flaw::StreamsByTime) {
            entries.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let asks = self.asks(selection);
        let limit = if self.is(Flaw::StreamsWithoutLimit) { usize::MAX } else { selection.limit() };
        let (mut records, mut next) = (Vec::new(), start);
        for entry in entries.iter().skip(start) {
            if records.len() >= limit {
                break;
            }
            next += 1;
            let is_intent = entry.json["stage"] == "intent" && !self.is(Flaw::StreamsIntents);
            if !is_intent && asks.iter().all(|ask| self.holds(ask, entry, selection)) {
                records.push((entry.record.clone().into(), position(next)));
            }
        }
        let more = next < entries.len();
        match self.0.flaw {
            Flaw::SkipsInStreams if more => next += 1,
            Flaw::RepeatsInStreams if !more && start < next => next -= 1,
            Flaw::BeginsAnew if !more => next = 0,
            _ => {}
        }
        Ok(Arrived::new(records, position(next), more))
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Ok(position(self.lock().model.entries.len()))
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        let seen = after.as_bytes().try_into().map_or(0, u64::from_be_bytes);
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.model.entries.len() as u64 > seen {
                return Poll::Ready(Ok(()));
            }
            if !self.is(Flaw::NeverWakes) {
                state.wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        if self.is(Flaw::ChangesItsKey) { Ok(CursorKey::random()?) } else { Ok(self.0.key.clone()) }
    }
}

fn position(at: usize) -> Position {
    Position::from_bytes((at as u64).to_be_bytes())
}

#[async_trait]
impl AuditSink for ListStore {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let mut batch: Vec<_> = batch.iter().map(entry_of).collect();
        if self.is(Flaw::Rewrites) {
            for entry in &mut batch {
                entry.record = of_json(&entry.json.to_string());
            }
        }
        if self.is(Flaw::WritesInTwoSteps) {
            let rest = batch.split_off(batch.len() / 2);
            self.lock().model.write(&batch);
            pause().await;
            batch = rest;
        }
        let mut state = self.lock();
        let taken = take(self.0.flaw, &mut state.model, &batch);
        state.wakers.drain(..).for_each(Waker::wake);
        if taken { Ok(()) } else { Err(SinkError::conflict(std::io::Error::other("taken"))) }
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "list".into()
    }
}
