//! The life of a connection: dialed, established, greeted, used, lost.

use super::clients::Clients;
use super::connection::{Conn, InFlight, State};
use super::handshake::{Handshake, Verdict};
use super::link::Trouble;
use super::pool::{Pool, asks_id};
use super::request::Progress;
use super::seen::{ConnId, Seen};
use super::work::Work;
use crate::address::Protocol;
use crate::driver::{Endpoint, Socket};
use crate::error::{Error, ErrorKind};
use crate::resp::Value;
use crate::time::ms;
use crate::timers::Timers;
use crate::token::{Key, Owner};
use log::debug;
use std::io;
use std::time::Duration;

/// The kernel repeats a lost SYN after one second: a connect that took nearly as long has lost one.
const SYN_LOST_AFTER: Duration = ms(900);

/// How long to wait before a connect is tried again for which the kernel had no room: a full backlog
/// (a server drains it within one turn of its own loop), or no free descriptor.
const BACKLOG_PAUSE: Duration = ms(10);
const DESCRIPTORS_PAUSE: Duration = ms(100);

/// `ENFILE` and `EMFILE`: the system's or the process' limit of open files. They have no `io::ErrorKind`.
const NO_DESCRIPTORS: [i32; 2] = [23, 24];

/// A connect that is to be started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dial {
    pub(crate) pool: Key,
    pub(crate) conn: Key,
    pub(crate) number: u64,
    /// Many small writes will follow each other: they must not wait for one another's ACK.
    pub(crate) shared: bool,
}

impl Clients {
    /// The next connect to be started, if the pacing allows one.
    pub(crate) fn next_dial(&mut self, timers: &mut Timers) -> Option<Dial> {
        let Clients {
            pools, conns, work, ..
        } = self;
        while let Some(&pool_key) = work.hungry.front() {
            let Some(pool) = pools.get_mut(pool_key) else {
                work.hungry.pop_front();
                continue;
            };
            let Some(what) = pool.start_dial() else {
                pool.hungry = false;
                work.hungry.pop_front();
                continue;
            };
            let (number, now) = (pool.count_dial(), timers.now());
            let endpoint = pool.endpoint_number();
            let (conn, shared) = match what {
                Some(key) => {
                    let conn = conns.get_mut(key)?;
                    conn.number = number;
                    conn.endpoint = endpoint;
                    (key, true)
                }
                None => {
                    let mut conn = Conn::new(pool_key, InFlight::Own(None), now);
                    conn.number = number;
                    conn.endpoint = endpoint;
                    (conns.insert(conn), false)
                }
            };
            if work.log.on {
                let to = pool.endpoint(endpoint).clone();
                work.log.add(Seen::Dialed(ConnId(conn), number, shared, to));
            }
            // Another pool goes first next time.
            work.hungry.rotate_left(1);
            return Some(Dial {
                pool: pool_key,
                conn,
                number,
                shared,
            });
        }
        None
    }

    /// Where a dial goes to, and what the connection will say first: its pool's greeting, or the command of the
    /// first who waits.
    pub(crate) fn what_to_dial(&mut self, dial: Dial) -> Option<(&Endpoint, &[u8])> {
        let pool = self.pools.get_mut(dial.pool)?;
        if !dial.shared && pool.greeting(dial.number).is_none() {
            self.work.pass_over_stale(pool);
        }
        let first = match pool.greeting(dial.number) {
            Some(greeting) => greeting.bytes,
            None if dial.shared => &[],
            None => pool.first_waiting().map_or(&[][..], |(_, bytes)| bytes),
        };
        Some((pool.endpoint(pool.endpoint_number()), first))
    }

    /// The connect has been started. If it is finished already, so many of the first bytes are `written`.
    pub(crate) fn dialed(
        &mut self,
        key: Key,
        socket: Socket,
        written: Option<usize>,
        timers: &mut Timers,
    ) {
        let Some((conn, pool, _)) = self.parts(key) else {
            return;
        };
        conn.socket = Some(socket);
        if let Some(written) = written {
            return self.established(key, written, timers);
        }
        conn.enter(State::Connecting, timers.now());
        pool.dialing.push_back(key);
        pool.dialing_alive += 1;
        if pool.dialing_timer.is_none() {
            let at = timers.now() + pool.config.connect_timeout;
            pool.dialing_timer = Some(timers.arm(at, Owner::Pool(conn.pool)));
        }
    }

    /// The connect could not be started.
    pub(crate) fn dial_failed(&mut self, key: Key, error: io::Error, timers: &mut Timers) {
        let Some((conn, pool, _)) = self.parts(key) else {
            return;
        };
        let pause = match error.raw_os_error() {
            _ if error.kind() == io::ErrorKind::WouldBlock => BACKLOG_PAUSE,
            Some(code) if NO_DESCRIPTORS.contains(&code) && pool.total > 1 => DESCRIPTORS_PAUSE,
            _ => {
                let error = connect_error(pool.endpoint(conn.endpoint), error);
                return self.connect_failed(key, &error, Trouble::Network, timers);
            }
        };
        pool.retried += 1;
        if pool.pause.is_none() {
            pool.pause_for(pause, conn.pool, timers);
        }
        self.undial(key, timers);
    }

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
    fn established(&mut self, key: Key, written: usize, timers: &mut Timers) {
        let now = timers.now();
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        if conn.state == State::Connecting {
            pool.end_dialing(1, timers);
            pool.retried += u64::from(now.since(conn.since) >= SYN_LOST_AFTER);
        }
        pool.endpoint_works();
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

    /// The kernel says how a connect has failed.
    pub(crate) fn connect_refused(&mut self, key: Key, error: io::Error, timers: &mut Timers) {
        if let Some((conn, pool, _)) = self.parts(key) {
            let error = connect_error(pool.endpoint(conn.endpoint), error);
            self.connect_failed(key, &error, Trouble::Network, timers);
        }
    }

    /// A connection could not be made. The next address is tried; where none is left, it is tried again after a pause, see
    /// `link.rs`, or those who wait for a connection are told, all of them, since the next dial would end the same
    /// way. Only a connect that took too long tells nothing about the next one.
    pub(super) fn connect_failed(
        &mut self,
        key: Key,
        error: &Error,
        trouble: Trouble,
        timers: &mut Timers,
    ) {
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        debug!("{}: {error}", pool.address);
        if work.log.on {
            work.log.add(Seen::NotConnected(ConnId(key), error.clone()));
        }
        let unreached = matches!(conn.state, State::Dialing | State::Connecting);
        if unreached && pool.endpoint_failed(conn.endpoint) {
            return self.undial(key, timers);
        }
        if pool.link.is_worth_it(trouble) && !pool.is_closing {
            // Those that fail together are one failure.
            if pool.pause.is_none() {
                let pause = pool.link.fails(error, timers.now(), &pool.config);
                pool.pause_for(pause, conn.pool, timers);
            }
            return self.undial(key, timers);
        }
        pool.link.fails(error, timers.now(), &pool.config);
        let (pool_key, shared) = (conn.pool, conn.is_shared());
        let count = if error.is_timeout() { 1 } else { usize::MAX };
        self.lost(key, error, timers);
        if let (false, Some(pool)) = (shared, self.pools.get_mut(pool_key)) {
            self.work.fail_waiting(pool, error, count, timers);
        }
    }

    /// Takes a dial back: whoever waits for it waits for the next one.
    fn undial(&mut self, key: Key, timers: &mut Timers) {
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        if conn.is_shared() && conn.state != State::Ready {
            pool.end_dialing(usize::from(conn.state == State::Connecting), timers);
            pool.hear(conn.number);
            work.closing.extend(conn.socket.take());
            work.mark_hungry(conn.pool, pool);
            return self.share_anew(key, timers);
        }
        let error = Error::new(ErrorKind::Closed, "the connection could not be made");
        self.lost(key, &error, timers);
    }

    /// Those who wait for the shared connection wait for another one, which has a key of its own: whatever is still reported
    /// of the first is not about this one.
    fn share_anew(&mut self, key: Key, timers: &mut Timers) {
        let Some(mut old) = self.conns.remove(key) else {
            return;
        };
        timers.disarm(&mut old.timer);
        if self.work.log.on {
            let why = Error::new(ErrorKind::Closed, "the connection could not be made");
            self.work.log.add(Seen::Closed(ConnId(key), why));
        }
        let conn = Conn::new(old.pool, old.lane, timers.now());
        let new = self.conns.insert(conn);
        if let Some((conn, pool, work)) = self.parts(new) {
            for ticket in conn.lane.iter() {
                if let Some(request) = work.requests.get_mut(ticket.0) {
                    request.moves_to(new);
                }
            }
            pool.shared = Some(new);
            pool.dials_shared = true;
        }
        self.shared_due(new, timers);
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

/// What a failed connect is called.
pub(crate) fn connect_error(endpoint: &Endpoint, error: io::Error) -> Error {
    Error::io(
        ErrorKind::Connect,
        format_args!("cannot connect to {endpoint}"),
        error,
    )
}
