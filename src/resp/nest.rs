//! The aggregates that are open: begun, and not all of their elements read.
//!
//! They form a stack of our own instead of the machine's, so that a peer who nests without end
//! meets a limit and not a crash. The innermost is kept apart from those around it: a flat reply
//! then needs no stack at all, and nothing but its elements is allocated for it.

use super::line::over;
use super::{Limits, Value};
use crate::error::{Error, Result};

/// No value is shorter than a type byte and CR LF: what bounds how many the input can hold.
const VALUE_BYTES_MIN: usize = 3;

/// So many elements a vector makes room for when it gets its first, whether they come or not.
const ROOM_MIN: usize = 4;

/// The open aggregates of one reply.
pub(super) struct Nest {
    innermost: Option<Frame>,
    around: Vec<Frame>,
    /// Elements announced by all aggregates of the reply, closed ones included.
    announced: usize,
    /// Of these, the ones still to come.
    awaited: usize,
    /// How many bytes may be read for the reply: [`Limits::reply_bytes`] without the values that
    /// are `announced`. No limit before an aggregate begins: a single line has its own.
    bytes_max: usize,
}

/// One open aggregate.
struct Frame {
    /// The elements so far; a null if they are skipped: validated, counted, and not stored.
    value: Value,
    /// The key that waits for its value, in a map.
    key: Option<Value>,
    role: Role,
    /// Elements in all, and those still to come. A pair is two.
    total: usize,
    left: usize,
}

/// What becomes of an aggregate when it is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The value is a reply, or a part of one.
    Value,
    /// The value is a push, which is empty if its elements were skipped.
    Push,
    /// The value is dropped.
    Attribute,
}

/// Returns what `announced` values and `bytes` of input count against [`Limits::reply_bytes`].
pub(super) fn cost(announced: usize, bytes: usize) -> usize {
    announced
        .saturating_mul(size_of::<Value>())
        .saturating_add(bytes)
}

/// Returns how many bytes may be read for a reply of `announced` values.
fn bytes_max(announced: usize, limits: &Limits) -> usize {
    limits.reply_bytes.saturating_sub(cost(announced, 0))
}

/// For how many of `count` elements, each of `each` values, room is to be made when `arrived` bytes
/// have come that may be theirs.
pub(super) fn room(count: usize, each: usize, arrived: usize) -> usize {
    count.min(ROOM_MIN.max(arrived / (VALUE_BYTES_MIN * each)))
}

impl Default for Nest {
    fn default() -> Nest {
        Nest {
            innermost: None,
            around: Vec::new(),
            announced: 0,
            awaited: 0,
            bytes_max: usize::MAX,
        }
    }
}

impl Nest {
    /// One open array of `total` elements, of which `items` have been read, and not all.
    pub(super) fn array(items: Vec<Value>, total: usize, limits: &Limits) -> Nest {
        let left = total - items.len();
        let value = Value::Array(items);
        let frame = Frame {
            value,
            key: None,
            role: Role::Value,
            total,
            left,
        };
        Nest {
            innermost: Some(frame),
            around: Vec::new(),
            announced: total,
            awaited: left,
            bytes_max: bytes_max(total, limits),
        }
    }

    /// Whether the outermost aggregate is a push, or an attribute that may belong to one; `None` when none is
    /// open.
    pub(super) fn outermost(&self) -> Option<bool> {
        let frame = self.around.first().or(self.innermost.as_ref())?;
        Some(frame.role != Role::Value)
    }

    /// Returns true inside an aggregate whose elements are validated and not stored.
    #[inline]
    pub(super) fn is_skipping(&self) -> bool {
        self.innermost.as_ref().is_some_and(Frame::is_skipped)
    }

    /// Returns true inside any aggregate.
    pub(super) fn is_open(&self) -> bool {
        self.innermost.is_some()
    }

    /// Fails if `bytes`, read for the reply or announced, are too many by [`Limits::reply_bytes`].
    #[inline]
    pub(super) fn check_bytes(&self, bytes: usize, limits: &Limits) -> Result<()> {
        if bytes > self.bytes_max {
            return Err(self.over_bytes(bytes, limits));
        }
        Ok(())
    }

    /// As [`check_bytes`](Nest::check_bytes), for an announced string, which may be all of the reply.
    pub(super) fn check_string(&self, bytes: usize, limits: &Limits) -> Result<()> {
        if bytes > self.bytes_max.min(limits.reply_bytes) {
            return Err(self.over_bytes(bytes, limits));
        }
        Ok(())
    }

    #[cold]
    fn over_bytes(&self, bytes: usize, limits: &Limits) -> Error {
        let cost = cost(self.announced, bytes);
        over("a reply", cost, limits.reply_bytes, "bytes in memory")
    }

    /// Opens the aggregate of type `kind` with `count` elements, or pairs. Returns it at once when
    /// it is empty. `read` bytes of the reply end with its header; `arrived` bytes lie behind it.
    pub(super) fn open(
        &mut self,
        kind: u8,
        count: usize,
        read: usize,
        arrived: usize,
        limits: &Limits,
    ) -> Result<Option<Value>> {
        let role = match kind {
            b'|' => Role::Attribute,
            b'>' => Role::Push,
            _ => Role::Value,
        };
        let each = if matches!(kind, b'|' | b'%') { 2 } else { 1 };
        let total = count.saturating_mul(each);
        self.admit(total, role, read, limits)?;
        // What is awaited besides this aggregate needs its share of the same bytes.
        let others = self.awaited.saturating_sub(1);
        let arrived = arrived.saturating_sub(others.saturating_mul(VALUE_BYTES_MIN));
        let room = room(count, each, arrived);
        let skipped = role == Role::Push && limits.skip_pushes || self.is_skipping();
        let value = match kind {
            _ if skipped => Value::Null,
            b'*' => Value::Array(Vec::with_capacity(room)),
            b'~' => Value::Set(Vec::with_capacity(room)),
            b'>' => Value::Push(Vec::with_capacity(room)),
            b'%' => Value::Map(Vec::with_capacity(room)),
            _ => Value::Null,
        };
        let frame = Frame {
            value,
            key: None,
            role,
            total,
            left: total,
        };
        if total == 0 {
            return Ok(frame.close());
        }
        self.awaited += total;
        self.around.extend(self.innermost.replace(frame));
        Ok(None)
    }

    /// Puts a complete value where it belongs, and closes what it completes. Returns the reply
    /// when nothing is open any more.
    pub(super) fn settle(&mut self, mut value: Value) -> Option<Value> {
        loop {
            let Some(frame) = &mut self.innermost else {
                return Some(value);
            };
            frame.push(value);
            self.awaited -= 1;
            if frame.left > 0 {
                return None;
            }
            let closed = std::mem::replace(&mut self.innermost, self.around.pop())?;
            value = closed.close()?;
        }
    }

    /// How many elements of the outermost open aggregate have been read, and how many it has.
    pub(super) fn progress(&self) -> Option<(usize, usize)> {
        let outermost = self.around.first().or(self.innermost.as_ref())?;
        Some((outermost.total - outermost.left, outermost.total))
    }

    fn admit(&mut self, total: usize, role: Role, read: usize, limits: &Limits) -> Result<()> {
        let (elements, levels) = (limits.elements, limits.depth);
        self.announced = self.announced.saturating_add(total);
        // Nobody announced the attribute itself, and empty ones could go on for ever.
        let itself = usize::from(role == Role::Attribute);
        self.announced = self.announced.saturating_add(itself);
        if self.announced > elements {
            return Err(over("a reply", self.announced, elements, "elements"));
        }
        let depth = self.depth() + 1;
        if depth > levels {
            return Err(over("a reply", depth, levels, "levels"));
        }
        if self.announced == 0 {
            return Ok(());
        }
        self.bytes_max = bytes_max(self.announced, limits);
        if cost(self.announced, read) > limits.reply_bytes {
            return Err(self.over_bytes(read, limits));
        }
        Ok(())
    }

    fn depth(&self) -> usize {
        self.around.len() + usize::from(self.innermost.is_some())
    }

    /// Bytes of elements that there is room for, used or not.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        let frames = self.around.iter().chain(&self.innermost);
        let items = frames.map(|frame| match &frame.value {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => items.capacity(),
            Value::Map(pairs) => 2 * pairs.capacity(),
            _ => 0,
        });
        items.sum::<usize>() * size_of::<Value>() + self.around.capacity() * size_of::<Frame>()
    }
}

impl Frame {
    fn is_skipped(&self) -> bool {
        self.value.is_null()
    }

    /// Returns the complete aggregate, or `None` for an attribute.
    fn close(self) -> Option<Value> {
        match self.role {
            Role::Attribute => None,
            Role::Push if self.is_skipped() => Some(Value::Push(Vec::new())),
            _ => Some(self.value),
        }
    }

    fn push(&mut self, value: Value) {
        self.left -= 1;
        match &mut self.value {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => items.push(value),
            Value::Map(pairs) => match self.key.take() {
                Some(key) => pairs.push((key, value)),
                None => self.key = Some(value),
            },
            _ => {}
        }
    }
}
