//! The file that the writer has open, or why it has none.

use std::time::Instant;

use audit_core::SinkError;

use crate::journal::position::{Position, Walk};
use crate::journal::reader::parse;
use crate::journal::recover::Unfinished;
use crate::journal::segment::{FILL, Segment};
use crate::journal::span::{Span, moment};

/// The file that is written.
pub(super) struct Open {
    pub(super) segment: Segment,
    pub(super) first_seq: u64,
    pub(super) since: Instant,
    /// Of all that was written into it, what failed among it.
    pub(super) span: Span,
}

impl Open {
    /// The last file, as if it had been open all the time. Of what is not as it was written, nothing is made: another file
    /// is begun then.
    pub(super) fn go_on(last: Unfinished, position: Position, most: u64) -> Option<Self> {
        let mut bytes = vec![0; usize::try_from(last.end).ok()?];
        let read = last.file.read_at(&mut bytes, 0).ok()?;
        let (mut walk, mut first_seq, mut span) = (Walk::default(), None, Span::Empty);
        for line in bytes[..read].split(|byte| *byte == FILL).filter(|line| !line.is_empty()) {
            let step = walk.step(line).ok().filter(|step| step.damage.is_none())?;
            first_seq = first_seq.or(Some(step.place.seq));
            span.add(moment(&*parse(line).ok()?));
        }
        let segment = Segment::written(last.index, last.file, last.end, most);
        let is_whole = walk.next == Some(position);
        first_seq.filter(|_| is_whole).map(|first_seq| Self { segment, first_seq, since: Instant::now(), span })
    }
}

/// No file could be begun.
pub(super) struct Down {
    pub(super) error: SinkError,
    pub(super) since: Instant,
}
