//! The decoder: bytes in, cut anywhere; values out.
//!
//! What is half-read has two parts. The *token* is the line or the string under way, with its
//! bytes so far; the [`Nest`] is the aggregates around it. Bytes are moved into the token as they
//! come, so that a feed is consumed to its last byte and none is kept by the caller. Of a string
//! that is skipped, the token keeps only what it must check.
//!
//! Both parts are in one box that exists only from a feed which ends inside a value to the feed
//! which completes it. Thousands of connections wait for a reply of which nothing has come: each
//! of them keeps a null pointer.
//!
//! A reply that is short and came whole takes none of this: see [`quick()`].

use super::line::{self, Line, take};
use super::nest::Nest;
use super::quick::{self, quick};
use super::{Limits, Progress, Value};
use crate::error::{Error, Result};
use bytes::Bytes;
use std::fmt;

/// Turns the bytes that one connection receives into values.
///
/// ```
/// use greenroom::resp::{Decoder, Limits, Value};
/// let mut decoder = Decoder::new();
/// let mut input: &[u8] = b":1\r\n$3\r\nfo";
/// assert_eq!(decoder.decode(&mut input, &Limits::DEFAULT)?, Some(Value::Int(1)));
/// assert_eq!(decoder.decode(&mut input, &Limits::DEFAULT)?, None);
/// assert!(input.is_empty() && decoder.is_partial());
/// input = b"o\r\n";
/// assert_eq!(decoder.decode(&mut input, &Limits::DEFAULT)?, Some(Value::Bulk("foo".into())));
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Default)]
pub struct Decoder(Option<Box<State>>);

const _: () = assert!(size_of::<Decoder>() == size_of::<usize>());

enum State {
    Partial(Partial),
    Failed(Error),
}

#[derive(Default)]
struct Partial {
    /// Bytes of the value so far.
    read: usize,
    token: Token,
    nest: Nest,
}

/// What is under way at the very end of the input so far.
#[derive(Default)]
enum Token {
    /// Nothing: a type byte is next.
    #[default]
    Start,
    /// A line, without its type byte; `cr` when its CR has come, and only the LF is missing.
    Line { kind: u8, text: Vec<u8>, cr: bool },
    /// A string of `len` bytes, of which `read` have come, and `cr` likewise. Of a skipped one,
    /// `text` holds only what is to be checked.
    Body {
        kind: u8,
        len: usize,
        read: usize,
        text: Vec<u8>,
        skipped: bool,
        cr: bool,
    },
}

impl Decoder {
    /// A decoder at the beginning of a stream. Allocates nothing.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Reads one value, or as much of one as there is, and takes its bytes off the front of
    /// `input`.
    ///
    /// With `Ok(Some(value))` the bytes behind the value stay in `input` for the next call. With
    /// `Ok(None)` all of `input` has been taken in, and more is needed. The limits are to be the
    /// same in every call.
    ///
    /// # Errors
    ///
    /// [`Protocol`](crate::ErrorKind::Protocol) when the bytes are not RESP or demand more
    /// than `limits` allow. This is for good: every later call returns the same error, and what is
    /// left in `input` means nothing.
    #[inline]
    pub fn decode(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Value>> {
        if self.0.is_none() {
            if let Some(value) = quick(input, limits) {
                return Ok(Some(value));
            }
        }
        self.decode_stepwise(input, limits)
    }

    /// Whether a value has begun and not ended: a connection that is lost now has cut it.
    pub fn is_partial(&self) -> bool {
        matches!(self.0.as_deref(), Some(State::Partial(_)))
    }

    /// Whether a value is under way that is certainly a reply, and not a push that nobody has to have asked for.
    pub fn is_partial_reply(&self) -> bool {
        match self.0.as_deref() {
            Some(State::Partial(partial)) => !partial.may_be_push(),
            _ => false,
        }
    }

    /// How much of the value under way has come, as words for an error message, or `None` when
    /// none [is](Decoder::is_partial).
    ///
    /// ```
    /// use greenroom::resp::{Decoder, Limits};
    /// let mut decoder = Decoder::new();
    /// decoder.decode(&mut &b"*3\r\n:1\r\n$512\r\nfo"[..], &Limits::DEFAULT)?;
    /// let progress = decoder.progress().expect("a value is under way").to_string();
    /// assert_eq!(progress, "1 of 3 elements came, and 2 of 512 bytes of a string");
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn progress(&self) -> Option<Progress> {
        match self.0.as_deref()? {
            State::Partial(partial) => Some(partial.progress()),
            State::Failed(_) => None,
        }
    }

    #[inline(never)]
    fn decode_stepwise(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Value>> {
        let outcome = match self.0.as_deref_mut() {
            None if input.is_empty() => return Ok(None),
            None => {
                let mut partial = Partial::default();
                let came = input.len();
                if let Some((items, total)) = quick::array(input, limits) {
                    if items.len() == total {
                        return Ok(Some(Value::Array(items)));
                    }
                    partial.nest = Nest::array(items, total, limits);
                    partial.read = came - input.len();
                }
                let outcome = partial.advance(input, limits);
                if let Ok(None) = outcome {
                    self.0 = Some(Box::new(State::Partial(partial)));
                }
                outcome
            }
            Some(State::Partial(partial)) => {
                let outcome = partial.advance(input, limits);
                if let Ok(Some(_)) = outcome {
                    self.0 = None;
                }
                outcome
            }
            Some(State::Failed(error)) => return Err(error.clone()),
        };
        if let Err(error) = &outcome {
            self.0 = Some(Box::new(State::Failed(error.clone())));
        }
        outcome
    }

    /// Bytes that the half-read value occupies, with what is reserved for it.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        let Some(State::Partial(partial)) = self.0.as_deref() else {
            return 0;
        };
        let text = match &partial.token {
            Token::Start => 0,
            Token::Line { text, .. } | Token::Body { text, .. } => text.capacity(),
        };
        text + partial.nest.held_bytes()
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None => f.write_str("Decoder(idle)"),
            Some(State::Partial(partial)) => write!(f, "Decoder({})", partial.progress()),
            Some(State::Failed(error)) => write!(f, "Decoder(failed: {error})"),
        }
    }
}

impl Partial {
    fn may_be_push(&self) -> bool {
        match (self.nest.outermost(), &self.token) {
            (Some(may_be), _) => may_be,
            (None, Token::Line { kind, .. }) => matches!(kind, b'>' | b'|'),
            (None, Token::Body { .. }) => false,
            (None, Token::Start) => true,
        }
    }

    fn advance(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Value>> {
        let came = self.read + input.len();
        loop {
            let line = match self.token {
                Token::Start => {
                    let whole = if self.nest.is_skipping() {
                        None
                    } else {
                        quick(input, limits)
                    };
                    match whole {
                        Some(value) => Some(Line::Value(value)),
                        None => self.start(input, limits)?,
                    }
                }
                Token::Line { .. } => self.line(input, limits)?,
                Token::Body { .. } => self.body(input)?.map(Line::Value),
            };
            let value = match line {
                None => {
                    self.read = came;
                    self.nest.check_bytes(came, limits)?;
                    return Ok(None);
                }
                Some(Line::Value(value)) => value,
                Some(Line::Bulk(kind, len)) => {
                    let end = (came - input.len()).saturating_add(len);
                    self.nest.check_string(end.saturating_add(2), limits)?;
                    self.token = Token::Body {
                        kind,
                        len,
                        read: 0,
                        text: Vec::new(),
                        skipped: self.nest.is_skipping(),
                        cr: false,
                    };
                    continue;
                }
                Some(Line::Open(kind, count)) => {
                    let read = came - input.len();
                    match self.nest.open(kind, count, read, input.len(), limits)? {
                        Some(value) => value,
                        None => continue,
                    }
                }
            };
            if let Some(reply) = self.nest.settle(value) {
                self.nest.check_bytes(came - input.len(), limits)?;
                return Ok(Some(reply));
            }
        }
    }

    fn start(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Line>> {
        let Some(&kind) = input.first() else {
            return Ok(None);
        };
        if !line::is_kind(kind) {
            return Err(line::no_kind(input));
        }
        if kind == b'>' && self.nest.is_open() {
            return Err(line::inner_push());
        }
        if line::is_number(kind) {
            if let Some((number, end)) = quick::number(input, limits) {
                take(input, end);
                return line::number_line(kind, number, limits).map(Some);
            }
        }
        take(input, 1);
        self.token = Token::Line {
            kind,
            text: Vec::new(),
            cr: false,
        };
        self.line(input, limits)
    }

    /// Reads on in the line under way.
    fn line(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Line>> {
        let Token::Line { kind, text, cr } = &mut self.token else {
            return Ok(None);
        };
        let kind = *kind;
        if !*cr {
            let end = line::scan(kind, text.len(), input, limits)?;
            let content = take(input, end.unwrap_or(input.len()));
            *cr = end.is_some();
            take(input, usize::from(*cr));
            if text.is_empty() && *cr && input.first() == Some(&b'\n') {
                take(input, 1);
                self.token = Token::Start;
                return line::read(kind, content, limits).map(Some);
            }
            text.extend_from_slice(content);
        }
        if !*cr || !expect(b'\n', input, |byte| line::stray(kind, byte))? {
            return Ok(None);
        }
        let text = std::mem::take(text);
        self.token = Token::Start;
        line::read(kind, &text, limits).map(Some)
    }

    /// Reads on in the string under way.
    fn body(&mut self, input: &mut &[u8]) -> Result<Option<Value>> {
        let Token::Body {
            kind,
            len,
            read,
            text,
            skipped,
            cr,
        } = &mut self.token
        else {
            return Ok(None);
        };
        let (kind, len) = (*kind, *len);
        if *read < len {
            let more = take(input, input.len().min(len - *read));
            *read += more.len();
            let kept = if *skipped {
                line::checked_bytes(kind).min(len)
            } else {
                len
            };
            let more = &more[..more.len().min(kept - text.len())];
            grow(text, more.len(), kept);
            text.extend_from_slice(more);
            if *read < len {
                return Ok(None);
            }
        }
        let wrong = |byte| line::unterminated(len, byte);
        *cr = *cr || expect(b'\r', input, wrong)?;
        if !*cr || !expect(b'\n', input, wrong)? {
            return Ok(None);
        }
        let text = Bytes::from(std::mem::take(text));
        self.token = Token::Start;
        line::bulk(kind, text).map(Some)
    }

    fn progress(&self) -> Progress {
        let bytes = match &self.token {
            Token::Start => None,
            Token::Line { text, .. } => Some((text.len(), None)),
            Token::Body { len, read, .. } => Some((*read, Some(*len))),
        };
        Progress {
            read: self.read,
            elements: self.nest.progress(),
            bytes,
        }
    }
}

/// Takes `byte` off the front of `input`; `false` when nothing is there yet.
#[inline]
fn expect(byte: u8, input: &mut &[u8], wrong: impl FnOnce(u8) -> Error) -> Result<bool> {
    match input.first() {
        None => Ok(false),
        Some(first) if *first == byte => {
            take(input, 1);
            Ok(true)
        }
        Some(first) => Err(wrong(*first)),
    }
}

/// Makes room in `text` for `more` bytes that are here, of `len` in all: by doubling, so that each
/// is moved a constant number of times, and never beyond `len`, so that in the end none is spare.
fn grow(text: &mut Vec<u8>, more: usize, len: usize) {
    let needed = text.len() + more;
    if needed > text.capacity() {
        let room = needed.max(2 * text.capacity()).min(len);
        text.reserve_exact(room - text.len());
    }
}
