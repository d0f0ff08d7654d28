//! The life of a connection: established, greeted, used, lost. How it comes to be is in `dialing.rs`.

use super::clients::Clients;
use super::connection::{Conn, InFlight, State};
use super::events::{ConnId, Seen};
use super::handshake::{Handshake, Verdict};
use super::link::Trouble;
use super::pool::{Pool, asks_id};
use super::request::Progress;
use super::work::Work;
use crate::address::Protocol;
use crate::driver::Socket;
use crate::error::{Error, ErrorKind};
use crate::resp::Value;
use crate::time::ms;
use crate::timers::Timers;
use crate::token::{Key, Owner};
use log::debug;
use std::time::Duration;

/// The kernel repeats a lost SYN after one second: a connect that took nearly as long has lost one.
const SYN_LOST_AFTER: Duration = ms(900);

impl Clients {
    /// The kernel reports room to write: a connect has finished, as far as can be told without asking.
    pub(crate) fn writable(&mut self, key: Key, timers: &mut Timers) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if conn.state == State::Connecting {
            self.established(key, 0, timers);
        } else if !conn.out.is_empty() {
            self.work.mark_dirty(key, conn);
        }
    }

    /// The socket of a connection that exists.
    pub(crate) fn socket(&self, key: Key) -> Option<Socket> {
        self.conns.get(key)?.socket
    }

    pub(crate) fn state(&self, key: Key) -> Option<State> {
        self.conns.get(key).map(|conn| conn.state)
    }

    /// What is to be written on a connection, and where. It has been flushed for this turn.
    pub(crate) fn start_flush(&mut self, key: Key) -> Option<(Socket, &[u8])> {
        let conn = self.conns.get_mut(key)?;
        conn.dirty = false;
        Some((conn.socket?, conn.out.unsent()))
    }

    /// The kernel has taken `count` bytes. With `and_more`, the rest is written in the next turn; without, when
    /// the kernel says that it has room.
    pub(crate) fn wrote(&mut self, key: Key, count: usize, and_more: bool) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        conn.begun |= count > 0;
        conn.out.advance(count);
        if conn.out.is_empty() {
            self.work.recycle(conn.out.take_buffer());
        } else if and_more {
            self.work.mark_dirty(key, conn);
        }
    }

    /// A connection exists, and so many of its first bytes are `written`.
    pub(super) fn established(&mut self, key: Key, written: usize, timers: &mut Timers) {
        let now = timers.now();
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        if conn.state == State::Connecting {
            pool.end_dialing(1, timers);
            pool.retried += u64::from(now.since(conn.since) >= SYN_LOST_AFTER);
        }
        pool.endpoints.works();
        let Some(greeting) = pool.greeting(conn.number) else {
            return ready(key, conn, pool, work, written, timers);
        };
        if work.log.on {
            work.log.add(Seen::Connected(ConnId(key)));
            work.log.add(Seen::Greets(ConnId(key)));
        }
        conn.state = State::Handshake {
            protocol: pool.handshake.protocol(),
            done: 0,
            of: greeting.replies,
            falls_back: false,
        };
        conn.put(greeting.bytes, written, || work.buffer());
        timers.disarm(&mut conn.timer);
        let at = now + pool.config.handshake_timeout;
        conn.timer = Some(timers.arm(at, Owner::Conn(key)));
        work.mark_dirty(key, conn);
    }

    /// Takes in a reply to the handshake.
    pub(super) fn greet(&mut self, key: Key, reply: &Value, timers: &mut Timers) {
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        let State::Handshake {
            protocol,
            done,
            of,
            falls_back,
        } = conn.state
        else {
            let error = Error::new(ErrorKind::Protocol, "a reply before the connect");
            return self.ended(key, &error, timers);
        };
        if let (false, Some(id)) = (conn.is_shared(), pool.handshake.id(done, reply)) {
            conn.cancel.get_or_insert_default().named(id);
        }
        let falls_back = match pool.handshake.judge(protocol, done, reply) {
            // The refused HELLO held the password too: what the rest of it says does not count.
            _ if falls_back => true,
            Verdict::Accepted => false,
            Verdict::FallBack => true,
            Verdict::Rejected(error, trouble) => {
                return self.connect_failed(key, &error, trouble, timers);
            }
        };
        let done = done + 1;
        conn.state = State::Handshake {
            protocol,
            done,
            of,
            falls_back,
        };
        if done < of {
            return;
        }
        if !falls_back {
            if of > pool.handshake.len() {
                pool.link.trust();
                work.mark_hungry(conn.pool, pool);
            }
            return ready(key, conn, pool, work, 0, timers);
        }
        debug!("{} does not speak RESP3: RESP2 it is", pool.address);
        let asks_id = asks_id(&pool.config, &pool.address);
        pool.handshake = Handshake::new(&pool.address, Protocol::Resp2, asks_id);
        self.established(key, 0, timers);
    }

    /// A connection has ended, in whatever state it was.
    pub(crate) fn ended(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        match self.state(key) {
            Some(State::Ready) => {
                if let Some((_, pool, _)) = self.parts(key) {
                    pool.link.doubt();
                }
                self.lost(key, error, timers);
            }
            Some(_) => self.connect_failed(key, error, Trouble::Network, timers),
            None => {}
        }
    }

    /// Ends a connection: what is in flight on it fails, each request with what is known about it.
    pub(super) fn lost(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        let Clients {
            pools, conns, work, ..
        } = self;
        let Some(mut conn) = conns.remove(key) else {
            return;
        };
        debug!("connection {key:?} ended: {error}");
        if work.log.on {
            work.log.add(Seen::Closed(ConnId(key), error.clone()));
        }
        timers.disarm(&mut conn.timer);
        work.closing.extend(conn.socket);
        if let Some(pool) = pools.get_mut(conn.pool) {
            pool.forget(&conn, |key| conns.get(key).is_some());
            pool.cancelling -= usize::from(conn.cancels());
            pool.end_dialing(usize::from(conn.state == State::Connecting), timers);
            work.mark_hungry(conn.pool, pool);
        }
        let is_ready = conn.state == State::Ready;
        let written = if is_ready { conn.written() } else { 0 };
        let (mut error, mut unknown) = (error.clone(), 0);
        while let Some(ticket) = conn.lane.pop() {
            if work.fail_sent(ticket, &error, written) && !conn.is_shared() {
                unknown += 1;
            }
            // Only the first request was late, or had a reply that could not be read.
            if matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol) {
                error = Error::new(ErrorKind::Closed, format!("connection closed: {error}"));
            }
        }
        if let Some(pool) = pools.get_mut(conn.pool) {
            pool.unknown += unknown;
        }
    }

    /// A connection, its pool, and the lists.
    pub(super) fn parts(&mut self, key: Key) -> Option<(&mut Conn, &mut Pool, &mut Work)> {
        let conn = self.conns.get_mut(key)?;
        let pool = self.pools.get_mut(conn.pool)?;
        Some((conn, pool, &mut self.work))
    }
}

/// A connection is ready: the first who waits gets it, so many bytes of whose command are `written`, or what
/// was held back is sent.
fn ready(
    key: Key,
    conn: &mut Conn,
    pool: &mut Pool,
    work: &mut Work,
    written: usize,
    timers: &mut Timers,
) {
    timers.disarm(&mut conn.timer);
    if work.log.on {
        work.saw_ready(key, conn.state);
    }
    conn.enter(State::Ready, timers.now());
    pool.link.works();
    let InFlight::Shared(shared) = &mut conn.lane else {
        pool.connecting -= 1;
        if pool.link.is_in_doubt() {
            // The next has waited for the end of this one.
            work.mark_hungry(conn.pool, pool);
        }
        return work.release(key, conn, pool, written, timers);
    };
    let (held, shift) = shared.take_held(conn.queued);
    conn.send(held);
    let mut deadline = None;
    let mut last = None;
    for ticket in conn.lane.iter() {
        // A pipeline stands there once for each of its commands.
        if last.replace(ticket) == Some(ticket) {
            continue;
        }
        if let Some(request) = work.requests.get_mut(ticket.0) {
            request.since = timers.now();
            if let Progress::Sent { end, .. } = &mut request.progress {
                *end = end.wrapping_add(shift);
            }
            deadline = deadline.or(request.deadline());
        }
    }
    conn.timer = deadline.map(|at| timers.arm(at, Owner::Conn(key)));
    work.mark_dirty(key, conn);
}
