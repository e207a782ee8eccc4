//! Foreign code that panics, fails, or writes something else than one value.
//!
//! First a field is written as if nothing could go wrong. Where something does, it is written once more, each value with
//! care, so that only that value is lost.

use super::encoder::{Due, Encoder};
use super::output::Mark;
use super::plain::PlainSerializer;
use super::{Mode, notes};
use crate::contain::contained;

/// Where an encoder stood.
#[derive(Clone, Copy, Debug)]
struct Before {
    out: Mark,
    notes: [notes::Extent; 2],
    unencodable: bool,
    depth: usize,
    entries: usize,
    part: Option<Mode>,
}

impl<'a> Encoder<'a> {
    /// Lets foreign code write the value that is due, from which nothing that goes wrong gets out. Says whether
    /// nothing did.
    pub(super) fn rooted(&mut self, write: &mut dyn FnMut(&mut Self)) -> bool {
        let failed = std::mem::replace(&mut self.failed, false);
        if !self.careful {
            let before = self.before();
            self.due = Due::Value;
            let written = contained(|| write(self)).is_some();
            let written = written && self.due == Due::Nothing && !self.failed && self.depth == before.depth;
            if written {
                self.failed = failed;
                self.keep_within();
                return true;
            }
            self.back_to(before);
        }
        let careful = std::mem::replace(&mut self.careful, true);
        self.one_value(write);
        (self.careful, self.failed) = (careful, failed);
        false
    }

    /// Whether all of one value has been written, and nothing of it was cut.
    pub(super) fn is_whole(&self) -> bool {
        let written = self.due == Due::Nothing && !self.failed && self.depth == 0;
        written && self.notes.cut().is_empty() && !self.out.is_over()
    }

    /// As [`Encoder::rooted`], as a mode leaves it.
    pub(super) fn rooted_by(&mut self, mode: Option<Mode>, scope: Option<&str>, write: &mut dyn FnMut(&mut Self)) {
        match mode {
            None | Some(Mode::Plain | Mode::Custom(_)) => self.rooted(write),
            Some(mode) => self.rooted(&mut |encoder| encoder.by(mode, scope, write)),
        };
    }

    /// Lets foreign code write one value, and sees to it that one stands there.
    pub(super) fn one_value(&mut self, write: &mut dyn FnMut(&mut Self)) {
        if !self.careful {
            let depth = self.begin_value();
            write(self);
            return self.end_value(depth);
        }
        let before = self.before();
        self.due = Due::Value;
        if contained(|| write(self)).is_none() || self.depth != before.depth {
            self.back_to(before);
        }
        if self.due != Due::Nothing {
            self.unencodable();
        }
        self.keep_within();
    }

    /// As [`Encoder::one_value`], as a mode leaves it.
    pub(super) fn one_value_by(&mut self, mode: Option<Mode>, scope: Option<&str>, write: &mut dyn FnMut(&mut Self)) {
        match mode {
            None | Some(Mode::Plain | Mode::Custom(_)) => self.one_value(write),
            Some(mode) => self.one_value(&mut |encoder| encoder.by(mode, scope, write)),
        }
    }

    /// A value comes next, from which a panic gets out. Gives what [`Encoder::end_value`] needs.
    #[inline]
    pub(super) fn begin_value(&mut self) -> usize {
        // One that was begun before and never ended: whoever wrote it has kept its panic to himself.
        if self.due != Due::Nothing {
            self.failed = true;
        }
        self.due = Due::Value;
        self.depth
    }

    /// That value was written, or all of the field will be once more.
    #[inline]
    pub(super) fn end_value(&mut self, depth: usize) {
        if self.due != Due::Nothing || self.depth != depth {
            (self.failed, self.due, self.depth) = (true, Due::Nothing, depth);
        }
        self.keep_within();
    }

    /// Lets foreign code write the fields of a value among those of the container around it.
    pub(super) fn flat_value(&mut self, write: &mut dyn FnMut(&mut Self)) {
        self.due = Due::Fields;
        let depth = self.depth;
        if self.careful || depth == 0 {
            let before = self.before();
            let failed = std::mem::replace(&mut self.failed, false);
            let bound = self.out.bound();
            if contained(|| write(self)).is_none() || self.failed || self.depth != depth {
                self.back_to(before);
                self.out.set_bound(bound);
            }
            self.failed = failed;
        } else {
            write(self);
            self.failed |= self.depth != depth;
            self.depth = depth;
        }
        self.notes.unencodable |= self.due != Due::Nothing;
        self.due = Due::Nothing;
    }

    /// Writes what serde's side says, or nothing of it.
    pub(super) fn serialized(&mut self, write: impl FnOnce(PlainSerializer<'_, 'a>) -> bool) {
        if self.due == Due::Nothing {
            self.notes.unencodable = true;
        } else if !self.careful {
            self.failed |= !write(PlainSerializer(self)) || self.due != Due::Nothing;
            self.due = Due::Nothing;
        } else {
            let (before, due) = (self.before(), self.due);
            let failed = std::mem::replace(&mut self.failed, false);
            // Whatever it says: a part that failed may stand there half-written.
            if !write(PlainSerializer(self)) || self.failed || self.depth != before.depth {
                self.not_serialized(before, due);
            }
            self.failed = failed;
        }
    }

    fn not_serialized(&mut self, before: Before, due: Due) {
        self.back_to(before);
        if due == Due::Fields {
            // There is no place for a mark.
            (self.due, self.notes.unencodable) = (Due::Nothing, true);
        } else {
            self.unencodable();
        }
    }

    #[inline]
    fn keep_within(&mut self) {
        if self.out.is_over() {
            self.shorten();
        }
    }

    fn before(&self) -> Before {
        Before {
            out: self.out.mark(),
            notes: self.notes.mark(),
            unencodable: self.notes.unencodable,
            depth: self.depth,
            entries: self.entries,
            part: self.part,
        }
    }

    /// Takes back what was written since.
    fn back_to(&mut self, before: Before) {
        self.out.back_to(before.out);
        self.notes.back_to(before.notes);
        self.notes.unencodable = before.unencodable;
        (self.depth, self.entries, self.part) = (before.depth, before.entries, before.part);
        self.due = Due::Value;
    }
}
