//! Reading the end of a file that is none of ours, in bounded memory.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::journal::disk::DiskFile;
use crate::journal::tail::{Content, MAX_WINDOW, read_tail};

/// Some bytes, and behind them so many that are no line.
struct Garbage {
    start: Vec<u8>,
    more: usize,
    largest_read: AtomicUsize,
}

impl DiskFile for Garbage {
    fn len(&self) -> io::Result<u64> {
        Ok((self.start.len() + self.more) as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.largest_read.fetch_max(bytes.len(), Ordering::Relaxed);
        let offset = usize::try_from(offset).unwrap();
        let read = bytes.len().min(self.start.len() + self.more - offset);
        bytes[..read].fill(b'a');
        if let Some(start) = self.start.get(offset..) {
            let copied = start.len().min(read);
            bytes[..copied].copy_from_slice(&start[..copied]);
        }
        Ok(read)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        unreachable!("reading writes nothing")
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        unreachable!("reading cuts nothing")
    }

    fn sync(&self) -> io::Result<()> {
        unreachable!("reading syncs nothing")
    }
}

#[test]
fn a_file_that_is_mostly_foreign_takes_no_more_memory_than_another() {
    let disk = ModelDisk::default();
    let journal = open(&disk);
    (0..3).for_each(|n| write(&journal, n).unwrap());
    drop(journal);
    let lines = disk.contents().remove(0).1;
    for start in [lines, Vec::new()] {
        let (is_ours, size) = (!start.is_empty(), start.len() as u64);
        let file = Garbage { start, more: 120 << 20, largest_read: AtomicUsize::new(0) };
        match read_tail(&file).unwrap() {
            Content::Lines(tail) => {
                assert!(is_ours && tail.damage.unwrap().0 == size && tail.torn == 0);
                assert!(tail.position.next_seq > 5 + 100_000, "what may have been there keeps its position");
            }
            Content::Foreign => assert!(!is_ours),
            Content::Nothing | Content::Torn(_) => panic!("it is neither empty nor torn"),
        }
        assert!(file.largest_read.into_inner() as u64 <= MAX_WINDOW);
    }
}
