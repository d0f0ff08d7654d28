//! Chapter 2, exercise 2, difficulty 2: writes are short.
//!
//! An outbox keeps the bytes that are to be written to one stream. `push` adds some at the end. `flush` writes what it can: from the
//! front, again and again, until nothing is left (then it returns false: no event is wanted) or the stream says `WouldBlock`
//! (true: a writable event will say when to go on). A write may take fewer bytes than it was offered. It may say `Interrupted`: try
//! again. No byte may be written twice, left out or reordered, also when an error comes in between.

use std::io::{self, Write};

#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
}

impl Outbox {
    /// Adds bytes at the end of what is to be written.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes what fits; true when some is left, and a writable event is wanted.
    pub fn flush(&mut self, to: &mut impl Write) -> io::Result<bool> {
        to.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(false)
    }
}
