//! What a connection has sent and the server has not answered, oldest first.
//!
//! A server answers in order. So a reply finds its request by its position in the stream, and by
//! nothing else. A dedicated connection carries one request at a time. The shared and the control
//! connection carry a queue; a pipeline is one entry, with the number of replies that are left.

use super::command::ReplyCount;
use super::outgoing::Outgoing;
use super::request::Ticket;
use super::requeue::Undelivered;
use crate::error::{Error, ErrorKind, printable};
use crate::resp::Value;
use crate::time::Time;
use crate::token::Key;
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug)]
pub(super) enum InFlight {
    /// A dedicated connection.
    One(Option<Outgoing>),
    /// The shared connection, or the control connection.
    Many(Box<Queue>),
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// Entries at the front whose requests have failed, because they were late.
    late: usize,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) pending: Pending,
    /// Where its last byte is in the connection's stream.
    end: u64,
    pub(super) sent_at: Time,
    replies: Replies,
}

/// What a reply is for.
#[derive(Debug)]
pub(super) enum Pending {
    Request(Ticket),
    /// The question that ends the wait of this connection.
    Unblock(Key),
    /// A push that puts an element back.
    Requeue(Box<Undelivered>),
}

#[derive(Debug)]
enum Replies {
    One,
    Many(Box<Batch>),
}

/// The replies to a pipeline.
#[derive(Debug)]
struct Batch {
    /// How many bytes the pipeline has.
    len: u64,
    left: usize,
    values: Vec<Value>,
}

impl Entry {
    pub(super) fn new(
        pending: Pending,
        replies: ReplyCount,
        len: u64,
        end: u64,
        now: Time,
    ) -> Entry {
        let replies = match replies {
            ReplyCount::One => Replies::One,
            ReplyCount::Many(left) => Replies::Many(Box::new(Batch {
                len,
                left,
                values: Vec::with_capacity(left),
            })),
        };
        Entry {
            pending,
            end,
            sent_at: now,
            replies,
        }
    }

    /// True if the server may have executed some of it when `written` bytes of the stream have left:
    /// the commands of a pipeline are executed as they arrive.
    pub(super) fn is_begun(&self, written: u64) -> bool {
        match &self.replies {
            Replies::One => self.end <= written,
            Replies::Many(batch) => self.end - batch.len < written,
        }
    }

    /// True if its next reply may come then. Only the last one to a pipeline proves that all of it
    /// was sent.
    fn may_be_answered(&self, written: u64) -> bool {
        match &self.replies {
            Replies::Many(batch) if batch.left > 1 => self.is_begun(written),
            _ => self.end <= written,
        }
    }

    /// True if some of its replies have come, and not all.
    fn is_partly_answered(&self) -> bool {
        matches!(&self.replies, Replies::Many(batch) if !batch.values.is_empty())
    }
}

/// What a reply does to the queue.
pub(super) enum Popped {
    /// No entry waits for it.
    Unasked(Value),
    /// Its entry has not been sent yet.
    TooEarly(Value),
    /// More replies belong to the entry.
    Partial,
    /// The entry has its last reply.
    Done(Entry, Value),
}

impl Queue {
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// True if the next reply may begin when `written` bytes of the stream have left.
    pub(super) fn may_be_answered(&self, written: u64) -> bool {
        let front = self.entries.front();
        front.is_some_and(|entry| entry.may_be_answered(written))
    }

    /// Removes all entries.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Entry> {
        self.late = 0;
        self.entries.drain(..)
    }

    /// Takes in the next reply, when `written` bytes of the stream have left.
    #[inline]
    pub(super) fn on_reply(&mut self, value: Value, written: u64) -> Popped {
        let Some(front) = self.entries.front_mut() else {
            return Popped::Unasked(value);
        };
        if !front.may_be_answered(written) {
            return Popped::TooEarly(value);
        }
        let value = match &mut front.replies {
            Replies::One => value,
            Replies::Many(batch) => {
                batch.values.push(value);
                batch.left -= 1;
                if batch.left > 0 {
                    return Popped::Partial;
                }
                Value::Array(std::mem::take(&mut batch.values))
            }
        };
        self.late = self.late.saturating_sub(1);
        match self.entries.pop_front() {
            Some(entry) => Popped::Done(entry, value),
            None => Popped::Unasked(value),
        }
    }

    /// When the server has been silent for `timeout`: it has sent nothing since `last_progress`, and
    /// owes a reply.
    pub(super) fn silent_at(&self, last_progress: Time, timeout: Duration) -> Option<Time> {
        let front = self.entries.front()?;
        Some(last_progress.max(front.sent_at) + timeout)
    }

    /// When the oldest request that has not failed yet is late. A request whose reply is arriving is
    /// not.
    pub(super) fn late_at(&self, is_arriving: bool, timeout: Duration) -> Option<Time> {
        if self.late == 0 && is_arriving {
            return None;
        }
        Some(self.entries.get(self.late)?.sent_at + timeout)
    }

    /// The next request that is late. Its reply will be dropped.
    pub(super) fn next_late(
        &mut self,
        is_arriving: bool,
        timeout: Duration,
        now: Time,
    ) -> Option<&Entry> {
        self.late_at(is_arriving, timeout).filter(|at| *at <= now)?;
        self.late += 1;
        self.entries.get(self.late - 1)
    }

    /// True if the server holds a transaction: it has taken in its commands, and not executed it.
    pub(super) fn is_held(&self) -> bool {
        let front = self.entries.front();
        front.is_some_and(|entry| {
            matches!(entry.pending, Pending::Unblock(_)) && entry.is_partly_answered()
        })
    }
}

impl InFlight {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            InFlight::One(slot) => slot.is_none(),
            InFlight::Many(queue) => queue.is_empty(),
        }
    }
}

/// The error of a reply to a command that has not been sent. A server that finds a fault in the
/// bytes before the end of a command says so.
pub(super) fn too_early(value: &Value) -> Error {
    let mut message = "a reply to a command that was not sent".to_owned();
    if let Value::Error(text) = value {
        message.push_str(": ");
        message.push_str(&printable(text));
    }
    Error::new(ErrorKind::Protocol, message)
}

/// The error of a reply for which nothing is in flight. A server that closes a connection may say
/// why.
pub(super) fn unasked(value: &Value) -> Error {
    match value {
        Value::Error(text) => {
            let message = format!("the server ended the connection: {}", printable(text));
            Error::new(ErrorKind::Closed, message)
        }
        _ => Error::new(ErrorKind::Protocol, "a reply that nothing asked for"),
    }
}
