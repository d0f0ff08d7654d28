//! Chapter 1, exercise 2, difficulty 1: a read returns what is there.
//!
//! Fill `into` to its last byte. `read` may bring fewer bytes than there is room for: go on behind them. It may say
//! `Interrupted`, when a signal has come by: try again. It may bring 0 bytes: that is the end of the stream, and if `into` is not full
//! by then, an error of the kind `UnexpectedEof`. Any other error is the caller's to know.
//!
//! (`Read::read_exact` does all this. Do it without.)

use std::io::{self, Read};

/// Fills `into` with the next bytes of the stream.
pub fn read_fully(from: &mut impl Read, into: &mut [u8]) -> io::Result<()> {
    from.read(into)?;
    Ok(())
}
