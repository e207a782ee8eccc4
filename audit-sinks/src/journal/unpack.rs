//! Decompressing a file, in bounded memory.

use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use zstd::stream::read::Decoder;

use super::disk::DiskFile;
use super::scan::{Found, Scan};

/// The bytes that were compressed. Memory is that of the window which the file asks for, 128 MiB at most.
pub(super) struct Unpack<R: Read> {
    /// `None` once it could not be put back to its beginning.
    decoder: Option<Decoder<'static, BufReader<R>>>,
    at: u64,
}

impl<R: Read + Seek> Unpack<R> {
    pub(super) fn new(packed: R) -> io::Result<Self> {
        Ok(Self { decoder: Some(Decoder::new(packed)?), at: 0 })
    }

    fn begin_again(&mut self) -> io::Result<()> {
        let decoder = self.decoder.take().ok_or_else(|| io::Error::other("it could not be read before"))?;
        let mut packed = decoder.finish().into_inner();
        packed.seek(SeekFrom::Start(0))?;
        *self = Self::new(packed)?;
        Ok(())
    }
}

impl<R: Read> Read for Unpack<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let decoder = self.decoder.as_mut().ok_or_else(|| io::Error::other("it could not be read before"))?;
        let read = decoder.read(bytes).map_err(corrupt)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Unpack<R> {
    /// Goes to a place counted from the beginning; other places are not known before all is decompressed.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(to) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        if to < self.at {
            self.begin_again()?;
        }
        let ahead = to - self.at;
        io::copy(&mut self.by_ref().take(ahead), &mut io::sink())?;
        Ok(self.at)
    }
}

/// What is compressed is not what was compressed.
#[derive(Debug)]
struct Corrupt(io::Error);

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it cannot be decompressed: {}", self.0)
    }
}

impl std::error::Error for Corrupt {}

/// An error of the decompression has no number of the operating system.
fn corrupt(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { io::Error::new(io::ErrorKind::InvalidData, Corrupt(error)) }
}

pub(super) fn is_corrupt(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Corrupt>)
}

/// What can be told of a compressed file that cannot be decompressed to its end.
pub(super) struct Remains {
    /// The line from which on it cannot be.
    pub(super) line: u64,
    /// How many bytes were compressed at most. Nobody knows where the end is missing: a frame may say how much it held,
    /// but not how many followed it.
    pub(super) most_bytes: Option<u64>,
}

/// What a block of a frame takes at least, and holds at most.
const BLOCK: (u64, u64) = (4, 128 << 10);

impl Remains {
    pub(super) fn of(packed: Box<dyn DiskFile>) -> io::Result<Self> {
        let blocks = packed.len()? / BLOCK.0 + 1;
        let mut scan = Scan::new(Unpack::new(FromStart::new(packed))?);
        let is_cut = loop {
            match scan.next() {
                Ok(Found::End) => break false,
                Ok(_) => {}
                Err(error) if is_corrupt(&error) => break lacks_its_end(&error),
                Err(error) => return Err(error),
            }
        };
        // What was changed may say anything, but it has as many blocks as it had.
        Ok(Self { line: scan.number() + 1, most_bytes: (!is_cut).then(|| blocks.saturating_mul(BLOCK.1)) })
    }
}

fn lacks_its_end(error: &io::Error) -> bool {
    let corrupt = error.get_ref().and_then(|error| error.downcast_ref::<Corrupt>());
    corrupt.is_some_and(|Corrupt(error)| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// A compressed file as recovery reads it: as if it were the plain one, which nobody may write.
pub(super) struct UnpackedFile(Mutex<Unpack<FromStart>>);

impl UnpackedFile {
    pub(super) fn new(packed: Box<dyn DiskFile>) -> io::Result<Self> {
        Ok(Self(Mutex::new(Unpack::new(FromStart::new(packed))?)))
    }
}

impl DiskFile for UnpackedFile {
    fn len(&self) -> io::Result<u64> {
        let mut unpack = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unpack.seek(SeekFrom::Start(u64::MAX))
    }

    fn goes_forward(&self) -> bool {
        true
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut unpack = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unpack.seek(SeekFrom::Start(offset))?;
        let mut read = 0;
        while read < bytes.len() {
            match unpack.read(&mut bytes[read..])? {
                0 => break,
                more => read += more,
            }
        }
        Ok(read)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// A file read from its beginning on.
pub(super) struct FromStart {
    file: Box<dyn DiskFile>,
    at: u64,
}

impl FromStart {
    pub(super) fn new(file: Box<dyn DiskFile>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for FromStart {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for FromStart {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(to) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.at = to;
        Ok(to)
    }
}
