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
//! A request ends once: it becomes `Done` once, and its slot is freed when the result is taken or when
//! nobody wants it any more. Whoever still holds its [`Ticket`] then holds a stale key.

use super::clients::Expect;
use crate::error::Result;
use crate::resp::Value;
use crate::time::Time;
use crate::token::Key;
use std::time::Duration;

/// Names a request whose reply is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) Key);

/// A reply, and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    value: Value,
    elapsed: Duration,
}

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
    /// [`ErrorKind::Convert`](crate::ErrorKind::Convert) when the answer is of another type.
    pub fn to<T: crate::resp::FromValue>(self) -> Result<T> {
        self.value.convert()
    }

    /// How long the server took: from the turn in which the command was written to the turn in which the
    /// reply was read.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Request {
    /// Who asked, or who waits for the reply.
    pub(crate) task: Key,
    pub(crate) progress: Progress,
    pub(crate) place: Place,
    /// When it was put on its connection; until then, when it was asked.
    pub(crate) since: Time,
    /// Where its last byte stands in the stream of its connection.
    pub(crate) end: u64,
    /// How long the reply may take in nanoseconds; `FOR_EVER` has no deadline.
    pub(crate) allowance: u64,
}

/// An allowance that is not one.
pub(crate) const FOR_EVER: u64 = u64::MAX;

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It waits for a connection of this pool.
    Pool(Key),
    /// This connection carries it.
    Conn(Key),
}

#[derive(Debug)]
pub(crate) enum Progress {
    /// Its bytes stand in the pool.
    Waiting,
    Sent(Replies),
    /// The result, and how many nanoseconds it took.
    Done(Result<Value>, u64),
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
    left: usize,
    values: Vec<Value>,
}

impl Request {
    /// Whether the last byte had left for the kernel when `written` bytes of the connection's stream had.
    pub(crate) fn was_written(&self, written: u64) -> bool {
        matches!(self.progress, Progress::Sent(_)) && self.end <= written
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let after = Duration::from_nanos(self.allowance);
        (self.allowance != FOR_EVER).then(|| self.since + after)
    }

    /// Takes in one reply; true when it was the last one.
    pub(crate) fn answer(&mut self, value: Value, now: Time) -> bool {
        let Progress::Sent(replies) = &mut self.progress else {
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
        let elapsed = now.as_nanos() - self.since.as_nanos();
        self.progress = Progress::Done(result, elapsed);
        true
    }

    /// The result of a request that has ended. It can be taken once.
    pub(crate) fn take_result(&mut self) -> Option<Result<Reply>> {
        let Progress::Done(..) = self.progress else {
            return None;
        };
        match std::mem::replace(&mut self.progress, Progress::Waiting) {
            Progress::Done(result, elapsed) => {
                let elapsed = Duration::from_nanos(elapsed);
                Some(result.map(|value| Reply { value, elapsed }))
            }
            _ => None,
        }
    }
}

impl Replies {
    pub(crate) fn expect(what: Expect) -> Replies {
        match what {
            Expect::One => Replies::One,
            Expect::Many(left) => Replies::Many(Box::new(Batch {
                left,
                values: Vec::new(),
            })),
        }
    }
}
