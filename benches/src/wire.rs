//! The smallest RESP that works, for the programs without a client library: commands as constant
//! bytes, and the reply to a `BRPOP`.

use std::io::{Error, ErrorKind, Result};
use std::ops::Range;

/// One `PING` and its reply.
pub const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
pub const PONG: &[u8] = b"+PONG\r\n";

/// `GET key`.
pub const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n";

/// `BRPOP queue 0`: waits for ever.
pub const POP: &[u8] = b"*3\r\n$5\r\nBRPOP\r\n$5\r\nqueue\r\n$1\r\n0\r\n";

/// What stands before the length of an element of `queue`.
pub const POPPED: &[u8] = b"*2\r\n$5\r\nqueue\r\n$";

/// Whether this can be the value of `key`: a short string, whichever was put there.
pub fn check_value(value: &[u8]) -> Result<()> {
    match value.len() {
        1..=64 => Ok(()),
        _ => Err(unexpected(value)),
    }
}

/// The reply to a pop whose timeout has passed.
pub const NIL: &[u8] = b"*-1\r\n";

/// Room for one reply to a pop. The elements of the workloads are numbers.
pub const REPLY_BYTES: usize = 128;

/// `BRPOP list TIMEOUT`, made once and kept until the process ends.
pub fn brpop(timeout: u64) -> &'static [u8] {
    let timeout = timeout.to_string();
    let command = format!(
        "*3\r\n$5\r\nBRPOP\r\n$4\r\nlist\r\n${}\r\n{timeout}\r\n",
        timeout.len()
    );
    command.into_bytes().leak()
}

/// The reply to a pop.
#[derive(Debug, PartialEq, Eq)]
pub enum Popped {
    Nil,
    /// Where the element stands in the bytes.
    Element(Range<usize>),
}

/// Reads a reply to a `BRPOP`; `None` while it is not complete.
pub fn popped(bytes: &[u8]) -> Result<Option<Popped>> {
    if bytes == NIL {
        return Ok(Some(Popped::Nil));
    }
    let common = bytes.len().min(POPPED.len());
    if bytes[..common] != POPPED[..common] && !NIL.starts_with(bytes) {
        return Err(unexpected(bytes));
    }
    let Some((length, head)) = bytes.get(POPPED.len()..).and_then(length) else {
        return Ok(None);
    };
    let start = POPPED.len() + head;
    let end = start + length;
    match bytes.get(end..) {
        Some(b"\r\n") => Ok(Some(Popped::Element(start..end))),
        Some(more) if more.len() > 1 => Err(unexpected(bytes)),
        _ if end + 2 > REPLY_BYTES => Err(unexpected(bytes)),
        _ => Ok(None),
    }
}

/// The number at the start of a line, and how long the line is with its end; `None` while that has
/// not come.
pub fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let digits = bytes.iter().position(|&byte| byte == b'\r')?;
    let number = usize::try_from(number(&bytes[..digits])?).ok()?;
    (bytes.len() > digits + 1).then_some((number, digits + 2))
}

/// A number of up to 19 digits.
pub fn number(digits: &[u8]) -> Option<u64> {
    let add = |number: u64, digit: &u8| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    };
    match digits.len() {
        1..=19 => digits.iter().try_fold(0, add),
        _ => None,
    }
}

/// The error for a reply that is not what was asked for.
pub fn unexpected(reply: &[u8]) -> Error {
    let message = format!("unexpected reply: {}", reply.escape_ascii());
    Error::new(ErrorKind::InvalidData, message)
}

/// The error for a connection that has ended too early.
pub fn ended() -> Error {
    Error::new(
        ErrorKind::UnexpectedEof,
        "the server has closed a connection",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_may_come_in_pieces() {
        let reply = b"*2\r\n$5\r\nqueue\r\n$3\r\n123\r\n";
        for cut in 0..reply.len() {
            assert_eq!(popped(&reply[..cut]).unwrap(), None, "{cut}");
        }
        let Some(Popped::Element(element)) = popped(reply).unwrap() else {
            panic!("it is complete");
        };
        assert_eq!(number(&reply[element]), Some(123));
        assert_eq!(popped(NIL).unwrap(), Some(Popped::Nil));
        assert!(popped(b"-ERR no\r\n").is_err());
    }
}
