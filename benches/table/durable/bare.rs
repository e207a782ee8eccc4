//! The disk itself.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::turn::{Turn, repeat};

/// Appends so many lines at once to a file that grows, and waits for the disk.
pub(super) fn append(path: &Path, line: &[u8], each: usize) -> Turn {
    let lines = line.repeat(each);
    let mut file = File::create(path).unwrap();
    Turn::take(each, || {
        repeat(|| {
            file.write_all(&lines).unwrap();
            file.sync_data().unwrap();
            true
        })
    })
}

/// A file that has been filled before.
pub(super) struct Filled {
    pub(super) file: File,
    pub(super) bytes: u64,
}

impl Filled {
    /// One of so many bytes.
    pub(super) fn new(path: &Path, bytes: u64) -> Self {
        let mut file = File::options().create_new(true).read(true).write(true).open(path).unwrap();
        let chunk = vec![b'\n'; 1 << 20];
        for _ in 0..bytes >> 20 {
            file.write_all(&chunk).unwrap();
        }
        file.sync_all().unwrap();
        file.rewind().unwrap();
        Self { file, bytes }
    }

    /// Writes so many lines at once, one batch behind another, and waits for the disk.
    pub(super) fn write(&self, line: &[u8], each: usize) -> Turn {
        write(&self.file, &line.repeat(each), self.bytes, each)
    }
}

/// The same past the page cache, in blocks of 512 bytes.
pub(super) fn direct(path: &Path, each: usize) -> Turn {
    const BLOCK: usize = 512;
    let flags = rustix::fs::OFlags::DIRECT.bits();
    let file = File::options().write(true).custom_flags(flags.cast_signed()).open(path).unwrap();
    let bytes = file.metadata().unwrap().len();
    // Such a write wants its bytes where a block of memory begins.
    let buffer = vec![b'\n'; BLOCK * each + 4096];
    let from = buffer.as_ptr().align_offset(4096);
    write(&file, &buffer[from..from + BLOCK * each], bytes, each)
}

fn write(file: &File, lines: &[u8], bytes: u64, each: usize) -> Turn {
    let mut offset = 0;
    Turn::take(each, || {
        repeat(|| {
            if offset + lines.len() as u64 > bytes {
                return false;
            }
            file.write_all_at(lines, offset).unwrap();
            file.sync_data().unwrap();
            offset += lines.len() as u64;
            true
        })
    })
}
