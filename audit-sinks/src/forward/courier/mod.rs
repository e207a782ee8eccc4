//! The thread that carries.

mod bury;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::{SinkError, StoredRecord, Timestamp};

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

/// How long to pause after the cursor could not be written, at least.
const CURSOR_RETRY: Duration = Duration::from_millis(100);
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
    /// Everything up to here is on the disk, of a journal that acknowledges before that.
    synced: u64,
    grave: Grave,
    cursor: ForwarderCursor,
    saved_seq: u64,
    save_at: Instant,
    /// Dropped last: with it goes the lock.
    file: CursorFile,
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
        (cursor, file): (ForwarderCursor, CursorFile),
        (hand, settings): (Hand, Settings),
        (shared, grave): (Arc<Shared>, Grave),
    ) -> Self {
        let saved_seq = cursor.seq;
        Self {
            journal,
            shared,
            hand,
            source,
            backlog: Backlog::default(),
            ahead: VecDeque::new(),
            damage: None,
            patience: settings.patience(),
            settings,
            synced: 0,
            grave,
            cursor,
            saved_seq,
            save_at: Instant::now(),
            file,
        }
    }

    /// Carries until it is asked to stop.
    pub(super) fn run(mut self) {
        loop {
            while let Some(command) = self.shared.next_command() {
                self.obey(command);
            }
            if self.shared.is_stopping() {
                return self.save();
            }
            let rest = self.turn();
            let now = Instant::now();
            if self.is_unsaved() && self.save_at <= now {
                self.save();
            }
            let due = if self.is_unsaved() { self.save_at.saturating_duration_since(now) } else { LONG };
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
        if self.fill().is_err() && self.backlog.is_empty() {
            self.patience.failed(now);
            return Rest::No;
        }
        if !self.backlog.is_empty() {
            self.deliver();
            return Rest::No;
        }
        if let Some(damage) = self.damage.take() {
            let letter = DeadLetter::of_damage(self.cursor.stream, damage);
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
    fn fill(&mut self) -> Result<(), ()> {
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
                    result = Err(());
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

    fn deliver(&mut self) {
        if self.sync_journal().is_err() {
            return self.patience.failed(Instant::now());
        }
        let Self { hand, backlog, source, ahead, damage, settings, .. } = self;
        match hand.offer(backlog, &mut || read_ahead(source, ahead, damage, settings)) {
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
        (self.cursor.seq, self.cursor.hash, self.cursor.end) = (link.seq, link.hash, None);
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

    fn is_unsaved(&self) -> bool {
        self.saved_seq != self.cursor.seq
    }

    fn save(&mut self) {
        if !self.is_unsaved() {
            return;
        }
        self.cursor.updated_at = Timestamp::now();
        let mut pause = self.settings.cursor_every;
        match self.file.write(&self.cursor) {
            Ok(()) => self.saved_seq = self.cursor.seq,
            Err(error) => {
                pause = pause.max(CURSOR_RETRY);
                self.shared.note(|state| state.stats.cursor_failures += 1);
                let error = error.kind();
                alarm(|| {
                    tracing::error!(target: "audited::forward", %error, "the cursor could not be written; a crash repeats what is delivered since");
                });
            }
        }
        self.save_at = Instant::now() + pause;
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
