//! One line: its type byte, the bytes that may follow, and what they spell.
//!
//! Every type has an alphabet. A byte outside of it is refused when it is met, not when the line
//! is complete: whoever speaks another protocol is found out by the first byte that RESP would not
//! send, instead of being waited for.

use super::{Limits, Value};
use crate::error::{Error, ErrorKind, Result, printable};
use bytes::Bytes;

/// The longest spellings of a 64-bit integer, such as `-9223372036854775808`.
const INTEGER_BYTES_MAX: usize = 20;

/// The buffer in which Redis formats a long double without an exponent.
const DOUBLE_BYTES_MAX: usize = 5 << 10;

/// A verbatim string begins with three bytes, its format, and a colon.
const FORMAT_BYTES: usize = 4;

/// What a line turned out to be.
pub(super) enum Line {
    /// A whole value.
    Value(Value),
    /// The header of a string: its type byte and how many bytes follow.
    Bulk(u8, usize),
    /// The header of an aggregate: its type byte and how many values, or pairs, follow.
    Open(u8, usize),
}

/// Whether a value can begin with this byte.
pub(super) fn is_kind(byte: u8) -> bool {
    matches!(byte, b'+' | b'-' | b'_' | b'#' | b',' | b'(') || is_number(byte)
}

/// Whether what follows this type byte is one integer: a value of its own, or a length.
pub(super) fn is_number(kind: u8) -> bool {
    matches!(
        kind,
        b':' | b'$' | b'*' | b'=' | b'!' | b'%' | b'~' | b'>' | b'|'
    )
}

/// Where in `bytes` the CR is that ends a line of type `kind`, or `None` when it is still to come.
/// `before` counts the bytes of the line that earlier calls have looked at.
pub(super) fn scan(
    kind: u8,
    before: usize,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Option<usize>> {
    let most = bytes_max(kind).min(limits.line_bytes);
    let room = most.saturating_sub(before);
    let near = &bytes[..bytes.len().min(room.saturating_add(1))];
    let end = near.iter().position(|byte| !belongs(kind, *byte));
    #[cfg(test)]
    super::tests::count_scanned(end.unwrap_or(near.len()));
    match end {
        Some(end) if near[end] == b'\r' => Ok(Some(end)),
        Some(end) => Err(stray(kind, near[end])),
        None if near.len() > room => Err(endless(most)),
        None => Ok(None),
    }
}

/// What the complete `line`, without its type byte and its CR LF, stands for.
pub(super) fn read(kind: u8, line: &[u8], limits: &Limits) -> Result<Line> {
    let value = match kind {
        b'+' => Some(Value::Simple(Bytes::copy_from_slice(line))),
        b'-' => Some(Value::Error(Bytes::copy_from_slice(line))),
        b'_' => line.is_empty().then_some(Value::Null),
        b'#' => match line {
            b"t" => Some(Value::Bool(true)),
            b"f" => Some(Value::Bool(false)),
            _ => None,
        },
        b',' => double(line).map(Value::Double),
        b'(' => is_integer(line).then(|| Value::BigNumber(Bytes::copy_from_slice(line))),
        _ => {
            let number = std::str::from_utf8(line)
                .ok()
                .filter(|digits| kind == b':' || *digits == "-1" || !digits.starts_with('-'))
                .and_then(|digits| digits.parse().ok());
            return number_line(kind, number.ok_or_else(|| malformed(kind, line))?, limits);
        }
    };
    value.map(Line::Value).ok_or_else(|| malformed(kind, line))
}

/// What the line stands for that is `number` in decimal.
pub(super) fn number_line(kind: u8, number: i64, limits: &Limits) -> Result<Line> {
    match kind {
        b':' => return Ok(Line::Value(Value::Int(number))),
        b'$' | b'*' if number == -1 => return Ok(Line::Value(Value::Null)),
        _ => {}
    }
    let Ok(count) = usize::try_from(number) else {
        return Err(fault(format!("{number} as {}", name(kind))));
    };
    if !matches!(kind, b'$' | b'=' | b'!') {
        return Ok(Line::Open(kind, count));
    }
    if count > limits.bulk_bytes {
        return Err(over("a string", count, limits.bulk_bytes, "bytes"));
    }
    Ok(Line::Bulk(kind, count))
}

/// Returns how many bytes at the beginning of a string [`bulk`] looks at.
pub(super) fn checked_bytes(kind: u8) -> usize {
    match kind {
        b'=' => FORMAT_BYTES,
        _ => 0,
    }
}

/// The value of a string whose bytes are complete.
pub(super) fn bulk(kind: u8, mut text: Bytes) -> Result<Value> {
    match kind {
        b'$' => Ok(Value::Bulk(text)),
        b'!' => Ok(Value::Error(text)),
        _ => match *text {
            [a, b, c, b':', ..] => {
                bytes::Buf::advance(&mut text, FORMAT_BYTES);
                Ok(Value::Verbatim {
                    format: [a, b, c],
                    text,
                })
            }
            _ => Err(malformed(kind, &text)),
        },
    }
}

/// Takes the first `count` bytes off `input`.
#[inline]
pub(super) fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(count);
    *input = rest;
    taken
}

/// The error for a byte that cannot begin a value, with what came along with it: the words of a
/// server that speaks HTTP, say.
#[cold]
pub(super) fn no_kind(bytes: &[u8]) -> Error {
    const SHOWN_BYTES_MAX: usize = 40;
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
    fault(format!(
        "a value cannot begin with \"{}\"",
        printable(shown)
    ))
}

/// The error for a byte outside of the alphabet of its line, or for half a line end.
#[cold]
pub(super) fn stray(kind: u8, byte: u8) -> Error {
    fault(format!("byte \"{}\" in {}", printable(&[byte]), name(kind)))
}

/// Returns the error for a push that begins inside an aggregate.
#[cold]
pub(super) fn inner_push() -> Error {
    fault("a push inside an aggregate")
}

/// The error for a string that goes on where it was to end.
#[cold]
pub(super) fn unterminated(len: usize, byte: u8) -> Error {
    fault(format!(
        "byte \"{}\" behind a string of {len} bytes",
        printable(&[byte])
    ))
}

/// The error for more than a limit.
#[cold]
pub(super) fn over(what: &str, count: usize, most: usize, unit: &str) -> Error {
    let message = format!("{what} of {count} {unit} is over the limit of {most}");
    Error::new(ErrorKind::Protocol, message)
}

/// The error for bytes that are not RESP.
#[cold]
fn fault(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Protocol, format!("not RESP: {message}"))
}

#[cold]
fn endless(most: usize) -> Error {
    let message = format!("a line has not ended after {most} bytes, the limit");
    Error::new(ErrorKind::Protocol, message)
}

#[cold]
fn malformed(kind: u8, line: &[u8]) -> Error {
    fault(format!("\"{}\" as {}", printable(line), name(kind)))
}

/// Returns the length of the longest line of type `kind`, its type byte and its CR LF not counted.
fn bytes_max(kind: u8) -> usize {
    match kind {
        b'+' | b'-' | b'(' => usize::MAX,
        b',' => DOUBLE_BYTES_MAX,
        b'#' => 1,
        b'_' => 0,
        _ => INTEGER_BYTES_MAX,
    }
}

fn belongs(kind: u8, byte: u8) -> bool {
    match kind {
        b'+' | b'-' => byte != b'\r' && byte != b'\n',
        b'_' => false,
        b'#' => matches!(byte, b't' | b'f'),
        b',' => byte.is_ascii_digit() || b"+-.eEinfa".contains(&byte),
        b'(' | b':' => byte.is_ascii_digit() || byte == b'-' || byte == b'+',
        _ => byte.is_ascii_digit() || byte == b'-',
    }
}

fn is_integer(line: &[u8]) -> bool {
    let digits = line
        .strip_prefix(b"-")
        .or(line.strip_prefix(b"+"))
        .unwrap_or(line);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn double(line: &[u8]) -> Option<f64> {
    match line {
        b"inf" => return Some(f64::INFINITY),
        b"-inf" => return Some(f64::NEG_INFINITY),
        // The C library of a server before Redis 7.2 decides whether a NaN has a sign.
        b"nan" | b"-nan" => return Some(f64::NAN),
        _ => {}
    }
    let digits = line
        .strip_prefix(b"-")
        .or(line.strip_prefix(b"+"))
        .unwrap_or(line);
    // Rust reads more than the specification allows: `.5`, `1.`, and words that are dealt with above.
    let mut parts = digits.split(|byte| *byte == b'.');
    if !parts.all(|part| part.first().is_some_and(u8::is_ascii_digit)) {
        return None;
    }
    std::str::from_utf8(line).ok()?.parse().ok()
}

fn name(kind: u8) -> &'static str {
    match kind {
        b'+' => "a simple string",
        b'-' => "an error",
        b':' => "an integer",
        b'_' => "a null",
        b'#' => "a boolean",
        b',' => "a double",
        b'(' => "a big number",
        b'=' => "a verbatim string or its length",
        b'$' | b'!' => "the length of a string",
        _ => "the length of an aggregate",
    }
}
