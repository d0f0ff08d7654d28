//! Chapter 2, exercise 2: writes are short.

use std::io::{self, ErrorKind, Write};

#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How many of them have left. Moving the rest to the front after each write would be quadratic.
    sent: usize,
}

impl Outbox {
    /// Adds bytes at the end of what is to be written.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes what fits; true when some is left, and a writable event is wanted.
    pub fn flush(&mut self, to: &mut impl Write) -> io::Result<bool> {
        while self.sent < self.bytes.len() {
            match to.write(&self.bytes[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        self.bytes.clear();
        self.sent = 0;
        Ok(false)
    }
}
