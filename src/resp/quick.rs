//! The short way: common values that lie in the input in full.
//!
//! Most replies are a null, an integer, `OK`, a short string, or an array of these, and come whole.
//! They are read here from the input as it lies there, with no state kept. There is no opinion here
//! on anything else: what is cut, wrong or over a limit is left, untouched, to the stepwise
//! reading, which alone decides. This costs a second look at one header (of 20 bytes at most), the
//! first time it is met.

use super::line::take;
use super::{Limits, Value, nest};
use bytes::Bytes;

/// Reads one value that lies in `input` in full and is of a common type, without any state. `None`
/// leaves `input` as it was and says nothing about it.
#[inline]
pub(super) fn quick(input: &mut &[u8], limits: &Limits) -> Option<Value> {
    let bytes = *input;
    // Four replies never vary: nothing came to a blocking pop, there is no such key, done, and here.
    let constant = match bytes.first_chunk()? {
        b"*-1\r" | b"$-1\r" if limits.line_bytes >= 2 => Some((Value::Null, &b"\n"[..])),
        b"+OK\r" if limits.line_bytes >= 2 => Some((simple(b"OK"), &b"\n"[..])),
        b"+PON" if limits.line_bytes >= 4 => Some((simple(b"PONG"), &b"G\r\n"[..])),
        _ => None,
    };
    if let Some((value, rest)) = constant {
        if bytes[4..].starts_with(rest) {
            take(input, 4 + rest.len());
            return Some(value);
        }
    }
    let (value, end) = match bytes[0] {
        b'$' => {
            let (len, start) = digits(bytes, 1, limits)?;
            let len = usize::try_from(len)
                .ok()
                .filter(|len| *len <= limits.bulk_bytes)?;
            let (text, rest) = bytes[start..].split_at_checked(len)?;
            rest.strip_prefix(b"\r\n")?;
            let end = start + len + 2;
            if end > limits.reply_bytes {
                return None;
            }
            (Value::Bulk(Bytes::copy_from_slice(text)), end)
        }
        b':' => {
            let (number, end) = number(bytes, limits)?;
            (Value::Int(number), end)
        }
        _ => return None,
    };
    take(input, end);
    Some(value)
}

/// A status that is known beforehand takes no memory.
fn simple(text: &'static [u8]) -> Value {
    Value::Simple(Bytes::from_static(text))
}

/// Reads an array as far as its elements are such values, and returns them with their intended
/// number. What it has read is off `input`, and need not be all.
#[inline]
pub(super) fn array(input: &mut &[u8], limits: &Limits) -> Option<(Vec<Value>, usize)> {
    input.first().filter(|kind| **kind == b'*')?;
    let (number, start) = number(input, limits)?;
    let total = usize::try_from(number).ok()?;
    if total == 0 || total > limits.elements || limits.depth == 0 {
        return None;
    }
    // Whatever the elements are, their bytes are at most those in `input`.
    if nest::cost(total, input.len()) > limits.reply_bytes {
        return None;
    }
    take(input, start);
    let mut items = Vec::with_capacity(nest::room(total, 1, input.len()));
    while items.len() < total {
        let Some(value) = quick(input, limits) else {
            break;
        };
        items.push(value);
    }
    Some((items, total))
}

/// The number in the line that `bytes` begin with, and where the next line begins; `None` for a
/// line that is cut, malformed or long enough to overflow, and for a negative length.
#[inline]
pub(super) fn number(bytes: &[u8], limits: &Limits) -> Option<(i64, usize)> {
    // The only negative length is -1, a null.
    if bytes.starts_with(b":-") {
        let (number, end) = digits(bytes, 2, limits)?;
        return Some((-(number as i64), end));
    }
    let (number, end) = digits(bytes, 1, limits)?;
    Some((number as i64, end))
}

/// Reads the digits from `first` on as [`number`] does, for a result below 10^18.
// A call would cost more than reading the few digits of most numbers.
#[inline(always)]
fn digits(bytes: &[u8], first: usize, limits: &Limits) -> Option<(u64, usize)> {
    const DIGITS_MAX: usize = 18;
    let mut number: u64 = 0;
    let mut end = first;
    while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
        if end - first == DIGITS_MAX {
            return None;
        }
        number = number * 10 + u64::from(digit - b'0');
        end += 1;
    }
    if end == first || end - 1 > limits.line_bytes || bytes.get(end..end + 2)? != b"\r\n" {
        return None;
    }
    Some((number, end + 2))
}
