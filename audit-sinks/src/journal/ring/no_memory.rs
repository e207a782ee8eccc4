//! Where no memory is known that outlives the process, or where what maps it is not to be had: elsewhere than on Linux,
//! and where pointers have 32 bits.

use std::convert::Infallible;
use std::fs::File;
use std::io;

use uuid::Uuid;

use super::super::position::Position;

/// There is none.
pub(super) struct Memory(Infallible);

impl Memory {
    pub(super) fn create(_: File, _: Position, _: u64) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn open(_: File, _: Uuid) -> io::Result<Option<Self>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn capacity(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn has_a_name(&self) -> bool {
        match self.0 {}
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn unlock(&self) {
        match self.0 {}
    }

    pub(super) fn head(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn set_head(&self, _: u64) {
        match self.0 {}
    }

    pub(super) fn done(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn next_seq(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn set_done(&self, _: u64, _: u64) {
        match self.0 {}
    }

    pub(super) fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        match self.0 {}
    }

    pub(super) fn read(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
        match self.0 {}
    }
}

/// What is there was not written by a journal.
pub(super) fn no_memory() -> io::Error {
    io::ErrorKind::Unsupported.into()
}
