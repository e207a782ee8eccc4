//! What a mode leaves of a value.

use super::encoder::{Encoder, Held, REDACTED};
use super::mode::{masked, truncated};
use super::notes::Notes;
use super::{Limits, Mode};
use crate::json;

/// What is known of a value that never stands in a record, but is hashed or counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bare {
    pub(super) absent: bool,
    pub(super) boolean: bool,
    pub(super) entries: Option<usize>,
}

impl Encoder<'_> {
    /// Writes what a mode leaves of what `write` writes.
    pub(super) fn by(&mut self, mode: Mode, scope: Option<&str>, write: &mut dyn FnMut(&mut Self)) {
        match mode {
            Mode::Plain | Mode::Custom(_) => write(self),
            Mode::Drop => self.redacted(),
            Mode::Mask { .. } | Mode::Truncate(_) => {
                let around = self.part;
                // Inside of a value that is shown in part by another mode nothing is.
                if around.is_some_and(|around| around != mode) {
                    return self.redacted();
                }
                self.note_redacted();
                self.part = Some(mode);
                write(self);
                self.part = around;
            }
            // Inside of a value that is shown in part nothing is described.
            Mode::Hash | Mode::Len | Mode::Present if self.part.is_some() => self.redacted(),
            Mode::Hash | Mode::Len | Mode::Present => {
                let text = self.described(mode, scope, write);
                if self.claim() {
                    self.push_redacted(&text);
                } else {
                    self.held = Held::NotAsked;
                }
            }
        }
    }

    /// What stands for a value that is not shown itself.
    fn described(&mut self, mode: Mode, scope: Option<&str>, write: &mut dyn FnMut(&mut Self)) -> String {
        let hold = self.held != Held::NotAsked && self.depth == 0 && mode == Mode::Hash && scope.is_none();
        if mode == Mode::Hash && !hold && !self.redaction.can_hash() {
            self.notes.keyless = true;
            return REDACTED.to_owned();
        }
        let mut encoder = Self::resume(self.redaction, String::new(), Notes::default());
        encoder.bare = Some(Bare::default());
        encoder.limits = &Limits::NONE;
        // What has failed once is not tried twice on every level.
        encoder.careful = self.careful;
        encoder.depth_above = self.depth_above + self.depth;
        encoder.rooted(write);
        let (text, Bare { absent, boolean, entries }) = (&encoder.out.text, encoder.bare.unwrap_or_default());
        match mode {
            _ if encoder.notes.unencodable => REDACTED.to_owned(),
            _ if absent => "<absent>".to_owned(),
            Mode::Hash => {
                if hold {
                    self.held = Held::Text(text.clone());
                }
                self.redaction.hash(scope, text).unwrap_or_else(|| REDACTED.to_owned())
            }
            Mode::Present => "<present>".to_owned(),
            // The length of `true` or `false` is all of it.
            _ if boolean => "<present>".to_owned(),
            _ => match entries {
                Some(1) => "<1 entry>".to_owned(),
                Some(entries) => format!("<{entries} entries>"),
                None if text.chars().nth(1).is_none() && !text.is_empty() => "<1 character>".to_owned(),
                None => format!("<{} characters>", text.chars().count()),
            },
        }
    }

    /// Whether what is written is hashed or counted, and never stands in a record.
    pub(super) fn is_bare(&self) -> bool {
        self.bare.is_some()
    }

    /// What is shown of the scalar that is due.
    #[cold]
    pub(super) fn push_part(&mut self, part: Mode, text: &str) {
        json::push_string(&mut self.out.text, &part_of(part, text));
    }
}

pub(super) fn part_of(part: Mode, text: &str) -> String {
    match part {
        Mode::Mask { first, last } => masked(text, first, last),
        Mode::Truncate(first) => truncated(text, first),
        _ => REDACTED.to_owned(),
    }
}
