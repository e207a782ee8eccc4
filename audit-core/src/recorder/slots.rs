//! How many records may be on their way at once.
//!
//! An event waits for a slot, an audited call for the moment in which there is one: its own records then take theirs
//! beyond the limit, so that they never have to wait, not even when the future is dropped, and calls within calls never
//! wait for each other. A slot that becomes free goes to the one who has waited longest, never past the queue.
//!
//! Each record takes a slot and gives it back, so that both are one change of one [word](Word) while nobody waits for
//! anything. Whoever begins to wait says so in that word, in the same step in which it finds that it has to: from then
//! on those who give back a slot take the lock.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::sink::SinkError;
use crate::sync::{AtomicU64, Condvar, Mutex, MutexGuard};
use crate::ticket::{Account, Receipt, Ticket};

/// How long the queue may grow before it is swept of those who have left.
const SWEEP_AT: usize = 64;

pub(super) struct Slots {
    most: u64,
    word: AtomicU64,
    queue: Mutex<Queue>,
    landed: Condvar,
}

/// How many slots are out, those beyond the limit included, how many of those have a record that the sink has, and who
/// waits. While fewer are out than there may be, nobody waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word(u64);

impl Word {
    const TAKEN: u64 = 1;
    const FLYING: u64 = 1 << 31;
    /// How many of each it can count.
    const MOST: u64 = Self::FLYING - 1;
    /// Somebody may be in the queue.
    const QUEUED: u64 = 1 << 62;
    /// Somebody waits until all have landed.
    const WATCHED: u64 = 1 << 63;

    const fn taken(self) -> u64 {
        self.0 & Self::MOST
    }

    const fn flying(self) -> u64 {
        (self.0 / Self::FLYING) & Self::MOST
    }

    const fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    /// A record has landed, where one flew; says whether somebody waits for that.
    const fn landed(self, flew: bool) -> (Self, bool) {
        let landed = Self(self.0 - if flew { Self::FLYING } else { 0 });
        let told = flew && landed.flying() == 0 && landed.has(Self::WATCHED);
        (Self(if told { landed.0 & !Self::WATCHED } else { landed.0 }), told)
    }
}

struct Queue {
    waiting: VecDeque<Ticket>,
    sweep_at: usize,
}

/// Room for one record; dropping it makes room for another.
pub(crate) struct Slot {
    /// Taken when its record is on its way.
    slots: Option<Arc<Slots>>,
}

/// Where a record is to have its room.
pub(crate) enum Room {
    /// Whether there is any or not, for the records of a call that was let in.
    Beyond,
    Slot(Slot),
    /// There is none.
    Full,
}

impl Slots {
    pub(super) fn new(most: usize) -> Arc<Self> {
        let queue = Queue { waiting: VecDeque::new(), sweep_at: SWEEP_AT };
        let most = u64::try_from(most).unwrap_or(Word::MOST).min(Word::MOST / 2);
        Arc::new(Self { most, word: AtomicU64::new(0), queue: Mutex::new(queue), landed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Changes the word, where there is something to change; gives what it was.
    fn change(&self, change: impl Fn(Word) -> Option<Word>) -> Result<Word, Word> {
        let changed = |word| change(Word(word)).map(|word| word.0);
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed).map(Word).map_err(Word)
    }

    fn add(&self, amount: u64) {
        self.word.fetch_add(amount, Ordering::AcqRel);
    }

    /// Whether there is a slot.
    pub(super) fn has_room(&self) -> bool {
        self.word().taken() < self.most
    }

    /// Takes a slot if there is one.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let taken = self.change(|word| (word.taken() < self.most).then_some(Word(word.0 + Word::TAKEN)));
        taken.ok().map(|_| Slot::new(self))
    }

    /// A record is on its way, if there is room for it. It keeps that until it has [landed](Self::land).
    pub(super) fn take_off(&self, room: Room) -> bool {
        match room {
            Room::Beyond => self.add(Word::TAKEN + Word::FLYING),
            Room::Slot(slot) => slot.fly(),
            Room::Full => return false,
        }
        true
    }

    /// The sink has answered for a record.
    pub(super) fn land(&self) {
        self.give_back(true);
    }

    /// Queues for a slot. `account` sees to the deadline.
    pub(super) fn queue(self: &Arc<Self>, account: Arc<dyn Account>, deadline: Duration) -> Place {
        let (ticket, receipt) = Ticket::with_account(account);
        let mut queue = self.lock();
        let before = self.change(|word| {
            let found = word.taken() < self.most;
            Some(Word(if found { word.0 + Word::TAKEN } else { word.0 | Word::QUEUED }))
        });
        let left = if before.is_ok_and(|before| before.taken() < self.most) {
            drop(queue);
            ticket.settle(Ok(()));
            VecDeque::new()
        } else {
            let left = queue.sweep();
            queue.waiting.push_back(ticket);
            drop(queue);
            left
        };
        drop(left);
        Place { slots: self.clone(), receipt: receipt.within(deadline), called: false }
    }

    /// Gives back a slot.
    fn give_back(&self, flew: bool) {
        let given = self.change(|word| {
            let landed = word.landed(flew).0;
            (!word.has(Word::QUEUED)).then_some(Word(landed.0 - Word::TAKEN))
        });
        match given {
            Ok(before) => self.tell(before.landed(flew).1),
            Err(_) => self.pass_on(flew),
        }
    }

    /// Hands a slot to the next in the queue who is still there.
    fn pass_on(&self, mut flew: bool) {
        loop {
            let mut queue = self.lock();
            // More come only under the lock, and none leaves but there.
            let next = if self.word().taken() > self.most { None } else { queue.waiting.pop_front() };
            let empty = queue.waiting.is_empty();
            let before = self.change(|word| {
                let mut word = word.landed(flew).0;
                if next.is_none() {
                    word.0 -= Word::TAKEN;
                    if empty {
                        word.0 &= !Word::QUEUED;
                    }
                }
                Some(word)
            });
            drop(queue);
            self.tell(before.is_ok_and(|before| before.landed(flew).1));
            flew = false;
            if next.is_none_or(|next| next.settle_if_awaited(&Ok(()))) {
                return;
            }
        }
    }

    /// Tells those who wait until all have landed.
    fn tell(&self, told: bool) {
        if told {
            // Who has said so waits already, or has not let go of the lock.
            drop(self.lock());
            self.landed.notify_all();
        }
    }

    /// How many wait for a slot.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.iter().filter(|place| place.is_awaited()).count()
    }

    /// Waits until the sink has answered for every record that it has, or the deadline has passed; gives how many are
    /// left.
    pub(super) fn wait_until_landed(&self, until: Option<Instant>) -> usize {
        let mut queue = self.lock();
        let watched = |word: Word| (word.flying() > 0).then_some(Word(word.0 | Word::WATCHED));
        while self.change(watched).is_ok() {
            let Some(until) = until else {
                queue = self.landed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue = self.landed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(queue);
        usize::try_from(self.word().flying()).unwrap_or(usize::MAX)
    }
}

impl Queue {
    /// Takes out those who have left, once in a while. They are dropped outside of the lock.
    fn sweep(&mut self) -> VecDeque<Ticket> {
        if self.waiting.len() < self.sweep_at {
            return VecDeque::new();
        }
        let (waiting, left) = std::mem::take(&mut self.waiting).into_iter().partition(Ticket::is_awaited);
        self.waiting = waiting;
        self.sweep_at = SWEEP_AT.max(self.waiting.len() * 2);
        left
    }
}

impl Slot {
    fn new(slots: &Arc<Slots>) -> Self {
        Self { slots: Some(slots.clone()) }
    }

    /// The record is on its way, and gives the slot back itself.
    fn fly(mut self) {
        if let Some(slots) = self.slots.take() {
            slots.add(Word::FLYING);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = &self.slots {
            slots.give_back(false);
        }
    }
}

impl From<Option<Slot>> for Room {
    fn from(slot: Option<Slot>) -> Self {
        slot.map_or(Self::Full, Self::Slot)
    }
}

/// A place in the queue for a slot. Whoever is called has the slot, and passes it on should he be gone.
#[must_use = "a place does nothing until it is waited for"]
pub(crate) struct Place {
    slots: Arc<Slots>,
    receipt: Receipt,
    called: bool,
}

impl Place {
    /// Blocks until it is called, or its deadline has passed.
    pub(crate) fn wait(mut self) -> Option<Slot> {
        let answer = self.receipt.wait();
        self.take(&answer)
    }

    fn take(&mut self, answer: &Result<(), SinkError>) -> Option<Slot> {
        self.called = true;
        answer.is_ok().then(|| Slot::new(&self.slots))
    }
}

impl Future for Place {
    type Output = Option<Slot>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Slot>> {
        Pin::new(&mut self.receipt).poll(cx).map(|answer| self.take(&answer))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.called && matches!(self.receipt.give_up(), Some(Ok(()))) {
            drop(Slot::new(&self.slots));
        }
    }
}

#[cfg(test)]
mod tests;
