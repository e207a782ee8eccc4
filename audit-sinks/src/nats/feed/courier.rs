//! The thread that fills the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::Message;
use audit_core::StoredRecord;

use super::intake::{Intake, place};
use super::options::Settings;
use super::shared::Shared;
use crate::forward::{Backlog, Breaker, DeadLetter, DeadReason, Grave, Hand, Offered, alarm};
use crate::nats::error::NatsError;
use crate::nats::link::Link;

/// How long to wait at most before it is looked again how far the consumer is.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Courier {
    intake: Intake,
    hand: Hand,
    grave: Grave,
    shared: Arc<Shared>,
    settings: Settings,
    /// The records of the next batch, and the message of each.
    backlog: Backlog,
    messages: VecDeque<Message>,
    /// What follows.
    ready: VecDeque<(StoredRecord, Message)>,
    /// What is no record, and not buried yet.
    strays: VecDeque<Message>,
    /// For what fails on this side: the connection, and burying.
    patience: Breaker,
    /// Dropped last: all of the above runs on it.
    link: Link,
}

impl Courier {
    pub(super) fn new(
        link: Link,
        intake: Intake,
        hand: Hand,
        grave: Grave,
        (shared, settings): (Arc<Shared>, Settings),
    ) -> Self {
        let (backlog, patience) = (Backlog::default(), settings.patience());
        let (messages, ready, strays) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { intake, hand, grave, shared, settings, backlog, messages, ready, strays, patience, link }
    }

    /// Carries until it is asked to stop.
    pub(super) fn run(mut self) {
        while !self.shared.is_stopping() {
            let now = Instant::now();
            if let Some(until) = self.patience.rests_until(now) {
                self.shared.rest(until.saturating_duration_since(now));
                continue;
            }
            if let Err(error) = self.turn() {
                if self.shared.failed(&error) {
                    alarm(|| tracing::error!(target: "audited::feed", %error, "the stream cannot be read"));
                }
                self.patience.failed(Instant::now());
            }
        }
        let ready = self.ready.into_iter().map(|(_, message)| message);
        let messages = self.messages.into_iter().chain(ready).chain(self.strays).collect();
        // Otherwise the server gives them out again by itself, a little later.
        let _ = self.link.block_on(self.intake.give_back(messages));
    }

    fn turn(&mut self) -> Result<(), NatsError> {
        let now = Instant::now();
        self.fill();
        let rests_until = self.hand.rests_until(now);
        if rests_until.is_none() && self.is_enough() {
            return self.deliver();
        }
        if let Some(until) = rests_until {
            // How far the consumer is changes while the store is away.
            self.link.block_on(self.intake.look())?;
            self.shared.rest(until.saturating_duration_since(now).min(LOOK_AGAIN));
            return Ok(());
        }
        let messages = self.link.block_on(self.intake.next(self.backlog.is_empty()))?;
        self.patience.answered();
        self.shared.reached();
        for message in messages {
            match std::str::from_utf8(&message.payload).ok().and_then(|json| StoredRecord::parse(json).ok()) {
                Some(record) => self.ready.push_back((record, message)),
                None => self.strays.push_back(message),
            }
        }
        self.fill();
        self.tell();
        while let Some(message) = self.strays.front() {
            let letter = DeadLetter::of_no_record(place(message)?);
            if !self.bury(&letter, None) {
                return Ok(());
            }
            let message = self.strays.pop_front();
            self.done(message.into_iter().collect())?;
        }
        if self.backlog.is_empty() { Ok(()) } else { self.deliver() }
    }

    /// Takes as much as a batch holds.
    fn fill(&mut self) {
        while !self.is_enough()
            && let Some((record, message)) = self.ready.pop_front()
        {
            self.backlog.push(record);
            self.messages.push_back(message);
        }
    }

    /// Whether there is a whole batch, so that nothing more is asked for.
    fn is_enough(&self) -> bool {
        self.backlog.len() >= self.settings.batch_records || self.backlog.bytes() >= self.settings.batch_bytes
    }

    fn deliver(&mut self) -> Result<(), NatsError> {
        match self.hand.offer(&mut self.backlog, &mut || ()) {
            Offered::Taken(count) => {
                let messages = self.messages.drain(..count).collect();
                self.backlog.done(count);
                self.shared.note(|state| state.stats.delivered += count as u64);
                self.tell();
                self.done(messages)
            }
            Offered::Refused(reason, error) => {
                let Some(letter) = self.backlog.front().map(|record| DeadLetter::of(record, reason)) else {
                    return Ok(());
                };
                if !self.bury(&letter, Some(&error)) {
                    return Ok(());
                }
                self.hand.buried();
                self.backlog.done(1);
                let message = self.messages.pop_front();
                self.tell();
                self.done(message.into_iter().collect())
            }
            Offered::Again => Ok(()),
        }
    }

    fn bury(&mut self, letter: &DeadLetter, error: Option<&audit_core::SinkError>) -> bool {
        if !self.grave.bury(letter, self.hand.description()) {
            self.patience.failed(Instant::now());
            return false;
        }
        self.shared.note(|state| {
            state.stats.dead_letters += 1;
            state.stats.conflicts += u64::from(letter.reason == DeadReason::Conflict);
            state.stats.no_records += u64::from(letter.reason == DeadReason::NoRecord);
            state.unresolved.insert(letter.key());
        });
        self.grave.tell(letter, error);
        true
    }

    fn done(&mut self, messages: Vec<Message>) -> Result<(), NatsError> {
        self.link.block_on(self.intake.done(messages))
    }

    fn tell(&self) {
        let oldest = self.backlog.front().and_then(|record| record.recorded_at());
        self.shared.note(|state| state.oldest = oldest);
    }
}
