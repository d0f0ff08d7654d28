//! Chapter 2, exercise 1: read until there is no more.

use std::io::{self, ErrorKind, Read};

/// Takes everything that has come; true when the end has.
pub fn drain(from: &mut impl Read, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 8];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(true),
            Ok(count) => into.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
