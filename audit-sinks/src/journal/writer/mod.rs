//! The writing: it takes everything that is waiting, writes it, syncs once, and only then answers.
//!
//! Whoever comes while it syncs waits for the next round, and shares that sync with all others who came: nobody is
//! delayed on purpose, and under load one sync serves many.
//!
//! After a failed write or sync the file is never written or synced again. What reached the disk is unknown, and the
//! kernel forgets the pages that it could not write: a later sync would succeed without them. The next round begins
//! another file, at the position behind the last acknowledged line; what the failed file has beyond is nobody's.

mod carry;
mod open;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::{Record, SinkError};

use self::open::{Down, Open};
use super::Queue;
use super::chain::ChainHash;
use super::keeper::Keeper;
use super::line::{Body, Head, Text, push_line};
use super::lot::Lot;
use super::position::Position;
use super::progress::Progress;
use super::recover::Resume;
use super::ring::ahead::Ahead;
use super::segment::Index;
use super::span::{Moment, Span};
use super::system::{self, Because, Began};
use crate::group::queue::{self, Turn};
use crate::group::round::{self, Rounds};

type Round = round::Round<Lot>;
type Entry = queue::Entry<Lot>;

/// How long after a file could not be begun the next one is tried.
const RETRY: Duration = Duration::from_millis(100);

pub(super) struct Writer {
    shape: Shape,
    head: Head,
    position: Position,
    keeper: Arc<Keeper>,
    progress: Arc<Progress>,
    file: Option<Open>,
    next_index: Index,
    began: Began,
    down: Option<Down>,
    /// What is acknowledged and in no file yet.
    ahead: Option<Ahead>,
    buffer: Vec<u8>,
    /// What logs call the journal.
    name: String,
}

/// How files are written, and when they end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Whether each round is synced before it is answered for; otherwise only where a file ends.
    pub(super) sync_each: bool,
    pub(super) segment_bytes: u64,
    pub(super) rotate_every: Option<Duration>,
    /// Whether the last file is left without an end, and gone on with when the journal is opened again.
    pub(super) goes_on: bool,
}

/// Answers for a batch; told whether somebody waits for the next one already.
pub(super) type Answer<'a> = dyn Fn(Vec<Entry>, &Result<(), SinkError>, bool) + 'a;

/// Where lines come from.
enum Source<'a> {
    Nothing,
    /// What is acknowledged and lies ahead, up to there.
    Ahead(u64),
    Round(&'a mut Round, &'a Queue),
}

impl Source<'_> {
    fn again(&mut self) -> Source<'_> {
        match self {
            Self::Nothing => Source::Nothing,
            Self::Ahead(until) => Source::Ahead(*until),
            Self::Round(round, queue) => Source::Round(round, queue),
        }
    }
}

impl Writer {
    pub(super) fn new(
        name: String,
        shape: Shape,
        resume: Resume,
        keeper: Arc<Keeper>,
        progress: Arc<Progress>,
    ) -> Self {
        let Resume { position, next_index, began, unfinished } = resume;
        let head = Head::new(position.stream);
        let (down, ahead, buffer) = (None, None, Vec::new());
        let unfinished = unfinished.filter(|last| shape.goes_on && last.end < shape.segment_bytes);
        let file = unfinished.and_then(|last| Open::go_on(last, position, shape.segment_bytes));
        Self { shape, head, position, keeper, progress, file, next_index, began, down, ahead, buffer, name }
    }

    /// Has a file to write: goes on in the last one where it may, or else begins one, so that a disk that will not have
    /// one is found when the journal is opened.
    pub(super) fn begin_first(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            self.progress.advance(self.position, file.segment.index);
            return Ok(());
        }
        self.keeper.make_ready(self.next_index);
        self.write_with_reserve(Source::Nothing)
    }

    /// What the next line will be.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Queue, answer: &Answer<'_>) {
        let mut rounds = Rounds::new(queue);
        loop {
            match rounds.next(self.next_look()) {
                Ok(mut round) => {
                    let began = Instant::now();
                    let result = self.round(&mut round, queue);
                    let busy = rounds.ended(&round, began);
                    answer(round.batch, &result, busy);
                    rounds.answered();
                }
                Err(Turn::Write) => {}
                Err(Turn::Idle) => self.look(),
                Err(Turn::End) => return self.close(),
            }
        }
    }

    fn round(&mut self, round: &mut Round, queue: &Queue) -> Result<(), SinkError> {
        self.leave_what_is_lost();
        // What was acknowledged before any of it was handed over comes first; what comes meanwhile comes later.
        let before = self.ahead.as_ref().map(|ahead| ahead.head_beside(|| queue.has_waiting()));
        if let Some(down) = &self.down
            && down.since.elapsed() < RETRY
        {
            return Err(down.error.clone());
        }
        let mut result = Ok(());
        if let Some(before) = before {
            round.complete();
            result = self.carry_until(before);
        }
        if result.is_ok() {
            result = if round.is_flush() { self.flush() } else { self.write_with_reserve(Source::Round(round, queue)) };
        }
        self.note(&result);
        result.map_err(SinkError::from)
    }

    /// Does what is due while nobody waits.
    fn look(&mut self) {
        self.carry_what_is_due();
        if self.is_rotation_due() {
            let rotated = self.carry().and_then(|()| self.write(Source::Nothing, true));
            self.note(&rotated);
        }
    }

    fn write_with_reserve(&mut self, mut source: Source<'_>) -> io::Result<()> {
        match self.write(source.again(), false) {
            // Nothing of it counts, and another file may have room: the reserve is kept for this.
            Err(error) if wants_room(&error) => {
                self.note(&Err(error));
                self.keeper.free_reserve();
                self.write(source, false)
            }
            result => result,
        }
    }

    /// Writes lines, all of them or none that counts, and with `end` the last line of the file.
    fn write(&mut self, source: Source<'_>, end: bool) -> io::Result<()> {
        let before = self.position;
        let fresh = self.file.is_none();
        let result = self.try_write(source, end);
        match &result {
            Ok(ended) => {
                if let Some(ahead) = &mut self.ahead {
                    ahead.written(self.position.next_seq);
                }
                if let Some(file) = &self.file {
                    self.progress.advance(self.position, file.segment.index);
                }
                self.down = None;
                if *ended && let Some(file) = self.file.take() {
                    self.keeper.end(file.segment, self.position);
                    self.began = Began { before: file.span.since(file.first_seq), ..Began::because(Because::Rotated) };
                }
            }
            Err(error) => {
                self.position = before;
                if let Some(ahead) = &mut self.ahead {
                    ahead.not_written();
                }
                let error = SinkError::from(io::Error::from(error.kind()));
                self.down = fresh.then(|| Down { error, since: Instant::now() });
                if let Some(file) = self.file.take() {
                    // Of a file that this round began nothing is owed to anybody.
                    self.keeper.abandon(file.segment, fresh);
                    if !fresh {
                        self.began =
                            Began { before: file.span.since(file.first_seq), ..Began::because(Because::Failed) };
                    }
                }
            }
        }
        result.map(drop)
    }

    fn try_write(&mut self, source: Source<'_>, mut end: bool) -> io::Result<bool> {
        self.buffer.clear();
        if self.file.is_none() {
            self.begin()?;
        }
        match source {
            Source::Nothing => {}
            Source::Ahead(until) => {
                if let Some(mut ahead) = self.ahead.take() {
                    let read = ahead.read(until);
                    ahead.records().for_each(|(moment, fields)| self.push_fields(moment, fields));
                    self.ahead = Some(ahead);
                    read?;
                }
            }
            Source::Round(round, queue) => {
                round.entries(queue, usize::MAX, &mut |entries| {
                    entries.iter().flat_map(|entry| entry.lot.bodies()).for_each(|body| self.push(body));
                });
                end |= round.rotates();
            }
        }
        // Under load no turn is idle.
        let due = self.is_rotation_due();
        let Some(file) = &mut self.file else { return Ok(false) };
        let ends = end || due || file.segment.end + self.buffer.len() as u64 >= self.shape.segment_bytes;
        if ends {
            let footer = system::closed(file.segment.index, file.first_seq, self.position, file.span);
            self.push_own(footer);
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        if file.segment.append(&self.buffer)? {
            self.keeper.fill(file.segment.filler());
        }
        // The file that a flush syncs is the one that is written then.
        if self.shape.sync_each || ends {
            file.segment.file.sync()?;
        }
        if file.segment.end > self.shape.segment_bytes / 2 && !ends {
            self.keeper.prepare(self.next_index);
        }
        Ok(ends)
    }

    /// Takes the next file and puts its first line in front.
    fn begin(&mut self) -> io::Result<()> {
        let index = self.next_index;
        self.next_index = index.next();
        let segment = self.keeper.begin(index)?;
        self.file = Some(Open { segment, first_seq: self.position.next_seq, since: Instant::now(), span: Span::Empty });
        self.push_own(system::opened(index, self.position, &self.began));
        Ok(())
    }

    fn push(&mut self, body: &Body) {
        let Position { next_seq, prev, .. } = self.position;
        let last = body.push_line(&mut self.buffer, &self.head, next_seq, prev);
        self.pushed(last, body.moment());
    }

    fn push_fields(&mut self, moment: Option<Moment>, fields: &[u8]) {
        let Position { next_seq, prev, .. } = self.position;
        let last = push_line(&mut self.buffer, &self.head, fields, next_seq, prev);
        self.pushed(last, moment);
    }

    fn push_own(&mut self, record: Record) {
        let text = Text::of(record);
        self.push_fields(text.moment, text.fields());
    }

    fn pushed(&mut self, last: ChainHash, moment: Option<Moment>) {
        self.position.prev = last;
        self.position.next_seq += 1;
        if let Some(file) = &mut self.file {
            file.span.add(moment);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let synced = if self.shape.sync_each { Ok(()) } else { file.segment.file.sync() };
        if synced.is_err()
            && let Some(file) = self.file.take()
        {
            self.keeper.abandon(file.segment, false);
            self.began = Began { before: file.span.since(file.first_seq), ..Began::because(Because::Failed) };
        }
        synced
    }

    /// When the file is to end although it is not full: never while there is nothing but its first line in it.
    fn rotation_due(&self) -> Option<Instant> {
        let file = self.file.as_ref()?;
        let used = self.position.next_seq > file.first_seq + 1;
        self.shape.rotate_every.filter(|_| used).and_then(|every| file.since.checked_add(every))
    }

    fn is_rotation_due(&self) -> bool {
        self.rotation_due().is_some_and(|due| due <= Instant::now())
    }

    /// Until when nothing is to be done unless somebody asks.
    fn next_look(&self) -> Option<Instant> {
        let look = self.ahead.as_ref().and_then(Ahead::next_look);
        self.rotation_due().into_iter().chain(look).min()
    }

    fn close(mut self) {
        self.carry_at_last();
        if self.shape.goes_on {
            if let Some(file) = self.file.take() {
                self.keeper.leave(file.segment, self.position);
            }
        } else if self.file.is_some() {
            let ended = self.write(Source::Nothing, true);
            self.note(&ended);
        }
    }

    fn note(&self, result: &io::Result<()>) {
        self.note_that(result, "what was being written is not acknowledged, and the file is not written any more");
    }

    /// Logs a failure, and what that means for the records.
    fn note_that(&self, result: &io::Result<()>, means: &'static str) {
        if let Err(error) = result {
            // The subscriber is foreign code.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                tracing::error!(
                    target: "audited::journal",
                    journal = self.name,
                    error = %error.kind(),
                    "writing failed; {means}"
                );
            }));
        }
    }
}

/// Whether another file may succeed where this one failed.
fn wants_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}
