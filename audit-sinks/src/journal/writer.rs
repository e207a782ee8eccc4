//! The thread that writes: it takes everything that is waiting, writes it, syncs once, and only then answers.
//!
//! Whoever comes while it syncs waits for the next round, and shares that sync with all others who came: nobody is
//! delayed on purpose, and under load one sync serves many.

use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use audit_core::SinkError;
use uuid::Uuid;

use super::line::push_line;
use super::open::Locked;
use super::queue::{Entry, Queue};

/// How much is formatted before it is written.
const CHUNK_BYTES: usize = 1 << 20;

/// The operations on a journal's file, so that tests can make any of them fail.
pub(super) trait Media: Send + 'static {
    /// Writes all bytes at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything appended is on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Media for Locked {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

pub(super) struct Writer<M> {
    pub(super) media: M,
    pub(super) stream: Uuid,
    pub(super) next_seq: u64,
    /// Whether each round is synced before it is answered for; otherwise only the last one, when the journal closes.
    pub(super) sync_each: bool,
    /// What logs call the journal.
    pub(super) name: String,
}

impl<M: Media> Writer<M> {
    /// Writes until the queue is closed and empty, or an operation fails.
    ///
    /// After a failure the file is never written or synced again. What reached the disk is unknown, and the kernel
    /// forgets the pages it could not write: a later sync would succeed without them. The file stays open, and with
    /// it locked, so that nobody goes on behind lines that may be torn while this journal lives.
    pub(super) fn run(mut self, queue: &Queue) {
        let _poison = PoisonOnPanic(queue);
        let (mut batch, mut buffer) = (Vec::new(), Vec::new());
        while queue.take(&mut batch) {
            let written = self.write(&batch, &mut buffer);
            match written {
                Ok(()) => {
                    queue.release(&batch);
                    settle(&mut batch, &Ok(()));
                }
                Err(error) => {
                    let mut rest = queue.poison();
                    self.log(&error);
                    settle(&mut batch, &Err(SinkError::from(error)));
                    settle(&mut rest, &Err(SinkError::Poisoned));
                    return queue.wait_until_closed();
                }
            }
        }
        if !self.sync_each
            && let Err(error) = self.media.sync()
        {
            self.log(&error);
        }
    }

    fn write(&mut self, batch: &[Entry], buffer: &mut Vec<u8>) -> io::Result<()> {
        let first = self.next_seq;
        buffer.clear();
        for record in batch.iter().flat_map(|entry| entry.lot.records()) {
            push_line(buffer, self.stream, self.next_seq, record);
            self.next_seq += 1;
            if buffer.len() >= CHUNK_BYTES {
                self.media.append(buffer)?;
                buffer.clear();
            }
        }
        if !buffer.is_empty() {
            self.media.append(buffer)?;
        }
        if self.sync_each && self.next_seq > first {
            self.media.sync()?;
        }
        Ok(())
    }

    fn log(&self, error: &io::Error) {
        // The subscriber is foreign code.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            tracing::error!(
                target: "audited::journal",
                journal = self.name,
                error = %error.kind(),
                "writing failed; the journal is poisoned and acknowledges nothing any more"
            );
        }));
    }
}

/// Answers for a whole batch in one pass.
fn settle(batch: &mut Vec<Entry>, result: &Result<(), SinkError>) {
    for Entry { lot, ticket } in batch.drain(..) {
        // Whatever is woken is foreign code.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            drop(lot);
            ticket.settle(result.clone());
        }));
    }
}

/// Should the thread die, whoever waits or comes later is told.
struct PoisonOnPanic<'a>(&'a Queue);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            settle(&mut self.0.poison(), &Err(SinkError::Poisoned));
        }
    }
}
