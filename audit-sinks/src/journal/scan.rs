//! Going through a file line by line, in bounded memory.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::line::MAX_LINE_BYTES;

/// Splits what it reads into lines. Each stays where it was read: no line is copied but the one that a read ends in.
pub(super) struct Scan<R> {
    reader: R,
    /// How much is read at once.
    block: usize,
    /// What was read, up to `filled`: from the line that was set aside on.
    buffer: Vec<u8>,
    filled: usize,
    /// Where in it the next line begins.
    at: usize,
    line: Range<usize>,
    set_aside: Range<usize>,
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
        Self::with_block(256 << 10, reader)
    }

    /// For a few lines, that no more is read than it takes.
    pub(super) fn short(reader: R) -> Self {
        Self::with_block(8 << 10, reader)
    }

    fn with_block(block: usize, reader: R) -> Self {
        Self { reader, block, buffer: Vec::new(), filled: 0, at: 0, line: 0..0, set_aside: 0..0, number: 0, end: 0 }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The line last read.
    pub(super) fn line(&self) -> &[u8] {
        &self.buffer[self.line.clone()]
    }

    /// Sets the line last read aside, in the place of the one that was set aside before.
    pub(super) fn set_aside(&mut self) {
        self.set_aside = std::mem::replace(&mut self.line, self.at..self.at);
    }

    /// The line that was set aside.
    pub(super) fn before(&self) -> &[u8] {
        &self.buffer[self.set_aside.clone()]
    }

    pub(super) fn next(&mut self) -> io::Result<Found> {
        self.line = self.at..self.at;
        let mut looked = 0;
        let found = loop {
            let there = &self.buffer[self.at..self.filled.min(self.at + MAX_LINE_BYTES + 1)];
            if let Some(length) = memchr::memchr(b'\n', &there[looked..]) {
                let length = looked + length;
                self.take(length, 1);
                return Ok(Found::Line);
            }
            looked = there.len();
            if looked > MAX_LINE_BYTES {
                break Found::TooLong;
            }
            if !self.fill()? {
                break if looked == 0 { Found::End } else { Found::Unfinished };
            }
        };
        if found != Found::End {
            self.take(looked, 0);
        }
        Ok(found)
    }

    /// Takes a line of so many bytes, and its end.
    fn take(&mut self, length: usize, end: usize) {
        self.line = self.at..self.at + length;
        self.at += length + end;
        self.end += (length + end) as u64;
        self.number += 1;
    }

    /// Reads more; says whether there was any. What is of no use any more makes room.
    fn fill(&mut self) -> io::Result<bool> {
        if self.filled == self.buffer.len() {
            // Not what lies between them: it may be all that a file is filled with.
            let (mut rest, mut kept) = (self.at..self.filled, 0);
            for part in [&mut self.set_aside, &mut self.line, &mut rest] {
                let end = kept + part.len();
                self.buffer.copy_within(part.clone(), kept);
                (*part, kept) = (kept..end, end);
            }
            (self.at, self.filled) = (rest.start, rest.end);
            if self.filled * 2 >= self.buffer.len() {
                self.buffer.resize(self.block.max(self.filled * 2), 0);
            }
        }
        loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.filled += read;
                    return Ok(read > 0);
                }
            }
        }
    }

    /// Goes over fill and holes; says whether that was all.
    pub(super) fn only_fill_follows(&mut self) -> io::Result<bool> {
        loop {
            let more = &self.buffer[self.at..self.filled];
            let fill = fill_at_start(more);
            let (lines, is_all) = (line_breaks(&more[..fill]), fill == more.len());
            self.at += fill;
            self.number += lines;
            self.end += fill as u64;
            if !is_all {
                return Ok(false);
            }
            if !self.fill()? {
                return Ok(true);
            }
        }
    }

    /// Goes to the beginning of a line, and reads from there what the file has now. What was set aside stays.
    pub(super) fn seek(&mut self, start: u64, number: u64) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(start))?;
        self.buffer.copy_within(self.set_aside.clone(), 0);
        self.set_aside = 0..self.set_aside.len();
        self.filled = self.set_aside.len();
        (self.at, self.line) = (self.filled, self.filled..self.filled);
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
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// How many bytes of fill and of holes a text begins with.
fn fill_at_start(bytes: &[u8]) -> usize {
    let is_fill = |byte: &u8| matches!(byte, b'\n' | 0);
    // Of megabytes, block by block.
    let (blocks, _) = bytes.as_chunks::<64>();
    let whole = 64 * blocks.iter().take_while(|block| block.iter().filter(|byte| is_fill(byte)).count() == 64).count();
    whole + bytes[whole..].iter().take_while(|byte| is_fill(byte)).count()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes a read, as many as it likes.
    struct Trickle(Cursor<Vec<u8>>, usize);

    impl Read for Trickle {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.1 = self.1 * 7 % 13 + 1;
            let most = bytes.len().min(self.1);
            self.0.read(&mut bytes[..most])
        }
    }

    impl Seek for Trickle {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn text() -> impl Strategy<Value = String> {
        let line = prop_oneof![Just(String::new()), "[a-z]{1,9}", "[a-z]{10,60}"];
        (prop::collection::vec(line, 0..20), "[a-z]{0,5}").prop_map(|(lines, rest)| {
            let lines: String = lines.into_iter().map(|line| line + "\n").collect();
            lines + &rest
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]
        #[test]
        fn lines_are_found_whatever_the_reads_give(text in text(), block in 1..64_usize, back in 0..20_usize) {
            let mut scan = Scan::with_block(block, Trickle(Cursor::new(text.clone().into_bytes()), 1));
            let (mut before, mut end, mut back) = (String::new(), 0, Some(back));
            for (at, whole) in text.split_inclusive('\n').enumerate() {
                let line = whole.trim_end_matches('\n');
                scan.set_aside();
                let mut found = scan.next().unwrap();
                if back == Some(at) {
                    // Once more, as of a file that has changed meanwhile.
                    back = None;
                    scan.seek(end, at as u64 + 1).unwrap();
                    prop_assert!(scan.line().is_empty());
                    found = scan.next().unwrap();
                }
                end += whole.len() as u64;
                prop_assert_eq!(found, if line == whole { Found::Unfinished } else { Found::Line });
                prop_assert_eq!(scan.line(), line.as_bytes());
                prop_assert_eq!(scan.before(), before.as_bytes());
                prop_assert_eq!((scan.number(), scan.end()), (at as u64 + 1, end));
                line.clone_into(&mut before);
            }
            prop_assert_eq!(scan.next().unwrap(), Found::End);
        }

        #[test]
        fn fill_is_gone_over_and_the_lines_before_it_stay(
            before in "[a-z]{0,40}",
            line in "[a-z]{0,40}",
            fill in "[\n\0]{0,300}",
            block in 1..64_usize,
        ) {
            for behind in ["", "x"] {
                let text = format!("{before}\n{line}\n{fill}{behind}");
                let mut scan = Scan::with_block(block, Trickle(Cursor::new(text.clone().into_bytes()), 1));
                prop_assert_eq!(scan.next().unwrap(), Found::Line);
                scan.set_aside();
                prop_assert_eq!(scan.next().unwrap(), Found::Line);
                prop_assert_eq!(scan.only_fill_follows().unwrap(), behind.is_empty());
                prop_assert_eq!((scan.before(), scan.line()), (before.as_bytes(), line.as_bytes()));
                prop_assert_eq!(scan.number(), 2 + fill.matches('\n').count() as u64);
                prop_assert_eq!(scan.end(), (text.len() - behind.len()) as u64);
            }
        }
    }

    #[test]
    fn what_is_filled_takes_no_memory() {
        let text = format!("a\nb\n{}", "\n".repeat(1 << 20));
        let mut scan = Scan::with_block(64, Cursor::new(text));
        scan.next().unwrap();
        scan.set_aside();
        scan.next().unwrap();
        assert!(scan.only_fill_follows().unwrap());
        assert_eq!((scan.before(), scan.line(), scan.buffer.len()), (&b"a"[..], &b"b"[..], 64));
    }

    #[test]
    fn a_line_is_cut_where_none_may_go_on() {
        let mut text = vec![b'a'; MAX_LINE_BYTES + 2];
        text.push(b'\n');
        text.extend(vec![b'b'; MAX_LINE_BYTES]);
        text.push(b'\n');
        let mut scan = Scan::new(Cursor::new(text));
        assert_eq!((scan.next().unwrap(), scan.line().len()), (Found::TooLong, MAX_LINE_BYTES + 1));
        assert_eq!((scan.next().unwrap(), scan.line()), (Found::Line, &b"a"[..]));
        assert_eq!((scan.next().unwrap(), scan.line().len()), (Found::Line, MAX_LINE_BYTES));
    }
}
