//! Chapter 2, exercise 1, difficulty 1: read until there is no more.
//!
//! You were told that the stream is readable, and will not be told again. Append what is there to `into`, until the stream
//! says `WouldBlock` (then return false) or 0 bytes, its end (then return true). `Interrupted` means: try again. Other errors are for
//! the caller; what was read before them must not be lost.

use std::io::{self, Read};

/// Takes everything that has come; true when the end has.
pub fn drain(from: &mut impl Read, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 8];
    let count = from.read(&mut chunk)?;
    into.extend_from_slice(&chunk[..count]);
    Ok(count == 0)
}
