//! Chapter 1, exercise 2: a read returns what is there.

use std::io::{self, ErrorKind, Read};

/// Fills `into` with the next bytes of the stream.
pub fn read_fully(from: &mut impl Read, into: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
