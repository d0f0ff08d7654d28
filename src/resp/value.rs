//! One value of RESP2 or RESP3.

use crate::error::{Error, Result};
use bytes::Bytes;
use std::fmt;

/// What a server says: a reply, a part of one, or a push. See the [table](super) for its spelling.
///
/// Values compare as their contents do, hence a NaN equals nothing, itself included.
///
/// ```
/// use greenroom::resp::Value;
/// let reply = Value::Array(vec![Value::Bulk("list".into()), Value::Bulk("x".into())]);
/// let (list, element): (String, String) = reply.convert()?;
/// assert_eq!((list.as_str(), element.as_str()), ("list", "x"));
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: a missing key, a blocking pop that found no element in time.
    Null,
    /// A signed integer.
    Int(i64),
    /// A short status such as `OK`, which cannot hold a CR or LF.
    Simple(Bytes),
    /// A string of any bytes.
    Bulk(Bytes),
    /// What the server holds against the command, without the leading `-`. Its first word is a
    /// code: `WRONGTYPE Operation against ...`.
    Error(Bytes),
    /// Values in order.
    Array(Vec<Value>),
    /// A floating point number.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// An integer of any size, in decimal digits with an optional sign.
    BigNumber(Bytes),
    /// Text for a person to read, such as the reply to `INFO`.
    Verbatim {
        /// What kind of text: `txt` or `mkd` (Markdown).
        format: [u8; 3],
        /// The text, without the format and its colon.
        text: Bytes,
    },
    /// Keys and their values in the order in which they came. Keys may repeat, as far as RESP goes.
    Map(Vec<(Value, Value)>),
    /// Values whose order means nothing.
    Set(Vec<Value>),
    /// A message that answers no command, such as an invalidation or a published message.
    Push(Vec<Value>),
}

// A big array is an array of these: with one word more, it would take a fifth more memory.
const _: () = assert!(size_of::<Value>() <= 40);

impl Value {
    /// Whether this is [`Null`](Value::Null).
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this is [`Error`](Value::Error). An array that holds an error is none itself.
    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error(_))
    }

    /// The bytes of a string of any type; of a big number, its digits; of an error, its text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Simple(text) | Value::Bulk(text) | Value::Error(text) => Some(text),
            Value::BigNumber(text) | Value::Verbatim { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The same as text; `None` also when it is not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        self.as_bytes()
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The number of an [`Int`](Value::Int). Digits in a string are no number here:
    /// [`convert`](Value::convert) reads those.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push.
    pub fn as_slice(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => Some(items),
            _ => None,
        }
    }

    /// The value, unless it is the server's error.
    ///
    /// # Errors
    ///
    /// [`Server`](crate::ErrorKind::Server) with the text of a [`Value::Error`]. Errors
    /// inside an aggregate stay values.
    ///
    /// ```
    /// use greenroom::resp::Value;
    /// let reply = Value::Error("NOAUTH Authentication required.".into());
    /// assert_eq!(reply.into_result().unwrap_err().code(), Some("NOAUTH"));
    /// ```
    pub fn into_result(self) -> Result<Value> {
        match self {
            Value::Error(text) => Err(Error::server(&text)),
            value => Ok(value),
        }
    }
}

/// Strings are quoted, escaped, and cut after 200 bytes.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("Null"),
            Value::Int(number) => f.debug_tuple("Int").field(number).finish(),
            Value::Simple(text) => f.debug_tuple("Simple").field(&Quoted(text)).finish(),
            Value::Bulk(text) => f.debug_tuple("Bulk").field(&Quoted(text)).finish(),
            Value::Error(text) => f.debug_tuple("Error").field(&Quoted(text)).finish(),
            Value::Array(items) => f.debug_tuple("Array").field(items).finish(),
            Value::Double(number) => f.debug_tuple("Double").field(number).finish(),
            Value::Bool(truth) => f.debug_tuple("Bool").field(truth).finish(),
            Value::BigNumber(text) => f.debug_tuple("BigNumber").field(&Quoted(text)).finish(),
            Value::Verbatim { format, text } => f
                .debug_tuple("Verbatim")
                .field(&Quoted(format))
                .field(&Quoted(text))
                .finish(),
            Value::Map(pairs) => f.debug_tuple("Map").field(pairs).finish(),
            Value::Set(items) => f.debug_tuple("Set").field(items).finish(),
            Value::Push(items) => f.debug_tuple("Push").field(items).finish(),
        }
    }
}

/// Bytes as a literal that Rust would read back: `"text"`, or `b"\xff"` where they are not UTF-8.
struct Quoted<'a>(&'a [u8]);

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_BYTES_MAX: usize = 200;
        let shown = &self.0[..self.0.len().min(SHOWN_BYTES_MAX)];
        match std::str::from_utf8(shown) {
            Ok(text) => write!(f, "{text:?}")?,
            Err(error) if shown.len() < self.0.len() && error.error_len().is_none() => {
                // The cut went through a character.
                write!(
                    f,
                    "{:?}",
                    String::from_utf8_lossy(&shown[..error.valid_up_to()])
                )?;
            }
            Err(_) => write!(f, "b\"{}\"", shown.escape_ascii())?,
        }
        if shown.len() < self.0.len() {
            write!(f, "… ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}
