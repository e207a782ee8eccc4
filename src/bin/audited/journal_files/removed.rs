//! What a retention removes while it is read.

use std::path::Path;

use audited::Journal;

use crate::output::note;

/// How many lines that are none may stand in front of the oldest that is one.
const MOST_IN_FRONT: usize = 64;

/// Whether lines that a reader misses were removed while it read: what a retention removes is the oldest, so that
/// nothing before the line that was found is there any more. Says so.
///
/// That a retention did it, and not somebody else, is for `audited verify` to find, which looks for its record.
pub(super) fn meanwhile(directory: &Path, expected: u64, found: u64) -> bool {
    let oldest = Journal::read(directory).ok().and_then(|reader| {
        // What cannot be read is an error each time.
        reader.take(MOST_IN_FRONT).find_map(|read| read.ok()?.seq())
    });
    let is_gone = expected < found && oldest.is_some_and(|oldest| oldest >= found);
    if is_gone {
        note(format_args!("seq {expected} to {} were removed while they were to be read", found - 1));
    }
    is_gone
}
