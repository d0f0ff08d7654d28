//! What comes in on a connection: bytes become replies, and replies find their requests.

use super::cancel::Next as Settled;
use super::clients::Clients;
use super::connection::{Conn, State};
use super::events::CommandName;
use super::link::Trouble;
use super::pool::Pool;
use super::request::Ticket;
use super::work::{Answer, Work};
use crate::error::{Error, ErrorKind, printable};
use crate::resp::Value;
use crate::timers::Timers;
use crate::token::Key;
use log::trace;

/// How a server that has no room for one more client greets it: with an error that answers nothing.
const NO_ROOM: &[u8] = b"ERR max number of clients reached";

/// Why decoding has stopped.
enum Next {
    /// All bytes are decoded.
    Drained,
    /// This is a reply to the handshake.
    Greet(Value),
    /// The server does not want us.
    Reject(Error, Trouble),
    /// The connection is of no more use.
    End(Error),
}

impl Clients {
    /// Takes in bytes that were read on a connection. If its end is known to stand behind them, nobody else gets
    /// it. False when it has ended.
    pub(crate) fn received(
        &mut self,
        key: Key,
        mut bytes: &[u8],
        ending: bool,
        timers: &mut Timers,
    ) -> bool {
        loop {
            match self.receive(key, &mut bytes, ending, timers) {
                Next::Drained => return true,
                Next::Greet(reply) => self.greet(key, &reply, timers),
                Next::Reject(error, trouble) => self.rejected(key, &error, trouble, timers),
                Next::End(error) => self.ended(key, &error, timers),
            }
            if self.conns.get(key).is_none() {
                return false;
            }
        }
    }

    /// Decodes replies and gives them to their requests, until something else is to be done.
    fn receive(&mut self, key: Key, bytes: &mut &[u8], ending: bool, timers: &mut Timers) -> Next {
        let Some((conn, pool, work)) = self.parts(key) else {
            return Next::Drained;
        };
        while !bytes.is_empty() {
            let value = match conn.decoder.decode(bytes, &pool.config.limits) {
                Ok(Some(value)) => value,
                Ok(None) => break,
                Err(error) => return Next::End(error),
            };
            if !conn.answered {
                conn.answered = true;
                pool.hear(conn.number);
                work.mark_hungry(conn.pool, pool);
                if let Some((error, trouble)) = rejection(&value, conn.written()) {
                    return Next::Reject(error, trouble);
                }
            }
            if let Value::Push(_) = value {
                trace!("connection {key:?}: a push frame, for which there is no listener");
                continue;
            }
            if conn.state != State::Ready {
                return Next::Greet(value);
            }
            let Some(ticket) = conn.lane.pop() else {
                let message = format!("a reply that nobody asked for: {value:?}");
                return Next::End(Error::new(ErrorKind::Protocol, message));
            };
            if let Some(error) = answer(key, conn, pool, work, ticket, value, timers) {
                return Next::End(error);
            }
        }
        at_rest(key, conn, pool, work, ending, timers)
    }

    /// The server has closed the door before it read anything: nothing was executed.
    fn rejected(&mut self, key: Key, error: &Error, trouble: Trouble, timers: &mut Timers) {
        let Some((conn, _, work)) = self.parts(key) else {
            return;
        };
        if conn.state == State::Ready {
            while let Some(ticket) = conn.lane.pop() {
                work.finish(ticket, error.clone());
            }
        }
        self.connect_failed(key, error, trouble, timers);
    }
}

/// Gives a reply to the request that it belongs to, or begins the next round of one. `Some` where both sides no longer agree.
#[inline]
fn answer(
    key: Key,
    conn: &mut Conn,
    pool: &mut Pool,
    work: &mut Work,
    ticket: Ticket,
    value: Value,
    timers: &mut Timers,
) -> Option<Error> {
    conn.spoiled |= spoils(&value);
    if conn.rounds().is_some() {
        if value.is_null() && work.next_round(key, conn, ticket, timers.now()) {
            if work.log.on {
                let name = CommandName::of(conn.out.unsent());
                work.saw_sent(key, ticket, name, Some(pool.grace));
            }
            return None;
        }
        let anew = is_not_ready(&value) && !conn.cancels();
        if anew || value.is_null() && work.round_was_ended(ticket) {
            work.begin_anew(conn, pool, ticket, timers);
            return None;
        }
        work.end_rounds(conn, ticket);
    }
    let answer = work.answer(ticket, value, conn.written(), timers.now());
    if work.log.on {
        work.saw_answer(key, ticket, &answer, timers.now());
    }
    match answer {
        Answer::Taken => {}
        Answer::Cancelled => pool.cancelled += 1,
        Answer::Late => pool.late += 1,
        Answer::Unwanted => pool.dropped += 1,
        Answer::TooEarly(error) => return Some(error),
    }
    conn.since = timers.now();
    None
}

/// All that has come is decoded. Only now is a connection free again: bytes behind the last reply would be taken for the reply
/// to the next request.
#[inline]
fn at_rest(
    key: Key,
    conn: &mut Conn,
    pool: &mut Pool,
    work: &mut Work,
    ending: bool,
    timers: &mut Timers,
) -> Next {
    if conn.state != State::Ready || !conn.lane.is_empty() {
        return Next::Drained;
    }
    if conn.decoder.is_partial_reply() {
        let message = "the beginning of a reply that nobody asked for";
        return Next::End(Error::new(ErrorKind::Protocol, message));
    }
    if conn.idle {
        return Next::Drained;
    }
    timers.disarm(&mut conn.timer);
    if conn.spoiled && !conn.cancels() {
        let message = "the server does not serve this connection any more";
        return Next::End(Error::new(ErrorKind::Closed, message));
    }
    if conn.is_shared() || conn.decoder.is_partial() || ending {
        return Next::Drained;
    }
    if conn.cancel.is_none() {
        work.release(key, conn, pool, 0, timers);
        return Next::Drained;
    }
    let cancels = conn.cancels();
    match conn.settle() {
        Settled::Free => {
            pool.cancelling -= usize::from(cancels);
            work.release(key, conn, pool, 0, timers);
        }
        Settled::Close => {
            let message = "the server may end another wait on it";
            return Next::End(Error::new(ErrorKind::Closed, message));
        }
        _ => {}
    }
    Next::Drained
}

/// Whether the server will answer everything on this connection with the same error: it wants another password by now, or
/// it is not the master any more, or not ready. The next connection says its handshake again, and may reach another server;
/// or it waits until this one is ready.
fn spoils(reply: &Value) -> bool {
    starts_with_one_of(reply, &[b"NOAUTH ", b"READONLY ", b"UNBLOCKED "]) || is_not_ready(reply)
}

/// Whether the server has its data to load first, or to get from its master.
fn is_not_ready(reply: &Value) -> bool {
    starts_with_one_of(reply, &[b"LOADING ", b"MASTERDOWN "])
}

fn starts_with_one_of(reply: &Value, codes: &[&[u8]]) -> bool {
    match reply {
        Value::Error(text) => codes.iter().any(|code| text.starts_with(code)),
        _ => false,
    }
}

/// The error of a server that turns us away, if its first reply says so: it speaks before it was asked
/// anything, or it has no room.
fn rejection(first: &Value, written: u64) -> Option<(Error, Trouble)> {
    let Value::Error(text) = first else {
        return None;
    };
    if written > 0 && !text.starts_with(NO_ROOM) {
        return None;
    }
    let message = format!("the server rejected the connection: {}", printable(text));
    let error = Error::new(ErrorKind::Connect, message);
    Some((error, Trouble::of(text)))
}
