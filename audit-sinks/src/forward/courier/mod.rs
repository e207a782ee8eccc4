//! The thread that carries.

mod bury;
mod mark;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::{SinkError, StoredRecord};

use self::mark::Mark;
use super::alarm;
use super::backlog::Backlog;
use super::carried::Carried;
use super::circuit::Breaker;
use super::cursor::{CursorFile, ForwarderCursor};
use super::grave::Grave;
use super::hand::{Hand, Offered};
use super::letter::DeadLetter;
use super::options::Settings;
use super::shared::Shared;
use super::source::{Damage, Found, Link, Source, link_of};
use crate::journal::JournalError;

/// How long to wait at most for a record that is acknowledged and cannot be read.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long to wait for a record otherwise.
const LONG: Duration = Duration::from_secs(3600);

pub(super) struct Courier {
    journal: Carried,
    shared: Arc<Shared>,
    hand: Hand,
    settings: Settings,
    source: Source,
    backlog: Backlog,
    /// What follows the backlog: read while the sink was at work.
    ahead: VecDeque<StoredRecord>,
    /// What follows that.
    damage: Option<Damage>,
    /// For what fails on this side: reading, and burying.
    patience: Breaker,
    /// Whether the journal could not be read the last time.
    is_blind: bool,
    /// Everything up to here is on the disk, of a journal that acknowledges before that.
    synced: u64,
    grave: Grave,
    /// Dropped last: with it goes the lock.
    mark: Mark,
}

/// What a turn has come to.
enum Rest {
    /// There is more to do.
    No,
    ForRecord(u64, Duration),
    Until(Instant),
}

impl Courier {
    pub(super) fn new(
        (journal, source): (Carried, Source),
        cursor: (ForwarderCursor, CursorFile),
        (hand, settings): (Hand, Settings),
        (shared, grave): (Arc<Shared>, Grave),
    ) -> Self {
        let mark = Mark::new(cursor, settings.cursor_every);
        Self {
            journal,
            shared,
            hand,
            source,
            backlog: Backlog::default(),
            ahead: VecDeque::new(),
            damage: None,
            patience: settings.patience(),
            is_blind: false,
            settings,
            synced: 0,
            grave,
            mark,
        }
    }

    /// Carries until it is asked to stop.
    pub(super) fn run(mut self) {
        loop {
            while let Some(command) = self.shared.next_command() {
                self.obey(command);
            }
            if self.shared.is_stopping() {
                return self.mark.save(&self.shared);
            }
            let rest = self.turn();
            // Where there is more to deliver, it is written while the sink is at work with that, or a little later.
            let has_more = matches!(rest, Rest::No) && !self.ahead.is_empty();
            let patience = if has_more { self.settings.cursor_every } else { Duration::ZERO };
            self.mark.save_if_due(&self.shared, patience);
            let now = Instant::now();
            let due = self.mark.due_in(now).unwrap_or(LONG);
            match rest {
                Rest::No => {}
                Rest::ForRecord(seq, within) => self.shared.wait_for_record(seq, within.min(due)),
                Rest::Until(until) => self.shared.rest(until.saturating_duration_since(now).min(due)),
            }
        }
    }

    fn turn(&mut self) -> Rest {
        let now = Instant::now();
        if let Some(until) = self.patience.rests_until(now).max(self.hand.rests_until(now)) {
            return Rest::Until(until);
        }
        let head = self.journal.head().seq;
        let filled = self.fill();
        self.tell_of_reading(filled.as_ref().err());
        if filled.is_err() && self.backlog.is_empty() {
            self.patience.failed(now);
            return Rest::No;
        }
        if !self.backlog.is_empty() {
            self.deliver();
            return Rest::No;
        }
        if let Some(damage) = self.damage.take() {
            let letter = DeadLetter::of_damage(self.mark.stream(), damage);
            if self.bury(&letter, None) {
                self.moved_to(damage.last, 0);
            } else {
                self.damage = Some(damage);
            }
            return Rest::No;
        }
        let next = self.source.next_seq();
        if next > head { Rest::ForRecord(next, LONG) } else { Rest::ForRecord(head + 1, LOOK_AGAIN) }
    }

    /// Reads as much as a batch holds.
    fn fill(&mut self) -> Result<(), JournalError> {
        let (mut records, mut bytes, mut result) = (0, 0, Ok(()));
        while (self.damage.is_none() || !self.ahead.is_empty())
            && self.backlog.len() < self.settings.batch_records
            && self.backlog.bytes() < self.settings.batch_bytes
        {
            let next = self.ahead.pop_front().map(Found::Record);
            match next.map_or_else(|| self.source.next(), |record| Ok(Some(record))) {
                Ok(None) => break,
                Ok(Some(Found::Record(record))) => {
                    records += 1;
                    bytes += record.json().len() as u64;
                    self.backlog.push(record);
                }
                Ok(Some(Found::Damage(damage))) => self.damage = Some(damage),
                Err(error) => {
                    alarm(|| tracing::error!(target: "audited::forward", %error, "the journal could not be read"));
                    result = Err(error);
                    break;
                }
            }
        }
        if records > 0 {
            let oldest = self.backlog.front().and_then(|record| record.recorded_at());
            let next_seq = self.ahead.front().and_then(|record| record.seq()).unwrap_or(self.source.next_seq());
            let (read_seq, backlog_bytes) = (next_seq - 1, self.backlog.bytes() as u64);
            self.shared.note(|state| {
                state.read_seq = read_seq;
                state.backlog_bytes = backlog_bytes;
                state.oldest = oldest;
                state.read_records += records;
                state.read_bytes += bytes;
            });
        }
        result
    }

    fn tell_of_reading(&mut self, error: Option<&JournalError>) {
        if error.is_none() && !self.is_blind {
            return;
        }
        self.is_blind = error.is_some();
        let error = error.map(ToString::to_string);
        self.shared.note(|state| {
            state.stats.read_failures = if error.is_some() { state.stats.read_failures + 1 } else { 0 };
            state.stats.journal_error = error;
        });
    }

    fn deliver(&mut self) {
        if self.sync_journal().is_err() {
            return self.patience.failed(Instant::now());
        }
        let Self { hand, backlog, source, ahead, damage, settings, mark, shared, .. } = self;
        let mut meanwhile = || {
            mark.save_if_due(shared, Duration::ZERO);
            read_ahead(source, ahead, damage, settings);
        };
        match hand.offer(backlog, &mut meanwhile) {
            Offered::Taken(count) => {
                if let Some(last) = self.backlog.done(count) {
                    self.moved_to(link_of(&last), count as u64);
                }
            }
            Offered::Refused(reason, error) => self.bury_front(reason, &error),
            Offered::Again => {}
        }
    }

    /// What a journal acknowledges before it is on the disk could be lost with the machine, and its place given to
    /// another record: the store would have what the journal does not.
    fn sync_journal(&mut self) -> Result<(), SinkError> {
        if self.journal.is_synced() || self.source.next_seq() <= self.synced + 1 {
            return Ok(());
        }
        let head = self.journal.head().seq;
        self.journal.sync(self.settings.deadline)?;
        self.synced = head;
        Ok(())
    }

    fn moved_to(&mut self, link: Link, delivered: u64) {
        self.mark.move_to(link);
        let oldest = self.backlog.front().and_then(|record: &StoredRecord| record.recorded_at());
        let backlog_bytes = self.backlog.bytes() as u64;
        self.shared.note(|state| {
            state.stats.delivered += delivered;
            state.delivered_seq = link.seq;
            state.read_seq = state.read_seq.max(link.seq);
            state.backlog_bytes = backlog_bytes;
            state.oldest = oldest;
        });
    }
}

/// Reads what the next batch will hold. What cannot be read now is met again where it is that batch's turn.
fn read_ahead(
    source: &mut Source,
    ahead: &mut VecDeque<StoredRecord>,
    damage: &mut Option<Damage>,
    settings: &Settings,
) {
    let mut bytes: usize = ahead.iter().map(|record| record.json().len()).sum();
    while damage.is_none() && ahead.len() < settings.batch_records && bytes < settings.batch_bytes {
        match source.next() {
            Ok(Some(Found::Record(record))) => {
                bytes += record.json().len();
                ahead.push_back(record);
            }
            Ok(Some(Found::Damage(found))) => *damage = Some(found),
            Ok(None) | Err(_) => return,
        }
    }
}
