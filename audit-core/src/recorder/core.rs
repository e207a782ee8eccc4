//! The recorder's inside: from a draft to a ticket.

use std::sync::Arc;
use std::time::Duration;

use super::entry::Entry;
use super::flood::{Admission, Flood};
use super::forgotten;
use super::lane::Lane;
use super::loss::Losses;
use super::owed::{Admitted, Step};
use super::slots::{Place, Room, Slot, Slots};
use super::switch::Switches;
use super::watch::Watch;
use super::weak::WeakFailClosed;
use crate::action::Action;
use crate::alarm::Timed;
use crate::contain::contained;
use crate::context::AuditContext;
use crate::guarded::Guarded;
use crate::id::RecordId;
use crate::record::{Draft, Flag, Flags, Record, Stamp, Times, encode};
use crate::sensitive::Rules;
use crate::sink::{Durability, SinkError};
use crate::ticket::{Receipt, Ticket};
use crate::vocabulary::Vocabulary;

/// How many steps whoever finds them takes at most, before a thread of the recorder's goes on: each brings in its train
/// what others do meanwhile, and a caller has its own work.
const STEPS_AT_ONCE: usize = 64;

/// What nobody expected is in the record and in the numbers; who reads logs alone learns of it, too.
const UNEXPECTED: [(Flag, &str); 4] = [
    (Flag::UnknownAction, "event of no vocabulary"),
    (Flag::Drift, "event that is not as its vocabulary says"),
    (Flag::Surface, "record from another surface than it may come from"),
    (Flag::Unencodable, "record with a value that could not be encoded"),
];

pub(crate) struct Core {
    /// Whether it stands in for one that nobody has installed.
    pub(super) is_fallback: bool,
    pub(super) sink: Guarded,
    pub(super) lane: Option<Lane>,
    pub(super) rules: Arc<Rules>,
    pub(super) vocabulary: Option<Vocabulary>,
    pub(super) deadline: Duration,
    pub(super) weak: WeakFailClosed,
    pub(super) slots: Arc<Slots>,
    pub(super) losses: Arc<Losses>,
    pub(super) flood: Option<Arc<Flood>>,
    pub(super) watch: Arc<Watch>,
    pub(super) switches: Switches,
}

impl Core {
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether a `fail_closed` call of this action may rely on this recorder.
    pub(crate) fn can_fail_closed(&self, action: &Action) -> bool {
        self.sink.durability() >= Durability::Disk || self.weak.allows(action.as_str())
    }

    pub(crate) fn try_slot(&self) -> Option<Slot> {
        self.slots.try_take()
    }

    /// Whether there is room for another record. A call asks when it begins.
    pub(crate) fn has_room(&self) -> bool {
        self.slots.has_room()
    }

    /// A place in the queue for a slot.
    pub(crate) fn queue_for_slot(&self) -> Place {
        self.queue_for_slot_within(self.deadline)
    }

    pub(super) fn queue_for_slot_within(&self, within: Duration) -> Place {
        // It holds the alarms alone: a place that nobody waits for any more must not keep the recorder alive.
        self.slots.queue(Arc::new(Timed(self.watch.alarms().clone())), within)
    }

    /// Encodes a draft and hands it to the sink, unless flood control only counts it. Without a slot it is lost, and
    /// counted as that.
    pub(crate) fn submit(
        self: &Arc<Self>,
        draft: &Draft,
        context: Option<&AuditContext>,
        id: RecordId,
        when: Times,
        room: Room,
    ) -> Receipt {
        if self.is_fallback {
            forgotten::say_once();
        }
        let mut flags = self.found_out(draft);
        let mut mark = None;
        match self.flood.as_ref().map(|flood| flood.admit(draft, context, when.occurred_at)) {
            None | Some(Admission::Written) => {}
            Some(Admission::Marked(marked)) => {
                flags.raise(Flag::Coalescing);
                mark = Some(Box::new(marked));
            }
            Some(Admission::Counted) => {
                self.losses.coalesced();
                return Receipt::acknowledged();
            }
        }
        let record = self.stamped(draft, context, id, when, flags);
        let has_room = self.slots.take_off(room);
        let flight = self.losses.took_off();
        let entry = Entry::new(self.clone(), record.clone(), flight, mark, has_room);
        let (ticket, receipt) = Ticket::with_entry(entry);
        if has_room {
            self.hand_over(record, ticket);
        } else {
            ticket.settle(Err(SinkError::Full));
        }
        receipt.within_from_then(self.deadline)
    }

    /// What the vocabulary says of a draft, and what that says itself.
    pub(super) fn found_out(&self, draft: &Draft) -> Flags {
        let flags = self.vocabulary.as_ref().map(|vocabulary| vocabulary.flags(draft)).unwrap_or_default();
        flags.and(draft.flags)
    }

    /// Stamps a draft and encodes it; what was found out about it is counted.
    pub(super) fn stamped(
        &self,
        draft: &Draft,
        context: Option<&AuditContext>,
        id: RecordId,
        when: Times,
        flags: Flags,
    ) -> Record {
        let fell_back = draft.detail.notes.unencodable || draft.detail.notes.keyless;
        if fell_back || flags != Flags::default() {
            self.losses.flagged(flags, fell_back);
        }
        let stamp = Stamp { id, when, flags };
        let record = encode(draft, context, &stamp, &self.rules);
        let mut found = flags;
        if draft.detail.notes.unencodable {
            found.raise(Flag::Unencodable);
        }
        if found != Flags::default() {
            UNEXPECTED
                .into_iter()
                .filter(|(flag, _)| found.has(*flag))
                .for_each(|(flag, what)| warn(&record, flag, what));
        }
        record
    }

    /// Submits what the framework says about itself, and about whose call, where it is one's.
    pub(crate) fn submit_system(self: &Arc<Self>, draft: &Draft, context: Option<&AuditContext>) -> Receipt {
        self.submit_now(draft, context, self.try_slot().into())
    }

    pub(super) fn submit_system_in(self: &Arc<Self>, draft: &Draft, room: Room) -> Receipt {
        self.submit_now(draft, None, room)
    }

    fn submit_now(self: &Arc<Self>, draft: &Draft, context: Option<&AuditContext>, room: Room) -> Receipt {
        let (id, now) = RecordId::now();
        self.submit(draft, context, id, Times::both(now), room)
    }

    /// Ends the window of the flood control: what was counted in it is owed to the stream.
    pub(super) fn end_flood_window(&self) {
        if let Some(flood) = &self.flood {
            flood.end_window();
        }
    }

    /// Flushes the sink, on a thread that may be left behind should the sink hang.
    pub(super) fn flush_sink(&self, within: Duration) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        if let Some(lane) = &self.lane {
            lane.flush(within, ticket);
        } else {
            let sink = self.sink.share();
            let flush = move || ticket.settle(sink.flush(within));
            std::thread::Builder::new().name("audited-flush".into()).spawn(flush)?;
        }
        receipt.within(within).wait()
    }

    fn hand_over(&self, record: Record, ticket: Ticket) {
        let Some(lane) = &self.lane else {
            // What was lost before comes first, so that the gap stands in the stream where the records are missing.
            let Admitted { passes, steps } = self.losses.owed().admit(record, ticket);
            if steps {
                self.take_steps();
            }
            if let Some((record, ticket)) = passes {
                self.sink.submit_inline(record, ticket);
            }
            return;
        };
        lane.submit(record, ticket);
    }

    /// Writes into the stream what was lost and what was counted, if anything was.
    pub(super) fn write_owed(&self) {
        if self.lane.is_none() {
            self.losses.owed().ask();
        }
        self.go_on();
    }

    /// Goes on where a sink has answered for what was owed.
    pub(super) fn go_on(&self) {
        match &self.lane {
            Some(lane) => lane.write_owed(),
            None => self.take_steps(),
        }
    }

    /// Does what there is to do for a sink that takes records on the caller's thread.
    fn take_steps(&self) {
        let owed = self.losses.owed();
        for _ in 0..STEPS_AT_ONCE {
            match owed.step() {
                Step::Hand(notes) => {
                    self.submit_all(notes);
                    owed.done();
                }
                Step::Release(records) => self.submit_all(records),
                Step::Refuse(tickets, error) => {
                    for ticket in tickets {
                        ticket.settle(Err(error.clone()));
                    }
                    owed.done();
                }
                Step::Rest => return,
            }
        }
        self.watch.take_over();
    }

    fn submit_all(&self, records: Vec<(Record, Ticket)>) {
        for (record, ticket) in records {
            self.sink.submit_inline(record, ticket);
        }
    }
}

fn warn(record: &Record, flag: Flag, what: &'static str) {
    // The subscriber is foreign code.
    contained(|| {
        tracing::warn!(
            target: "audited::unexpected",
            action = &*record.action(),
            correlation_id = record.correlation_id().as_deref(),
            id = record.get("id").map(|id| id.trim_matches('"')),
            flag = flag.as_str(),
            "{what}"
        );
    });
}

impl Drop for Core {
    fn drop(&mut self) {
        self.end_flood_window();
        if self.lane.is_none() {
            self.submit_all(self.losses.owed().last());
            self.losses.owed().end();
        } else {
            // The lane does that, once it has written what it was given.
            self.watch.alarms().close();
        }
    }
}
