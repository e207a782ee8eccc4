//! Containers, their entries, and what is cut.

use super::Mode;
use super::encoder::{Due, Encoder, LEVELS_BEYOND, TOO_DEEP};
use super::notes::MAX_PATH_BYTES;
use super::registry::Known;
use crate::json;
use crate::text::start as start_of;

/// Whether the braces of the outermost object are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbraced {
    No,
    Due,
    Done,
}

/// A container whose end is not written yet.
#[derive(Debug)]
pub(super) struct Frame {
    end: End,
    start: usize,
    entries: usize,
}

/// How a container ends.
#[derive(Clone, Copy, Debug)]
enum End {
    With(char),
    /// Its braces are left out.
    Unbraced,
    /// Its entries stand among those of the container around it.
    Around,
}

impl Encoder<'_> {
    /// Begins a container, where one may stand.
    pub(super) fn open_frame(&mut self, open: char, close: char) -> Option<Frame> {
        if self.due == Due::Fields && open == '{' {
            self.due = Due::Nothing;
            return Some(Frame { end: End::Around, start: self.out.text.len(), entries: self.entries });
        }
        if !self.claim() {
            return None;
        }
        if self.depth + self.depth_above >= self.limits.depth && !self.open_beyond() {
            return None;
        }
        let end = if open == '{' && self.depth == 0 && self.unbraced == Unbraced::Due {
            self.unbraced = Unbraced::Done;
            End::Unbraced
        } else {
            self.out.text.push(open);
            End::With(close)
        };
        let start = self.out.text.len() - usize::from(matches!(end, End::With(_)));
        let frame = Frame { end, start, entries: self.entries };
        (self.depth, self.entries) = (self.depth + 1, 0);
        if open == '[' {
            self.path.item(self.depth);
        } else {
            self.path.nothing(self.depth);
        }
        Some(frame)
    }

    /// A container begins that is too deep to be kept. Says whether it is digested at least.
    #[cold]
    fn open_beyond(&mut self) -> bool {
        if self.depth + self.depth_above >= self.limits.depth + LEVELS_BEYOND {
            json::push_string(&mut self.out.text, TOO_DEEP);
            return false;
        }
        self.cut_from(self.out.text.len());
        true
    }

    pub(super) fn close_frame(&mut self, frame: &Frame) {
        self.failed |= self.due != Due::Nothing;
        self.due = Due::Nothing;
        if matches!(frame.end, End::Around) {
            return;
        }
        let entries = std::mem::replace(&mut self.entries, frame.entries);
        self.depth -= 1;
        if entries > self.limits.entries {
            self.cut_from(frame.start);
        }
        if let End::With(close) = frame.end {
            self.out.text.push(close);
        }
        if let (Some(bare), 0) = (&mut self.bare, self.depth) {
            bare.entries = Some(entries);
        }
        self.end_cut();
    }

    /// The next key of the innermost open container.
    pub(super) fn push_key(&mut self, key: &str) {
        self.next_entry();
        let start = self.out.text.len() + 1;
        self.push_string(key);
        // What was taken into a digest meanwhile leads nowhere.
        self.path.key(self.depth, start, self.out.text.len().saturating_sub(start + 1));
        self.out.text.push(':');
    }

    /// A registered field that is dropped, of which all is ready; and whether nothing leads to it but its key.
    #[inline]
    pub(super) fn push_dropped_field(&mut self, field: Known, outermost: bool) {
        self.push_ready(field);
        if outermost && self.bare.is_none() {
            self.notes.redacted_mut().note_ready(field);
        } else {
            self.note_redacted();
        }
    }

    /// Whether the entries of a frame that was just opened are fields of the detail, each bounded by itself.
    pub(super) fn is_root(&self, frame: &Frame) -> bool {
        self.depth == 0 && matches!(frame.end, End::Around)
    }

    /// The same for a field whose key is ready.
    pub(super) fn push_ready_key(&mut self, field: Known) {
        self.push_entry(field, field.ready_key());
    }

    /// All that is ready of a field.
    #[inline]
    pub(super) fn push_ready(&mut self, field: Known) {
        self.push_entry(field, field.ready());
    }

    #[inline]
    fn push_entry(&mut self, field: Known, json: &'static str) {
        // The first entry has no comma before it.
        let json = if self.entries == 0 { &json[1..] } else { json };
        self.entries += 1;
        self.path.field(self.depth, field);
        self.out.text.push_str(json);
    }

    /// A key that nobody has classified, as the container around it may show it.
    pub(super) fn push_free_key(&mut self, key: &str) {
        match self.part_of_name(key) {
            None => self.push_key(key),
            Some(part) => self.push_key(&part),
        }
    }

    /// What may be shown of a key, where that is not all: numbered, so that no entry hides another.
    pub(super) fn part_of_name(&self, key: &str) -> Option<String> {
        self.part.map(|part| format!("{} {}", super::apply::part_of(part, key), self.entries + 1))
    }

    /// The number of the entry that is being written, from one.
    pub(super) fn entry(&self) -> usize {
        self.entries
    }

    /// Begins the next item or key of the innermost open container.
    pub(super) fn next_entry(&mut self) {
        if self.entries > 0 {
            self.out.text.push(',');
        }
        self.entries += 1;
    }

    /// A field of the detail or of an object. Where it can be written again it is, should something go wrong.
    pub(super) fn field(
        &mut self,
        key: &str,
        mode: Option<Mode>,
        scope: Option<&str>,
        again: bool,
        write: &mut dyn FnMut(&mut Self),
    ) {
        let policy = self.redaction.of_key(key);
        let mode = policy.map_or(mode, |policy| Some(mode.unwrap_or(Mode::Plain).tightened_by(policy)));
        if self.depth > 0 {
            self.push_key(key);
            return self.one_value_by(mode, scope, write);
        }
        let Some(around) = self.begin_field(key) else { return };
        let careful = std::mem::replace(&mut self.careful, !again);
        self.rooted_by(mode, scope, write);
        self.careful = careful;
        self.end_field(around);
    }

    /// The key of a field of the detail, where there is room for another one. Gives what [`Encoder::end_field`] needs.
    pub(super) fn begin_field(&mut self, key: &str) -> Option<usize> {
        if self.out.text.len() > self.limits.detail_bytes.saturating_add(self.limits.field_bytes) {
            // Not even the marks of what was cut have room any more.
            self.notes.cut_mut().note("…");
            return None;
        }
        let short = start_of(key, MAX_PATH_BYTES);
        self.push_key(short);
        if short.len() < key.len() {
            self.notes.cut_mut().note(short);
        }
        self.field_start = self.out.text.len();
        let bound = self.field_start.saturating_add(self.limits.field_bytes).min(self.limits.detail_bytes);
        Some(self.out.set_bound(bound))
    }

    /// That field's value was written.
    pub(super) fn end_field(&mut self, around: usize) {
        if self.out.is_over() {
            self.shorten();
        }
        self.end_cut();
        self.out.set_bound(around);
    }

    /// The text is longer than it may be: of the field that is being written only a digest will stay.
    #[cold]
    pub(super) fn shorten(&mut self) {
        if !self.out.is_cutting() {
            self.cut_level = 0;
            self.out.cut_from(self.field_start);
        }
        self.out.digest(&mut self.path);
    }

    #[cold]
    fn cut_from(&mut self, start: usize) {
        if !self.out.is_cutting() {
            self.cut_level = self.depth;
            self.out.cut_from(start);
        }
    }

    /// Ends what is being cut, where that is the value which has just been written.
    fn end_cut(&mut self) {
        if self.out.is_cutting() && self.cut_level == self.depth {
            if !self.out.end_cut() {
                self.unencodable();
            }
            let (path, depth, text) = (&self.path, self.depth, &self.out.text);
            self.notes.cut_mut().note_by(|json| path.write(depth, text, json));
        }
    }
}
