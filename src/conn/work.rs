//! Requests, and the lists of what is to be done next.
//!
//! These are apart from pools and connections so that a function can hold one of each, and still put
//! something on a list, without looking any of them up again.

use super::command::COMMAND_BYTES;
use super::connection::Conn;
use super::events::{CommandName, ConnId, Log, Seen};
use super::pool::Pool;
use super::request::{Expect, GivenUp, Progress, Replies, Request, Ticket};
use super::round::Rounds;
use crate::driver::Socket;
use crate::error::{Error, ErrorKind};
use crate::resp::Value;
use crate::time::Time;
use crate::timers::Timers;
use crate::token::{Key, Owner, ROOM, Slots};
use std::collections::VecDeque;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Work {
    pub(super) requests: Slots<Request>,
    /// How many requests have not ended.
    pub(super) pending: usize,
    /// Requests that have ended and were not fetched yet, and who asked.
    pub(super) done: Vec<(Key, Ticket)>,
    /// Pools that may want to dial.
    pub(super) hungry: VecDeque<Key>,
    /// Connections that have something to write.
    pub(super) dirty: VecDeque<Key>,
    /// Sockets to be closed.
    pub(super) closing: Vec<Socket>,
    /// Buffers for commands, used again and again.
    spare: Vec<Vec<u8>>,
    /// What happened, for who watches.
    pub(super) log: Log,
}

/// What became of a reply.
pub(super) enum Answer {
    /// A request has it.
    Taken,
    /// A request has it that was given up: it is nil, or not.
    Cancelled,
    Late,
    /// Nobody wants it any more.
    Unwanted,
    /// It answers what was not sent: both sides no longer agree.
    TooEarly(Error),
}

/// So many buffers are kept, of up to so many bytes each.
const SPARE_BUFFERS_MAX: usize = 128;
const SPARE_BYTES_MAX: usize = 16 * 1024;

impl Work {
    pub(super) fn new() -> Work {
        Work {
            requests: Slots::roomy(),
            pending: 0,
            done: Vec::new(),
            hungry: VecDeque::new(),
            dirty: VecDeque::with_capacity(ROOM),
            closing: Vec::new(),
            spare: Vec::new(),
            log: Log::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.dirty.is_empty()
            && self.hungry.is_empty()
            && self.closing.is_empty()
            && self.done.is_empty()
    }

    pub(super) fn mark_dirty(&mut self, key: Key, conn: &mut Conn) {
        if !conn.dirty {
            conn.dirty = true;
            self.dirty.push_back(key);
        }
    }

    pub(super) fn mark_hungry(&mut self, key: Key, pool: &mut Pool) {
        if !pool.hungry {
            pool.hungry = true;
            self.hungry.push_back(key);
        }
    }

    /// Gives a connection that nobody has to the first who waits, so many bytes of whose command are `written`
    /// already, or to the idle ones. Its timer is off.
    pub(super) fn release(
        &mut self,
        key: Key,
        conn: &mut Conn,
        pool: &mut Pool,
        written: usize,
        timers: &mut Timers,
    ) {
        self.pass_over_stale(pool);
        let Some((ticket, bytes)) = pool.line.first() else {
            conn.idle = true;
            if self.log.on {
                self.log.add(Seen::Idle(ConnId(key)));
            }
            return pool.push_idle(key);
        };
        let before = conn.queued;
        conn.put(bytes, written, || self.buffer());
        if self.assign(key, conn, ticket, before, timers) {
            let rounds = Rounds::begin(bytes, timers.now());
            conn.cancel.get_or_insert_default().rounds = Some(rounds);
        }
        if self.log.on {
            self.saw_sent(key, ticket, CommandName::of(bytes), Some(pool.grace));
        }
        pool.line.pop(timers);
    }

    /// Gives a connection of the own lane that nobody has to a request whose bytes it has, behind `before` of its stream.
    /// True when it is a round that may be followed by another.
    // Without it, it is a call: 20 instructions for each pop.
    #[inline(always)]
    pub(super) fn assign(
        &mut self,
        key: Key,
        conn: &mut Conn,
        ticket: Ticket,
        before: u64,
        timers: &mut Timers,
    ) -> bool {
        let Some(request) = self.requests.get_mut(ticket.0) else {
            return false;
        };
        let again = request.again;
        request.since = timers.now();
        request.progress = Progress::Sent {
            conn: key,
            replies: Replies::One,
            end: conn.queued,
        };
        let deadline = request.deadline();
        conn.timer = deadline.map(|at| timers.arm(at, Owner::Conn(key)));
        conn.lane.push(ticket, Expect::One);
        conn.idle = false;
        conn.begun = conn.written() > before;
        if !conn.out.is_empty() {
            self.mark_dirty(key, conn);
        }
        again
    }

    /// Lets a request wait for a connection.
    #[inline(always)]
    pub(super) fn wait_in_line(
        &mut self,
        key: Key,
        pool: &mut Pool,
        ticket: Ticket,
        bytes: &[u8],
        timers: &mut Timers,
    ) {
        pool.line.push(ticket, bytes);
        if pool.line.timer.is_none() {
            let at = timers.now() + pool.config.pool_timeout;
            pool.line.timer = Some(timers.arm(at, Owner::Pool(key)));
        }
        self.mark_hungry(key, pool);
    }

    /// Forgets those that have given up waiting for a connection before the first who has not.
    pub(super) fn pass_over_stale(&self, pool: &mut Pool) {
        pool.line
            .pass_over(|ticket| self.requests.get(ticket.0).is_none());
    }

    /// Fails the first `count` of the requests that wait for a connection.
    pub(super) fn fail_waiting(
        &mut self,
        pool: &mut Pool,
        error: &Error,
        count: usize,
        timers: &mut Timers,
    ) {
        for _ in 0..count {
            self.pass_over_stale(pool);
            let Some(ticket) = pool.line.pop(timers) else {
                return;
            };
            self.finish(ticket, error.clone());
        }
    }

    /// Gives a reply to the request it belongs to, of whose connection's stream `written` bytes were sent.
    pub(super) fn answer(
        &mut self,
        ticket: Ticket,
        value: Value,
        written: u64,
        now: Time,
    ) -> Answer {
        let Some(request) = self.requests.get_mut(ticket.0) else {
            return Answer::Unwanted;
        };
        if !request.may_be_answered(written) {
            let message = format!("a reply to a command that was not sent: {value:?}");
            let error = Error::new(ErrorKind::Protocol, message);
            self.finish(ticket, error.clone());
            return Answer::TooEarly(error);
        }
        let answer = match request.given_up {
            GivenUp::No => Answer::Taken,
            _ if value.is_null() => Answer::Cancelled,
            _ if value.is_error() => Answer::Taken,
            _ => Answer::Late,
        };
        if request.answer(value, now) {
            self.pending -= 1;
            self.done.push((request.task, ticket));
        }
        answer
    }

    /// Ends a request of which nothing was sent, and about which nobody is told.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        if let Some(request) = self.requests.get_mut(ticket.0) {
            request.progress = Progress::Cancelled;
            self.pending -= 1;
        }
    }

    /// Tells of such a request nevertheless.
    pub(super) fn uncancel(&mut self, ticket: Ticket, error: &Error) {
        if let Some(request) = self.requests.get_mut(ticket.0) {
            request.progress = Progress::Done(Err(error.clone()));
            self.done.push((request.task, ticket));
        }
    }

    /// Ends a request with an error, and with what is known when `written` bytes of its connection's stream were.
    /// True when it may have been executed.
    pub(super) fn fail_sent(&mut self, ticket: Ticket, error: &Error, written: u64) -> bool {
        let request = self.requests.get(ticket.0);
        let begun = request.is_some_and(|request| request.was_begun(written));
        let told = match begun {
            true => error.clone().after_sending(),
            false => error.clone(),
        };
        self.finish(ticket, told);
        begun
    }

    /// Ends a request with an error.
    pub(super) fn finish(&mut self, ticket: Ticket, error: Error) {
        let Some(request) = self.requests.get_mut(ticket.0) else {
            return;
        };
        if !request.is_done() {
            request.progress = Progress::Done(Err(error));
            self.pending -= 1;
            self.done.push((request.task, ticket));
        }
    }

    /// An empty buffer for a command.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        match self.spare.pop() {
            Some(mut buffer) => {
                buffer.clear();
                buffer
            }
            None => Vec::with_capacity(COMMAND_BYTES),
        }
    }

    /// Takes a buffer back that nobody needs now.
    pub(super) fn recycle(&mut self, buffer: Vec<u8>) {
        let useful = (1..=SPARE_BYTES_MAX).contains(&buffer.capacity());
        if useful && self.spare.len() < SPARE_BUFFERS_MAX {
            self.spare.push(buffer);
        }
    }
}
