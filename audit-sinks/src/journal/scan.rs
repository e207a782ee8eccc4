//! Going through a file line by line, in bounded memory.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::line::MAX_LINE_BYTES;

/// Splits what it reads into lines.
pub(super) struct Scan<R> {
    reader: BufReader<R>,
    buffer: Vec<u8>,
    set_aside: Vec<u8>,
    /// The line last read, counted from 1.
    number: u64,
    /// Where it ends.
    end: u64,
}

/// What stands at one place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A line; it is in the buffer, without its end.
    Line,
    /// The last line has no end.
    Unfinished,
    /// A line without an end as far as a line may go.
    TooLong,
    /// Nothing any more.
    End,
}

impl<R: Read + Seek> Scan<R> {
    pub(super) fn new(reader: R) -> Self {
        Self::with_buffer(256 << 10, reader)
    }

    /// For a few lines, that no more is read than it takes.
    pub(super) fn short(reader: R) -> Self {
        Self::with_buffer(8 << 10, reader)
    }

    fn with_buffer(bytes: usize, reader: R) -> Self {
        let reader = BufReader::with_capacity(bytes, reader);
        Self { reader, buffer: Vec::new(), set_aside: Vec::new(), number: 0, end: 0 }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The line last read.
    pub(super) fn line(&self) -> &[u8] {
        &self.buffer
    }

    /// Sets the line last read aside: the next one takes the room of the one that was set aside before.
    pub(super) const fn set_aside(&mut self) {
        std::mem::swap(&mut self.buffer, &mut self.set_aside);
    }

    /// The line that was set aside.
    pub(super) fn before(&self) -> &[u8] {
        &self.set_aside
    }

    pub(super) fn next(&mut self) -> io::Result<Found> {
        self.buffer.clear();
        let most = MAX_LINE_BYTES as u64 + 1;
        let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(Found::End);
        }
        self.number += 1;
        self.end += read as u64;
        if self.buffer.ends_with(b"\n") {
            self.buffer.pop();
            return Ok(Found::Line);
        }
        Ok(if read as u64 == most { Found::TooLong } else { Found::Unfinished })
    }

    /// Goes over fill and holes; says whether that was all.
    pub(super) fn only_fill_follows(&mut self) -> io::Result<bool> {
        loop {
            let more = self.reader.fill_buf()?;
            if more.is_empty() {
                return Ok(true);
            }
            let fill = more.iter().take_while(|byte| matches!(**byte, b'\n' | 0)).count();
            let (lines, all) = (line_breaks(&more[..fill]), fill == more.len());
            self.reader.consume(fill);
            self.number += lines;
            self.end += fill as u64;
            if !all {
                return Ok(false);
            }
        }
    }

    /// Goes to the beginning of a line, and reads from there what the file has now.
    pub(super) fn seek(&mut self, start: u64, number: u64) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(start))?;
        (self.end, self.number) = (start, number - 1);
        Ok(())
    }

    /// Where the line last read ends.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }
}

/// How many lines end in a text.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}
