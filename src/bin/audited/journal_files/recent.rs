//! What a file has last, of what may be looked for.

use std::collections::VecDeque;

use audited::__private::head_moment;
use audited::{StoredRecord, Timestamp};

use super::best::Best;

/// How many bytes of lines are kept.
const MOST_BYTES: usize = 2 << 20;

/// The last lines of a file that may be looked for. They are read only once all of the file was gone through: the page is
/// filled from them, and what stands before them has happened earlier, in most files.
#[derive(Default)]
pub(super) struct Recent {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: Dropped,
}

/// What was dropped for those that came behind.
#[derive(Clone, Copy, Default)]
enum Dropped {
    #[default]
    Nothing,
    /// Lines that happened at two moments or between them.
    Between(Timestamp, Timestamp),
    Unknown,
}

impl Recent {
    pub(super) fn push(&mut self, line: &[u8]) {
        let mut room = Vec::new();
        while self.bytes + line.len() > MOST_BYTES
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= oldest.len();
            self.dropped = match (self.dropped, head_moment(&oldest)) {
                (Dropped::Unknown, _) | (_, None) => Dropped::Unknown,
                (Dropped::Nothing, Some(moment)) => Dropped::Between(moment, moment),
                (Dropped::Between(oldest, newest), Some(moment)) => {
                    Dropped::Between(oldest.min(moment), newest.max(moment))
                }
            };
            room = oldest;
        }
        room.clear();
        room.extend_from_slice(line);
        self.bytes += line.len();
        self.lines.push_back(room);
    }

    /// Shows the lines to the page, in their order; says whether it needs no other line of the file. A line that is no
    /// record is read again by who can say where it stands.
    pub(super) fn show(self, best: &mut Best<'_>) -> bool {
        for line in self.lines {
            match String::from_utf8(line).ok().and_then(|line| StoredRecord::parse(line).ok()) {
                Some(record) => best.see(record),
                None => return false,
            }
        }
        match self.dropped {
            Dropped::Nothing => true,
            Dropped::Between(oldest, newest) => !best.may_hold(oldest, newest),
            Dropped::Unknown => false,
        }
    }
}
