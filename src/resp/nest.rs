//! The aggregates that are open: begun, and not all of their elements read.
//!
//! They form a stack of our own instead of the machine's, so that a peer who nests without end
//! meets a limit and not a crash. The innermost is kept apart from those around it: a flat reply
//! then needs no stack at all, and nothing but its elements is allocated for it.

use super::line::over;
use super::{Limits, Value};
use crate::error::Result;

/// No value is shorter than a type byte and CR LF: what bounds how many the input can hold.
const VALUE_BYTES_MIN: usize = 3;

/// So many elements a vector makes room for when it gets its first, whether they come or not.
const ROOM_MIN: usize = 4;

/// The open aggregates of one reply.
#[derive(Default)]
pub(super) struct Nest {
    innermost: Option<Frame>,
    around: Vec<Frame>,
    /// Elements announced by all aggregates of the reply, closed ones included.
    announced: usize,
    /// Of these, the ones still to come.
    awaited: usize,
}

/// One open aggregate: the value that it will be, as far as it has come.
struct Frame {
    value: Value,
    /// The key that waits for its value, in a map.
    key: Option<Value>,
    /// Read, and then forgotten.
    attribute: bool,
    /// Elements in all, and those still to come. A pair is two.
    total: usize,
    left: usize,
}

/// For how many of `count` elements, each of `each` values, room is to be made when `arrived` bytes
/// have come that may be theirs.
pub(super) fn room(count: usize, each: usize, arrived: usize) -> usize {
    count.min(ROOM_MIN.max(arrived / (VALUE_BYTES_MIN * each)))
}

impl Nest {
    /// One open array of `total` elements, of which `items` have been read, and not all.
    pub(super) fn array(items: Vec<Value>, total: usize) -> Nest {
        let left = total - items.len();
        let value = Value::Array(items);
        let frame = Frame {
            value,
            key: None,
            attribute: false,
            total,
            left,
        };
        Nest {
            innermost: Some(frame),
            around: Vec::new(),
            announced: total,
            awaited: left,
        }
    }

    /// Whether the outermost aggregate is a push, or an attribute that may belong to one; `None` when none is
    /// open.
    pub(super) fn outermost(&self) -> Option<bool> {
        let frame = self.around.first().or(self.innermost.as_ref())?;
        Some(frame.attribute || matches!(frame.value, Value::Push(_)))
    }

    /// Returns true inside any aggregate.
    pub(super) fn is_open(&self) -> bool {
        self.innermost.is_some()
    }

    /// Opens the aggregate of type `kind` with `count` elements, or pairs. Returns it at once when
    /// it is empty. `arrived` bytes lie behind its header.
    pub(super) fn open(
        &mut self,
        kind: u8,
        count: usize,
        arrived: usize,
        limits: &Limits,
    ) -> Result<Option<Value>> {
        let attribute = kind == b'|';
        let each = if matches!(kind, b'|' | b'%') { 2 } else { 1 };
        let total = count.saturating_mul(each);
        self.admit(total, attribute, limits)?;
        // What is awaited besides this aggregate needs its share of the same bytes.
        let others = self.awaited.saturating_sub(1);
        let arrived = arrived.saturating_sub(others.saturating_mul(VALUE_BYTES_MIN));
        let room = room(count, each, arrived);
        let value = match kind {
            b'*' => Value::Array(Vec::with_capacity(room)),
            b'~' => Value::Set(Vec::with_capacity(room)),
            b'>' => Value::Push(Vec::with_capacity(room)),
            b'%' => Value::Map(Vec::with_capacity(room)),
            _ => Value::Null,
        };
        if total == 0 {
            return Ok((!attribute).then_some(value));
        }
        self.awaited += total;
        let frame = Frame {
            value,
            key: None,
            attribute,
            total,
            left: total,
        };
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
            if closed.attribute {
                return None;
            }
            value = closed.value;
        }
    }

    /// How many elements of the outermost open aggregate have been read, and how many it has.
    pub(super) fn progress(&self) -> Option<(usize, usize)> {
        let outermost = self.around.first().or(self.innermost.as_ref())?;
        Some((outermost.total - outermost.left, outermost.total))
    }

    fn admit(&mut self, total: usize, attribute: bool, limits: &Limits) -> Result<()> {
        let (elements, levels) = (limits.elements, limits.depth);
        self.announced = self.announced.saturating_add(total);
        // Nobody announced the attribute itself, and empty ones could go on for ever.
        self.announced = self.announced.saturating_add(attribute.into());
        if self.announced > elements {
            return Err(over("a reply", self.announced, elements, "elements"));
        }
        let depth = self.depth() + 1;
        if depth > levels {
            return Err(over("a reply", depth, levels, "levels"));
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
