//! Values to bytes.
//!
//! What a client sends is one shape only: an array of bulk strings. The bytes of an argument are
//! preceded by their number and never formatted, searched or escaped; a CR LF among them is two
//! bytes like any others and cannot begin a second command.
//!
//! Everything appends to a `Vec<u8>`, which holds one command or a thousand. The building blocks
//! write any value, for a server or for a command whose arguments are not in one slice.
//!
//! ```
//! use greenroom::resp::encode;
//! let mut out = Vec::new();
//! encode::command(&mut out, &["GET", "a\r\nFLUSHALL"]);
//! assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$11\r\na\r\nFLUSHALL\r\n");
//! ```

use super::Value;

/// Which version of RESP a connection speaks. Every one begins in RESP2, until `HELLO 3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Understood by every server and client.
    #[default]
    Resp2,
    /// Since Redis 6: maps, sets, doubles, pushes.
    Resp3,
}

impl Protocol {
    /// As `HELLO` spells it: 2 or 3.
    pub fn version(self) -> u8 {
        match self {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        }
    }
}

/// Appends a command: its name and its arguments.
///
/// # Panics
///
/// When `args` is empty. A server ignores the empty command without a word, and whoever sent it
/// would wait for a reply that never comes.
pub fn command<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    assert!(!args.is_empty(), "a command has a name");
    array_header(out, args.len());
    for arg in args {
        bulk(out, arg.as_ref());
    }
}

/// Appends the header of an array; its `count` elements are to follow.
pub fn array_header(out: &mut Vec<u8>, count: usize) {
    length(out, b'*', count);
}

/// Appends a string of any bytes.
// Inlined, what is known of the text where it is encoded (a name, a digit) becomes plain stores: a sixth
// of the cost of a short command. A header whose size is known is one store too, where `length` appends
// its parts by three calls: that was half the cost of a string of 16 bytes.
#[inline]
pub fn bulk(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        len @ 0..=9 => out.extend_from_slice(&[b'$', DIGITS[len], b'\r', b'\n']),
        len @ 10..=99 => {
            let (tens, ones) = (DIGITS[len / 10], DIGITS[len % 10]);
            out.extend_from_slice(&[b'$', tens, ones, b'\r', b'\n']);
        }
        len => length(out, b'$', len),
    }
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// Appends an integer.
pub fn int(out: &mut Vec<u8>, number: i64) {
    out.push(b':');
    if number < 0 {
        out.push(b'-');
    }
    decimal(out, number.unsigned_abs());
    out.extend_from_slice(b"\r\n");
}

/// Appends a status such as `OK`. A CR or LF in it, which the type cannot hold, becomes a space.
pub fn simple(out: &mut Vec<u8>, text: &[u8]) {
    line(out, b'+', text);
}

/// Appends an error: `text` begins with its code, without the `-`. A CR or LF becomes a space.
pub fn error(out: &mut Vec<u8>, text: &[u8]) {
    line(out, b'-', text);
}

/// Appends a null: `$-1` in RESP2, `_` in RESP3.
pub fn null(out: &mut Vec<u8>, protocol: Protocol) {
    out.extend_from_slice(match protocol {
        Protocol::Resp2 => b"$-1\r\n",
        Protocol::Resp3 => b"_\r\n",
    });
}

/// Appends RESP2's other null, `*-1`: where an array would be, as after a `BRPOP` in vain.
pub fn null_array(out: &mut Vec<u8>) {
    out.extend_from_slice(b"*-1\r\n");
}

/// Appends the header of a map; its `pairs` keys and values are to follow by turns. In RESP2 it is an array.
pub fn map_header(out: &mut Vec<u8>, pairs: usize, protocol: Protocol) {
    match protocol {
        Protocol::Resp2 => array_header(out, 2 * pairs),
        Protocol::Resp3 => length(out, b'%', pairs),
    }
}

/// Appends the header of a set; its `count` elements are to follow. In RESP2 it is an array.
pub fn set_header(out: &mut Vec<u8>, count: usize, protocol: Protocol) {
    let kind = match protocol {
        Protocol::Resp2 => b'*',
        Protocol::Resp3 => b'~',
    };
    length(out, kind, count);
}

/// Appends a text for a person to read, of a format such as `txt`. In RESP2 it is a bulk string.
pub fn verbatim(out: &mut Vec<u8>, format: [u8; 3], text: &[u8], protocol: Protocol) {
    if protocol == Protocol::Resp2 {
        return bulk(out, text);
    }
    length(out, b'=', format.len() + 1 + text.len());
    for part in [&format[..], b":", text, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Appends any value.
///
/// To a peer that speaks RESP2, what it does not know is sent as Redis does: a map as an array of
/// keys and values by turns; a set and a push as arrays; a double, a big number and a verbatim
/// string as bulk strings; a boolean as 1 or 0.
///
/// RESP allows a push on its own only: inside another value, a decoder refuses it.
///
/// Recurses as deep as the value does.
pub fn value(out: &mut Vec<u8>, value: &Value, protocol: Protocol) {
    let resp3 = protocol == Protocol::Resp3;
    match value {
        Value::Null => null(out, protocol),
        Value::Int(number) => int(out, *number),
        Value::Simple(text) => simple(out, text),
        Value::Bulk(text) => bulk(out, text),
        Value::Error(text) => error(out, text),
        Value::Double(number) if resp3 => line(out, b',', double(*number).as_bytes()),
        Value::Double(number) => bulk(out, double(*number).as_bytes()),
        Value::Bool(truth) if resp3 => line(out, b'#', if *truth { b"t" } else { b"f" }),
        Value::Bool(truth) => int(out, i64::from(*truth)),
        Value::BigNumber(digits) if resp3 => line(out, b'(', digits),
        Value::BigNumber(digits) => bulk(out, digits),
        Value::Verbatim { format, text } => verbatim(out, *format, text, protocol),
        Value::Array(items) => {
            array_header(out, items.len());
            elements(out, items, protocol);
        }
        Value::Set(items) => {
            set_header(out, items.len(), protocol);
            elements(out, items, protocol);
        }
        Value::Push(items) => {
            length(out, if resp3 { b'>' } else { b'*' }, items.len());
            elements(out, items, protocol);
        }
        Value::Map(pairs) => {
            map_header(out, pairs.len(), protocol);
            for (key, item) in pairs {
                self::value(out, key, protocol);
                self::value(out, item, protocol);
            }
        }
    }
}

fn elements(out: &mut Vec<u8>, items: &[Value], protocol: Protocol) {
    for item in items {
        value(out, item, protocol);
    }
}

fn line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    let inert = |byte: &u8| {
        if matches!(byte, b'\r' | b'\n') {
            b' '
        } else {
            *byte
        }
    };
    out.extend(text.iter().map(inert));
    out.extend_from_slice(b"\r\n");
}

/// The shortest digits that read back as the same number; with an exponent where there would be
/// many zeros.
fn double(number: f64) -> String {
    let size = number.abs();
    if size.is_nan() {
        "nan".into()
    } else if size.is_infinite() || size == 0.0 || (1e-5..1e17).contains(&size) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

fn length(out: &mut Vec<u8>, kind: u8, count: usize) {
    out.push(kind);
    decimal(out, count as u64);
    out.extend_from_slice(b"\r\n");
}

const DIGITS: &[u8; 10] = b"0123456789";

/// The digits of `u64::MAX`.
const DECIMAL_BYTES_MAX: usize = 20;

fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; DECIMAL_BYTES_MAX];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = DIGITS[(number % 10) as usize];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}
