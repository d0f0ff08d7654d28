//! Requests: which task waits for what, and what has come.
//!
//! ```text
//!          a connection is found              the last reply has come, or the request has failed
//!  Queued ───────────────────────► InFlight ─────────────────────────────────────────────────► Done
//!    │  ▲                             │                                                         ▲
//!    │  └─────────────────────────────┘                                                         │
//!    │      the server says that it has not executed it, and it repeats                         │
//!    └──────────────────────────────────────────────────────────────────────────────────────────┘
//!           no connection was found in time: nothing was written, and the error says so
//! ```
//!
//! This table is thin: what a request sends, and how long its answer may take, is in its
//! [`Outgoing`](super::outgoing::Outgoing), which moves from a queue to a connection. A request ends
//! once, and its row is freed when the result is taken or when no task wants it any more. A
//! [`Ticket`] that was kept is stale from then on.

use super::cancel::CancelCause;
use super::requeue::{Requeue, Undelivered};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::Value;
use crate::time::Time;
use crate::token::{Key, Slots};
use std::time::Duration;

/// Names a request whose reply is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) Key);

/// A reply, and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    value: Value,
    /// Nanoseconds. The highest bit says that the wait had been cancelled.
    nanos: u64,
}

const LATE: u64 = 1 << 63;

impl Reply {
    /// The server's answer.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The server's answer, to keep.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// True if the answer is nil, as that of a blocking pop whose timeout has passed.
    pub fn is_none(&self) -> bool {
        self.value.is_null()
    }

    /// Converts the answer to a value of the program's own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Convert`] when the answer is of another type.
    pub fn to<T: crate::resp::FromValue>(self) -> Result<T> {
        self.value.convert()
    }

    /// How long it took: from the turn in which the command was put on its connection, to be
    /// written at that turn's end or as soon as there is room, to the turn in which the reply was
    /// read.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanos & !LATE)
    }

    /// True if the answer, which is not nil, came after its wait had been cancelled: because its
    /// deadline had passed, or the client was closed.
    pub fn is_late(&self) -> bool {
        self.nanos & LATE != 0
    }
}

/// How a request has ended.
#[derive(Debug)]
pub(crate) enum Completion {
    /// With a reply or an error.
    Reply(Result<Reply>),
    /// It was cancelled, and nothing was popped.
    Cancelled,
}

#[derive(Debug)]
pub(super) struct Request {
    /// The task that waits for the reply, if one does.
    pub(super) waiter: Option<Key>,
    pub(super) client: Key,
    /// How its element goes back; `None` for a command of the shared connection.
    pub(super) requeue: Option<Requeue>,
    pub(super) cancel: Option<CancelCause>,
    pub(super) place: Place,
}

/// Where a request is.
#[derive(Debug)]
pub(super) enum Place {
    /// In a queue of its client.
    Queued,
    /// On this connection.
    InFlight(Key),
    Done(Result<Reply>),
    Cancelled,
}

const _: () = assert!(size_of::<Request>() <= 72, "each blocked pop has one");

/// What a reply turned out to be, for the client's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// A task has it.
    Delivered,
    /// The request was cancelled, and nothing was popped.
    Cancelled,
    /// The request was cancelled, and an element came all the same.
    Undelivered,
    /// No task wants it.
    Dropped,
}

/// All requests of a hub.
#[derive(Debug)]
pub(super) struct Requests {
    table: Slots<Request>,
    /// Requests that have not ended.
    pending: usize,
    /// Requests that have ended since the last look, with the tasks that wait for them.
    pub(super) completed: Vec<(Key, Ticket)>,
    /// Elements that no task claims.
    pub(super) undelivered: Vec<Undelivered>,
}

impl Requests {
    pub(super) fn new() -> Requests {
        Requests {
            table: Slots::roomy(),
            pending: 0,
            completed: Vec::new(),
            undelivered: Vec::new(),
        }
    }

    /// Requests that have not ended.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    pub(super) fn insert(&mut self, request: Request) -> Ticket {
        self.pending += 1;
        Ticket(self.table.insert(request))
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&Request> {
        self.table.get(ticket.0)
    }

    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Request> {
        self.table.get_mut(ticket.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Ticket, &Request)> {
        self.table
            .iter()
            .map(|(key, request)| (Ticket(key), request))
    }

    /// True if a request waits to be sent or to be answered.
    #[inline]
    pub(super) fn is_live(&self, ticket: Ticket) -> bool {
        self.get(ticket).is_some_and(|request| !request.is_done())
    }

    /// Records that a connection carries a request now.
    #[inline]
    pub(super) fn set_place(&mut self, ticket: Ticket, place: Place) {
        if let Some(request) = self.table.get_mut(ticket.0) {
            request.place = place;
        }
    }

    /// The result of a request that has ended. Its ticket is stale from now on.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Completion> {
        if self.is_live(ticket) {
            return None;
        }
        match self.table.remove(ticket.0)?.place {
            Place::Done(result) => Some(Completion::Reply(result)),
            _ => Some(Completion::Cancelled),
        }
    }

    /// Ends a request with the server's answer, which took since `since`.
    #[inline]
    pub(super) fn complete(
        &mut self,
        ticket: Ticket,
        value: Value,
        since: Time,
        now: Time,
    ) -> Counted {
        let Some(request) = self.table.get_mut(ticket.0).filter(|it| !it.is_done()) else {
            return Counted::Dropped;
        };
        let nanos = now.as_nanos() - since.as_nanos();
        let result = value.into_result().map(|value| Reply { value, nanos });
        let counted = match request.cancel {
            None => {
                request.place = Place::Done(result);
                Counted::Delivered
            }
            Some(cause) => {
                let (place, counted) = after_cancel(cause, result);
                request.place = place;
                counted
            }
        };
        self.end(ticket);
        counted
    }

    /// Ends a request with an error.
    pub(super) fn fail(&mut self, ticket: Ticket, error: Error) {
        if let Some(request) = self.table.get_mut(ticket.0).filter(|it| !it.is_done()) {
            request.place = Place::Done(Err(error));
            self.end(ticket);
        }
    }

    /// Ends a request that was not sent. Its task is not told.
    pub(super) fn withdraw(&mut self, ticket: Ticket) {
        if let Some(request) = self.table.get_mut(ticket.0).filter(|it| !it.is_done()) {
            request.place = Place::Cancelled;
            self.pending -= 1;
        }
    }

    /// Tells the task of a request that was [withdrawn](Requests::withdraw) all the same.
    pub(super) fn fail_withdrawn(&mut self, ticket: Ticket, error: Error) {
        if let Some(request) = self.table.get_mut(ticket.0) {
            request.place = Place::Done(Err(error));
            match request.waiter {
                Some(task) => self.completed.push((task, ticket)),
                None => drop(self.table.remove(ticket.0)),
            }
        }
    }

    /// Ends a cancelled request of which it is known that nothing was executed.
    pub(super) fn end_cancelled(&mut self, ticket: Ticket) {
        if let Some(request) = self.table.get_mut(ticket.0).filter(|it| !it.is_done()) {
            request.place = Place::Cancelled;
            self.end(ticket);
        }
    }

    /// Counts a request that has ended, and tells its task; without one, its row is freed.
    #[inline]
    fn end(&mut self, ticket: Ticket) {
        self.pending -= 1;
        match self.get(ticket).and_then(|request| request.waiter) {
            Some(task) => self.completed.push((task, ticket)),
            None => {
                self.discard(ticket);
            }
        }
    }

    /// Frees the row of a request that no task waits for. An element that it has brought is
    /// undelivered. Returns true if that was not counted when it came.
    pub(super) fn discard(&mut self, ticket: Ticket) -> bool {
        let Some(request) = self.table.remove(ticket.0) else {
            return false;
        };
        self.pending -= usize::from(!request.is_done());
        let Place::Done(Ok(reply)) = request.place else {
            return false;
        };
        let Some(requeue) = request.requeue.filter(|_| !reply.is_none()) else {
            return false;
        };
        let is_uncounted = !reply.is_late();
        self.undelivered.push(Undelivered {
            client: request.client,
            requeue,
            reply: reply.into_value(),
        });
        is_uncounted
    }
}

impl Request {
    pub(super) fn is_done(&self) -> bool {
        matches!(self.place, Place::Done(_) | Place::Cancelled)
    }
}

/// The end of a cancelled request.
fn after_cancel(cause: CancelCause, result: Result<Reply>) -> (Place, Counted) {
    match (result, cause) {
        (Ok(reply), CancelCause::Task) if reply.is_none() => (Place::Cancelled, Counted::Cancelled),
        (Ok(reply), CancelCause::Close) if reply.is_none() => {
            (Place::Done(Err(client_closed())), Counted::Cancelled)
        }
        (Ok(reply), CancelCause::Overdue) if reply.is_none() => {
            (Place::Done(Ok(reply)), Counted::Cancelled)
        }
        (Ok(mut reply), _) => {
            reply.nanos |= LATE;
            (Place::Done(Ok(reply)), Counted::Undelivered)
        }
        (Err(error), _) => (Place::Done(Err(error)), Counted::Delivered),
    }
}

/// The error of requests whose client is closed while they wait.
pub(super) fn client_closed() -> Error {
    Error::new(ErrorKind::Closed, "the client was closed")
}
