//! Requests: what somebody asked, from the asking to the taking of the answer.
//!
//! ```text
//!            a connection is found           the last reply has come, or the request has failed
//!  Waiting ───────────────────────► Sent ──────────────────────────────────────────────────► Done
//!     │                                                                                        ▲
//!     └────────────────────────────────────────────────────────────────────────────────────────┘
//!            the pool gives up: nothing was written, and the error says so
//! ```
//!
//! One that blocks may be *given up* while it is on its way: then it ends as any other, when it is answered, and
//! what the answer means depends on who gave it up, see `cancel.rs`.
//!
//! A request ends once: it becomes `Done` once, and its slot is freed when the result is taken or when
//! nobody wants it any more. Whoever still holds its [`Ticket`] then holds a stale key.

use super::late::Undo;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::Value;
use crate::time::{Time, nanos};
use crate::token::Key;
use std::time::Duration;

/// What is to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// One reply.
    One,
    /// An array of so many.
    Many(usize),
}

/// Names a request whose reply is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) Key);

/// A reply, and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    value: Value,
    /// How long it took. The highest bit says that it is late.
    nanos: u64,
}

const LATE: u64 = 1 << 63;

impl Reply {
    /// What the server answered.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What the server answered, to keep.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// Whether the answer is nil, as that of a blocking pop whose timeout has passed.
    pub fn is_none(&self) -> bool {
        self.value.is_null()
    }

    /// The answer as a value of the program's own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Convert`] when the answer is of another type.
    pub fn to<T: crate::resp::FromValue>(self) -> Result<T> {
        self.value.convert()
    }

    /// How long it took: from the turn in which the command was put on its connection, to be written at that turn's
    /// end or as soon as there is room, to the turn in which the reply was read.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanos & !LATE)
    }

    /// Whether the answer, which is not nil, came after its wait had been given up: because its deadline had passed, or
    /// the client was closed.
    pub fn is_late(&self) -> bool {
        self.nanos & LATE != 0
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Request {
    /// Who asked, or who waits for the reply.
    pub(crate) task: Key,
    pub(crate) pool: Key,
    /// How its answer is undone; `None` for a command of the shared connection, whose answer takes nothing away that
    /// would be missed.
    pub(crate) undo: Option<Undo>,
    pub(crate) given_up: GivenUp,
    /// Whether nil begins another round of it.
    pub(crate) again: bool,
    /// When it was put on its connection; until then, when it was asked.
    pub(crate) since: Time,
    /// How many milliseconds the reply may take; `FOR_EVER` has no deadline.
    pub(crate) allowance: u32,
    pub(crate) progress: Progress,
}

/// An allowance that is not one.
pub(crate) const FOR_EVER: u32 = u32::MAX;

/// An allowance, rounded up. What is longer than 49 days is for ever.
pub(crate) fn allowance(time: Duration) -> u32 {
    u32::try_from(nanos(time).div_ceil(1_000_000)).unwrap_or(FOR_EVER)
}

/// Who does not want to wait any longer for the answer of a blocking command that is in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum GivenUp {
    #[default]
    No,
    /// The pool, because the server should have answered by now: whatever comes is the answer.
    ByPool,
    /// Who asked, or nobody any more: nil means that the element is where it was.
    ByTask,
    /// Whoever closed the client.
    ByClose,
}

/// Where a request is, and what is known there.
#[derive(Debug)]
pub(crate) enum Progress {
    /// It waits for a connection of its pool, which has its bytes.
    Waiting,
    /// This connection carries it. `end` is where its last byte stands in the connection's stream.
    Sent {
        conn: Key,
        replies: Replies,
        end: u64,
    },
    Done(Result<Reply>),
    /// It was given up, and nothing was popped.
    Cancelled,
}

/// How many replies a request still waits for, and those that have come.
#[derive(Debug)]
pub(crate) enum Replies {
    One,
    Many(Box<Batch>),
}

/// The replies to a pipeline.
#[derive(Debug)]
pub(crate) struct Batch {
    /// How many bytes the pipeline has.
    len: u64,
    left: usize,
    values: Vec<Value>,
}

impl Request {
    /// Whether the last byte had left for the kernel when `written` bytes of the connection's stream had.
    pub(crate) fn was_written(&self, written: u64) -> bool {
        matches!(self.progress, Progress::Sent { end, .. } if end <= written)
    }

    /// Whether the server may have executed some of it then: the commands of a pipeline are executed as they come.
    pub(crate) fn was_begun(&self, written: u64) -> bool {
        match &self.progress {
            Progress::Sent {
                replies: Replies::Many(batch),
                end,
                ..
            } => end - batch.len < written,
            _ => self.was_written(written),
        }
    }

    /// Whether its next reply may come then. Only the last one to a pipeline proves that all of it was sent.
    pub(crate) fn may_be_answered(&self, written: u64) -> bool {
        match &self.progress {
            Progress::Sent {
                replies: Replies::Many(batch),
                ..
            } if batch.left > 1 => self.was_begun(written),
            _ => self.was_written(written),
        }
    }

    /// Its last byte stands there in the connection's stream.
    pub(super) fn ends_at(&mut self, at: u64) {
        if let Progress::Sent { end, .. } = &mut self.progress {
            *end = at;
        }
    }

    /// Another connection carries it.
    pub(super) fn moves_to(&mut self, other: Key) {
        if let Progress::Sent { conn, .. } = &mut self.progress {
            *conn = other;
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.progress, Progress::Done(_) | Progress::Cancelled)
    }

    /// How long the reply may take, if that has a limit.
    pub(crate) fn allowed(&self) -> Duration {
        Duration::from_millis(self.allowance.into())
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        (self.allowance != FOR_EVER).then(|| self.since + self.allowed())
    }

    /// Takes in one reply; true when it was the last one.
    pub(crate) fn answer(&mut self, value: Value, now: Time) -> bool {
        let Progress::Sent { replies, .. } = &mut self.progress else {
            return false;
        };
        let result = match replies {
            Replies::One => value.into_result(),
            Replies::Many(batch) => {
                batch.values.push(value);
                batch.left -= 1;
                if batch.left > 0 {
                    return false;
                }
                Ok(Value::Array(std::mem::take(&mut batch.values)))
            }
        };
        let nanos = now.as_nanos() - self.since.as_nanos();
        let result = result.map(|value| Reply { value, nanos });
        self.progress = match self.given_up {
            GivenUp::No => Progress::Done(result),
            given_up => end_of(given_up, result),
        };
        true
    }

    /// The result of a request that has ended.
    pub(crate) fn into_result(self) -> Option<Result<Reply>> {
        match self.progress {
            Progress::Done(result) => Some(result),
            Progress::Cancelled => Some(Err(Error::new(ErrorKind::Killed, "cancelled"))),
            Progress::Waiting | Progress::Sent { .. } => None,
        }
    }
}

/// What the answer means to a request that was given up.
fn end_of(given_up: GivenUp, result: Result<Reply>) -> Progress {
    match (result, given_up) {
        (Ok(reply), GivenUp::ByTask) if reply.is_none() => Progress::Cancelled,
        (Ok(reply), GivenUp::ByClose) if reply.is_none() => Progress::Done(Err(client_closed())),
        (Ok(mut reply), _) if !reply.is_none() => {
            reply.nanos |= LATE;
            Progress::Done(Ok(reply))
        }
        (result, _) => Progress::Done(result),
    }
}

/// What they get whose client is closed while they wait.
pub(crate) fn client_closed() -> Error {
    Error::new(ErrorKind::Closed, "the client was closed")
}

impl Batch {
    /// How many commands the pipeline has.
    pub(super) fn commands(&self) -> usize {
        self.left + self.values.len()
    }
}

impl Replies {
    /// What is to come back for `len` bytes.
    pub(crate) fn expect(what: Expect, len: u64) -> Replies {
        match what {
            Expect::One => Replies::One,
            Expect::Many(left) => Replies::Many(Box::new(Batch {
                len,
                left,
                values: Vec::with_capacity(left),
            })),
        }
    }
}

const _: () = assert!(size_of::<Request>() <= 80, "each blocked pop has one");
