//! Going through a file line by line, in bounded memory.

use std::io::{self, BufRead, Read};

use super::line::MAX_LINE_BYTES;

/// Splits what it reads into lines.
pub(super) struct Scan<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The line last read, counted from 1.
    number: u64,
    /// Where the last whole line ends.
    offset: u64,
}

/// What stands at one place of a file.
pub(super) enum Found<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// The last line has no end.
    Unfinished(&'a [u8]),
    /// A line without an end as far as a line may go.
    TooLong,
    /// Nothing any more.
    End,
}

impl<R: BufRead> Scan<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), number: 0, offset: 0 }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn next(&mut self) -> io::Result<Found<'_>> {
        self.buffer.clear();
        let most = MAX_LINE_BYTES as u64 + 1;
        let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(Found::End);
        }
        self.number += 1;
        if self.buffer.ends_with(b"\n") {
            self.offset += read as u64;
            self.buffer.pop();
            return Ok(Found::Line(&self.buffer));
        }
        if read as u64 == most && !self.is_zero_to_the_end()? {
            return Ok(Found::TooLong);
        }
        Ok(Found::Unfinished(&self.buffer))
    }

    /// Blocks that were allocated and never written can go on for longer than any line.
    fn is_zero_to_the_end(&mut self) -> io::Result<bool> {
        if self.buffer.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        loop {
            let more = self.reader.fill_buf()?;
            if more.is_empty() {
                return Ok(true);
            }
            if more.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            let read = more.len();
            self.reader.consume(read);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(bytes: impl BufRead) -> Vec<&'static str> {
        let mut scan = Scan::new(bytes);
        let mut kinds = Vec::new();
        loop {
            kinds.push(match scan.next().unwrap() {
                Found::Line(_) => "line",
                Found::Unfinished(_) => "unfinished",
                Found::TooLong => "too long",
                Found::End => return kinds,
            });
            if kinds.last() == Some(&"too long") {
                return kinds;
            }
        }
    }

    fn buffered(reader: impl Read) -> impl BufRead {
        io::BufReader::new(reader)
    }

    #[test]
    fn lines_end_with_their_line_break() {
        assert!(kinds(&b""[..]).is_empty());
        assert_eq!(kinds(&b"a\n\nb\n"[..]), ["line", "line", "line"]);
        assert_eq!(kinds(&b"a\nb"[..]), ["line", "unfinished"]);
    }

    #[test]
    fn a_line_is_read_no_further_than_a_line_may_go() {
        let most = MAX_LINE_BYTES as u64;
        assert_eq!(kinds(buffered(io::repeat(b'a'))), ["too long"]);
        assert_eq!(kinds(buffered(io::repeat(b'a').take(most).chain(&b"\n"[..]))), ["line"]);
        assert_eq!(kinds(buffered(io::repeat(b'a').take(most + 1).chain(&b"\n"[..]))), ["too long"]);
        assert_eq!(kinds(buffered(io::repeat(0).take(most * 2))), ["unfinished"]);
        assert_eq!(kinds(buffered(io::repeat(0).take(most * 2).chain(&b"\n"[..]))), ["too long"]);
    }
}
