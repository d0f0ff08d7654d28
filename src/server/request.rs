//! Requests: bytes to commands, as Redis 7.0 reads them.
//!
//! A command has two spellings, and its first byte says which. Programs send an *array*: `*` and
//! how many arguments there are, then for each of them `$`, its length, and its bytes. People type
//! an *inline* command, a line of words (`inline.rs`). With `.` for CR LF:
//!
//! ```text
//! *2.$4.LLEN.$4.jobs.
//! LLEN jobs.
//! ```
//!
//! **Nothing is copied.** The arguments of an array are *spans*, places in the bytes that were
//! read, and whoever executes the command looks there. Only the words of an inline command are
//! written down, since quotes and escapes make them differ from what came.
//!
//! **"Not yet" is a value.** [`Parser::parse`] gets all that has come of one command, and when that
//! is not enough, the same bytes again with more behind them. It goes on where it was: a line is
//! searched for its end from where the last search stopped, and an argument whose length is known
//! is not looked at at all. The number in a line is read when the line is complete.
//!
//! **As lenient as Redis.** Clients have grown used to it, so this is not the decoder of
//! [`resp`](crate::resp), which refuses all that bends the rules:
//!
//! - Of a line of an array only the CR is looked for. The byte behind it is skipped unseen, and so
//!   are the two bytes behind an argument.
//! - A line is judged when it is complete, even if its first byte was wrong already.
//! - A line may have any length if its end is there. It is given up when more than 64 KiB have come
//!   and no end among them.
//! - Numbers are strict: no `+`, no blanks, no zero in front, no `-0`. A count of arguments below 1
//!   asks for nothing.
//!
//! In one thing it differs. Redis looks for the end of a line with a function that stops at a NUL,
//! and so waits for ever behind one; here a NUL is a byte like any other.
//!
//! **Where memory goes.** Announced counts and lengths reserve nothing. A span, 16 bytes, is pushed
//! when its argument has come, for which a peer has sent at least 6 bytes (2 in an inline command).

use super::inline;
use super::numbers::int;
use super::refusal::Refusal;
use std::ops::Index;

/// A line is given up when more than so many bytes have come and its end is not among them.
const LINE_BYTES: usize = 64 << 10;
/// More arguments than this cannot be announced.
const ARGS_MAX: i64 = i32::MAX as i64;
/// What a client may send before it has signed in: arguments, and bytes of each. Enough for `AUTH`
/// and `HELLO`, and little to hold for strangers.
const STRANGER_ARGS: i64 = 10;
const STRANGER_BULK_BYTES: usize = 16 << 10;
/// What a parser keeps for the next command. A connection that sends one large command and then
/// nothing for hours should not hold the room for it.
const KEPT_SPANS: usize = 64;
const KEPT_TEXT_BYTES: usize = 1 << 10;

const ENDLESS_COUNT: Refusal = Refusal::err("Protocol error: too big mbulk count string");
const ENDLESS_LENGTH: Refusal = Refusal::err("Protocol error: too big bulk count string");
const ENDLESS_INLINE: Refusal = Refusal::err("Protocol error: too big inline request");
const BAD_COUNT: Refusal = Refusal::err("Protocol error: invalid multibulk length");
const BAD_LENGTH: Refusal = Refusal::err("Protocol error: invalid bulk length");
const STRANGER_COUNT: Refusal = Refusal::err("Protocol error: unauthenticated multibulk length");
const STRANGER_LENGTH: Refusal = Refusal::err("Protocol error: unauthenticated bulk length");
const UNBALANCED: Refusal = Refusal::err("Protocol error: unbalanced quotes in request");

/// What a peer may demand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The length of one argument of an array, in bytes (`proto-max-bulk-len`).
    pub(super) bulk_bytes: usize,
    /// Whether the client has signed in, or need not. If not, an array may have 10 arguments of
    /// 16 KiB each.
    pub(super) signed_in: bool,
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A whole command, with at least one argument.
    Command,
    /// Something that asks for nothing, such as an empty line: to be skipped.
    Nothing,
    /// The beginning of a command. More bytes are needed.
    More,
}

/// Where reading stands within one command. A new one has allocated nothing.
#[derive(Debug, Default)]
pub(super) struct Parser {
    form: Form,
    /// How many arguments of an array are still to come.
    left: i64,
    /// Where the line or the argument under way begins; in the end, how much the command occupies.
    at: usize,
    /// How far the line under way was searched for its end.
    seen: usize,
    /// The length of the argument under way; `None` while its line is not complete.
    bulk: Option<usize>,
    /// The arguments: where they are in the bytes, or, of an inline command, in `text`.
    spans: Vec<Span>,
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// No byte has come.
    #[default]
    Unknown,
    Array,
    Inline,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
}

impl Parser {
    /// Reads on in `bytes`, which begin where the command begins and hold all that has come since.
    ///
    /// Once a command is complete, all further calls say so again, until [`reset`](Parser::reset).
    ///
    /// # Errors
    ///
    /// The bytes are no command, or demand more than `limits` allow. What follows them means nothing.
    pub(super) fn parse(&mut self, bytes: &[u8], limits: &Limits) -> Result<Parsed, Refusal> {
        if self.form == Form::Unknown {
            self.form = match bytes.first() {
                None => return Ok(Parsed::More),
                Some(b'*') => Form::Array,
                Some(_) => Form::Inline,
            };
        }
        let complete = match self.form {
            Form::Inline => self.inline(bytes)?,
            _ => self.array(bytes, limits)?,
        };
        Ok(match complete {
            false => Parsed::More,
            true if self.spans.is_empty() => Parsed::Nothing,
            true => Parsed::Command,
        })
    }

    /// How many bytes the command occupies, when it is complete.
    pub(super) fn consumed(&self) -> usize {
        self.at
    }

    /// The arguments of the command, when it is complete, in the `bytes` that it was read from.
    pub(super) fn args<'a>(&'a self, bytes: &'a [u8]) -> Args<'a> {
        let bytes = match self.form {
            Form::Inline => &self.text,
            _ => bytes,
        };
        Args {
            bytes,
            spans: &self.spans,
        }
    }

    /// Makes ready for the next command, and keeps what was allocated unless that is much.
    pub(super) fn reset(&mut self) {
        self.spans.clear();
        if self.spans.capacity() > KEPT_SPANS {
            self.spans = Vec::new();
        }
        self.text.clear();
        if self.text.capacity() > KEPT_TEXT_BYTES {
            self.text = Vec::new();
        }
        self.form = Form::Unknown;
        (self.left, self.at, self.seen, self.bulk) = (0, 0, 0, None);
    }

    /// Reads on in an array; `true` when it is complete.
    fn array(&mut self, bytes: &[u8], limits: &Limits) -> Result<bool, Refusal> {
        // The line with the count is the one that begins at 0.
        if self.at == 0 && !self.count(bytes, limits)? {
            return Ok(false);
        }
        while self.left > 0 {
            if self.bulk.is_none() {
                self.bulk = self.length(bytes, limits)?;
            }
            let Some(len) = self.bulk else {
                return Ok(false);
            };
            // Two more cannot be too many: the length was read as an `i64`.
            if bytes.len().saturating_sub(self.at) < len + 2 {
                return Ok(false);
            }
            let end = self.at + len;
            self.spans.push(Span {
                start: self.at,
                end,
            });
            self.bulk = None;
            self.left -= 1;
            self.begin_line(end + 2);
        }
        Ok(true)
    }

    /// Reads the line that says how many arguments there are; `false` while it is not complete.
    fn count(&mut self, bytes: &[u8], limits: &Limits) -> Result<bool, Refusal> {
        let (count, width) = match self.quick(b'*', bytes) {
            Some((count, width)) => (Some(count), width),
            None => match self.line(bytes, ENDLESS_COUNT)? {
                None => return Ok(false),
                Some(line) => (line.get(1..).and_then(int), line.len() + 2),
            },
        };
        let count = count.filter(|count| *count <= ARGS_MAX);
        let count = count.ok_or(BAD_COUNT)?;
        if count > STRANGER_ARGS && !limits.signed_in {
            return Err(STRANGER_COUNT);
        }
        self.left = count;
        self.begin_line(width);
        Ok(true)
    }

    /// Reads the line that says how long an argument is; `None` while it is not complete.
    fn length(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        let (len, width) = match self.quick(b'$', bytes) {
            Some((len, width)) => (Some(len), width),
            None => match self.line(bytes, ENDLESS_LENGTH)? {
                None => return Ok(None),
                Some(line @ [b'$', ..]) => (line.get(1..).and_then(int), line.len() + 2),
                // In an empty line, the CR that ends it is what stands in the place of the `$`.
                Some(line) => return Err(unexpected(line.first().copied().unwrap_or(b'\r'))),
            },
        };
        let len = len.and_then(|len| usize::try_from(len).ok());
        let len = len.filter(|len| *len <= limits.bulk_bytes);
        let len = len.ok_or(BAD_LENGTH)?;
        if len > STRANGER_BULK_BYTES && !limits.signed_in {
            return Err(STRANGER_LENGTH);
        }
        self.at += width;
        Ok(Some(len))
    }

    /// Reads an inline command; `false` while its line is not complete.
    fn inline(&mut self, bytes: &[u8]) -> Result<bool, Refusal> {
        if self.at > 0 {
            return Ok(true);
        }
        if !self.search(b'\n', bytes, ENDLESS_INLINE)? {
            return Ok(false);
        }
        let mut line = &bytes[..self.seen];
        let mut start = 0;
        while inline::word(&mut line, &mut self.text).map_err(|_| UNBALANCED)? {
            let end = self.text.len();
            self.spans.push(Span { start, end });
            start = end;
        }
        self.at = self.seen + 1;
        Ok(true)
    }

    fn begin_line(&mut self, at: usize) {
        (self.at, self.seen) = (at, at);
    }

    /// The number of one digit or two in the line under way, and how many bytes the line occupies.
    /// Nearly all lines are so short, and come whole. All others are for [`line`](Parser::line),
    /// and so is one that came in pieces, so that a peer who dribbles is not looked at anew each time.
    #[inline]
    fn quick(&self, kind: u8, bytes: &[u8]) -> Option<(i64, usize)> {
        if self.seen > self.at {
            return None;
        }
        let line = bytes.get(self.at..)?;
        #[cfg(test)]
        tests::count_scanned(if line.len() < 4 { 0 } else { 4 });
        match *line {
            [first, one @ b'0'..=b'9', b'\r', _, ..] if first == kind => {
                Some((i64::from(one - b'0'), 4))
            }
            [first, ten @ b'1'..=b'9', one @ b'0'..=b'9', b'\r', _, ..] if first == kind => {
                Some((i64::from(ten - b'0') * 10 + i64::from(one - b'0'), 5))
            }
            _ => None,
        }
    }

    /// The line of an array that is under way, without its CR and the byte behind it, or `None`
    /// while it is not complete.
    #[inline(never)]
    fn line<'a>(&mut self, bytes: &'a [u8], endless: Refusal) -> Result<Option<&'a [u8]>, Refusal> {
        if !self.search(b'\r', bytes, endless)? || self.seen + 2 > bytes.len() {
            return Ok(None);
        }
        Ok(bytes.get(self.at..self.seen))
    }

    /// Searches on for the byte that ends the line under way, and stops in front of it.
    fn search(&mut self, end: u8, bytes: &[u8], endless: Refusal) -> Result<bool, Refusal> {
        let rest = bytes.get(self.seen..).unwrap_or_default();
        let found = rest.iter().position(|byte| *byte == end);
        let looked = found.unwrap_or(rest.len());
        #[cfg(test)]
        tests::count_scanned(looked);
        self.seen += looked;
        if found.is_none() && self.seen - self.at > LINE_BYTES {
            return Err(endless);
        }
        Ok(found.is_some())
    }
}

/// The refusal of a line that was to begin with `$`. A line end would end the reply, so it becomes
/// a space.
#[cold]
fn unexpected(byte: u8) -> Refusal {
    let shown = match byte {
        b'\r' | b'\n' => b' ',
        other => other,
    };
    Refusal::about("Protocol error: expected '$', got '{}'", &[shown])
}

/// The arguments of one command, its name first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// How many there are, the name included.
    pub(super) fn len(self) -> usize {
        self.spans.len()
    }

    pub(super) fn get(self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| self.slice(*span))
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        self.spans.iter().map(move |span| self.slice(*span))
    }

    /// A copy that needs the read bytes no longer: for commands that wait for `EXEC`.
    pub(super) fn to_owned(self) -> OwnedArgs {
        let total = self.iter().map(<[u8]>::len).sum();
        let mut bytes = Vec::with_capacity(total);
        let mut spans = Vec::with_capacity(self.len());
        for arg in self.iter() {
            let start = bytes.len();
            bytes.extend_from_slice(arg);
            let end = bytes.len();
            spans.push(Span { start, end });
        }
        OwnedArgs {
            bytes: bytes.into_boxed_slice(),
            spans: spans.into_boxed_slice(),
        }
    }

    fn slice(self, span: Span) -> &'a [u8] {
        &self.bytes[span.start..span.end]
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    /// For those who have checked how many arguments there are.
    fn index(&self, index: usize) -> &[u8] {
        self.slice(self.spans[index])
    }
}

/// The arguments of one command, kept: one allocation for their bytes, one for their places.
#[derive(Debug)]
pub(super) struct OwnedArgs {
    bytes: Box<[u8]>,
    spans: Box<[Span]>,
}

impl OwnedArgs {
    pub(super) fn args(&self) -> Args<'_> {
        Args {
            bytes: &self.bytes,
            spans: &self.spans,
        }
    }

    /// The lengths of all arguments together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests;
