//! What is owed to the stream, and how far each debt is.
//!
//! Of the lost and of the counted each there is at most one generation of notes that no sink has acknowledged. What
//! is owed in addition is summed up until then, so that memory is bounded however long a sink says no, and a sink that
//! hangs holds one gap record.

use std::sync::Arc;

use super::flood::{Counted, Counts, DenialKind};
use super::gap::Gap;
use super::note::{Debt, Note};
use crate::sink::SinkError;
use crate::timestamp::Timestamp;

#[derive(Default)]
pub(super) struct Ledger {
    /// Lost, and in no note yet.
    gap: Option<Gap>,
    /// Counted, and in no note yet.
    counts: Counts,
    /// Notes that no sink has taken.
    gap_notes: Vec<Arc<Note>>,
    count_notes: Vec<Arc<Note>>,
    flying: Flying,
    /// How many gaps were put into a note, and how many of these a sink has acknowledged. They are in order.
    noted: u64,
    paid: u64,
}

/// What the sink has and has not answered for.
#[derive(Default)]
struct Flying {
    gaps: usize,
    lost: u64,
    counts: usize,
    denials: u64,
}

/// What is in no record that a sink has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Debts {
    pub(super) lost: u64,
    pub(super) denials: u64,
}

/// What a sink is to be given.
pub(super) enum Due {
    /// A note is yet to be made of it.
    New(Debt),
    Again(Arc<Note>),
}

impl Ledger {
    pub(super) fn lost(&mut self, action: &str, error: &SinkError, when: Timestamp) {
        self.gap.get_or_insert_with(|| Gap::at(when)).add(action, error, when);
    }

    pub(super) fn counted(&mut self, kind: DenialKind, counted: Counted) {
        self.counts.add(kind, counted);
    }

    /// The number of the last gap that there is, in a note or not. What comes now stands behind it.
    pub(super) fn last_gap(&self) -> u64 {
        self.noted + u64::from(self.gap.is_some())
    }

    /// The number of the last gap that the stream has.
    pub(super) fn paid(&self) -> u64 {
        self.paid
    }

    /// Whether something was lost that is in no note.
    pub(super) fn has_unnoted_gap(&self) -> bool {
        self.gap.is_some()
    }

    pub(super) fn is_flying(&self) -> bool {
        self.flying.gaps > 0 || self.flying.counts > 0
    }

    /// Whether there is something to give to a sink now.
    pub(super) fn has_due(&self) -> bool {
        self.has_due_gap() || self.has_due_counts()
    }

    fn has_due_gap(&self) -> bool {
        self.flying.gaps == 0 && (self.gap.is_some() || !self.gap_notes.is_empty())
    }

    fn has_due_counts(&self) -> bool {
        self.flying.counts == 0 && !(self.counts.is_empty() && self.count_notes.is_empty())
    }

    /// The gap that is due, which is from then on on its way: the one of a note first, what was lost since after it.
    pub(super) fn take_gap(&mut self) -> Vec<Due> {
        if self.flying.gaps > 0 {
            return Vec::new();
        }
        let again = take_notes(&mut self.gap_notes);
        let due = if again.is_empty() { self.note_gap() } else { again };
        self.fly(due)
    }

    /// The counts that are due, as [`take_gap`](Self::take_gap).
    pub(super) fn take_counts(&mut self) -> Vec<Due> {
        if self.flying.counts > 0 {
            return Vec::new();
        }
        let again = take_notes(&mut self.count_notes);
        let due = if again.is_empty() { self.note_counts() } else { again };
        self.fly(due)
    }

    /// All that is not on its way, in its order, though it be more than one of each: nobody comes after it.
    pub(super) fn take_all(&mut self) -> Vec<Due> {
        let mut due = take_notes(&mut self.gap_notes);
        due.extend(self.note_gap());
        due.extend(take_notes(&mut self.count_notes));
        due.extend(self.note_counts());
        self.fly(due)
    }

    /// The sink has answered for a note.
    pub(super) fn land(&mut self, note: &Arc<Note>, is_paid: bool) {
        if note.debt.is_gap() {
            self.flying.gaps -= 1;
            self.flying.lost -= note.debt.lost();
            self.paid += u64::from(is_paid);
        } else {
            self.flying.counts -= 1;
            self.flying.denials -= note.debt.denials();
        }
        if !is_paid {
            let notes = if note.debt.is_gap() { &mut self.gap_notes } else { &mut self.count_notes };
            notes.push(note.clone());
        }
    }

    pub(super) fn debts(&self) -> Debts {
        let sum = |notes: &[Arc<Note>], of: fn(&Debt) -> u64| notes.iter().map(|note| of(&note.debt)).sum::<u64>();
        Debts {
            lost: self.flying.lost + sum(&self.gap_notes, Debt::lost) + self.gap.as_ref().map_or(0, |gap| gap.lost),
            denials: self.flying.denials + sum(&self.count_notes, Debt::denials) + self.counts.denials(),
        }
    }

    /// Forgets what is not on its way.
    pub(super) fn clear(&mut self) {
        (self.gap, self.counts) = (None, Counts::default());
        self.gap_notes.clear();
        self.count_notes.clear();
    }

    fn note_gap(&mut self) -> Vec<Due> {
        self.noted = self.last_gap();
        self.gap.take().map(|gap| Due::New(Debt::Lost(gap))).into_iter().collect()
    }

    fn note_counts(&mut self) -> Vec<Due> {
        let counts = std::mem::take(&mut self.counts).into_iter();
        counts.map(|(kind, counted)| Due::New(Debt::Counted(kind, counted))).collect()
    }

    fn fly(&mut self, due: Vec<Due>) -> Vec<Due> {
        for debt in due.iter().map(Due::debt) {
            let notes = if debt.is_gap() { &mut self.flying.gaps } else { &mut self.flying.counts };
            *notes += 1;
            self.flying.lost += debt.lost();
            self.flying.denials += debt.denials();
        }
        due
    }
}

fn take_notes(notes: &mut Vec<Arc<Note>>) -> Vec<Due> {
    std::mem::take(notes).into_iter().map(Due::Again).collect()
}

impl Due {
    fn debt(&self) -> &Debt {
        match self {
            Self::New(debt) => debt,
            Self::Again(note) => &note.debt,
        }
    }
}
