//! The life of a connection: dialed, established, greeted, used, lost.

use super::clients::Clients;
use super::command::Command;
use super::connection::{Conn, InFlight, State};
use super::handshake::{Handshake, Verdict};
use crate::address::Protocol;
use crate::driver::{Endpoint, Socket};
use crate::error::{Error, ErrorKind};
use crate::resp::Value;
use crate::time::{Time, ms};
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
    pub(crate) conn: Key,
    /// Many small writes will follow each other: they must not wait for one another's ACK.
    pub(crate) shared: bool,
}

impl Clients {
    /// The next connect to be started, if the pacing allows one.
    pub(crate) fn next_dial(&mut self, timers: &mut Timers) -> Option<Dial> {
        let now = timers.now();
        while let Some(&pool_key) = self.hungry.front() {
            let Some(pool) = self.pools.get_mut(pool_key) else {
                self.hungry.pop_front();
                continue;
            };
            let key = if pool.dials_shared && pool.may_dial() {
                pool.dials_shared = false;
                pool.shared
            } else if pool.wants_dial() {
                pool.total += 1;
                pool.connecting += 1;
                Some(
                    self.conns
                        .insert(Conn::new(pool_key, InFlight::Own(None), now)),
                )
            } else {
                None
            };
            let Some((key, conn)) = key.and_then(|key| Some((key, self.conns.get_mut(key)?)))
            else {
                pool.hungry = false;
                self.hungry.pop_front();
                continue;
            };
            conn.number = pool.count_dial();
            conn.enter(State::Connecting, now);
            let at = now + pool.config.connect_timeout;
            conn.timer = Some(timers.arm(at, Owner::Conn(key)));
            return Some(Dial {
                conn: key,
                shared: conn.is_shared(),
            });
        }
        None
    }

    /// Where a connection goes to.
    pub(crate) fn endpoint(&self, conn: Key) -> Option<&Endpoint> {
        Some(self.pools.get(self.conns.get(conn)?.pool)?.endpoint())
    }

    /// The connect has been started, or is `finished` already.
    pub(crate) fn dialed(
        &mut self,
        conn: Key,
        socket: Socket,
        finished: bool,
        timers: &mut Timers,
    ) {
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.socket = Some(socket);
        }
        if finished {
            self.established(conn, timers);
        }
    }

    /// The connect could not be started.
    pub(crate) fn dial_failed(&mut self, key: Key, error: io::Error, timers: &mut Timers) {
        let Some((conn, pool)) = self.conn_and_pool(key) else {
            return;
        };
        let (pool_key, alone) = (conn.pool, pool.total <= 1);
        let pause = match error.raw_os_error() {
            _ if error.kind() == io::ErrorKind::WouldBlock => BACKLOG_PAUSE,
            Some(code) if NO_DESCRIPTORS.contains(&code) && !alone => DESCRIPTORS_PAUSE,
            _ => {
                let error = connect_error(pool.endpoint(), error);
                return self.connect_failed(key, error, timers);
            }
        };
        pool.retried += 1;
        if pool.pause.is_none() {
            let at = timers.now() + pause;
            pool.pause = Some((at, timers.arm(at, Owner::Pool(pool_key))));
        }
        self.undial(key, timers);
    }

    /// The kernel reports room to write: a connect has finished, as far as can be told without asking.
    pub(crate) fn writable(&mut self, key: Key, timers: &mut Timers) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        if conn.state == State::Connecting {
            self.established(key, timers);
        } else if !conn.out.is_empty() {
            self.mark_dirty(key);
        }
    }

    /// The socket of a connection that exists.
    pub(crate) fn socket(&self, key: Key) -> Option<Socket> {
        self.conns.get(key)?.socket
    }

    /// Whether the connection has been made and its handshake is over.
    pub(crate) fn is_ready(&self, key: Key) -> bool {
        self.conns
            .get(key)
            .is_some_and(|conn| conn.state == State::Ready)
    }

    pub(crate) fn is_connecting(&self, key: Key) -> bool {
        self.conns
            .get(key)
            .is_some_and(|conn| conn.state == State::Connecting)
    }

    /// What is to be written on a connection, and where.
    pub(crate) fn unsent(&self, key: Key) -> Option<(Socket, &[u8])> {
        let conn = self.conns.get(key)?;
        Some((conn.socket?, conn.out.unsent()))
    }

    /// The kernel has taken `count` bytes. True when more are left.
    pub(crate) fn wrote(&mut self, key: Key, count: usize) -> bool {
        let Some(conn) = self.conns.get_mut(key) else {
            return false;
        };
        conn.out.advance(count);
        if !conn.out.is_empty() {
            return true;
        }
        let buffer = conn.out.take_buffer();
        self.recycle(buffer);
        false
    }

    /// A connection has been flushed for this turn.
    pub(crate) fn flushed(&mut self, key: Key) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.dirty = false;
        }
    }

    fn established(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some((conn, pool)) = self.conn_and_pool(key) else {
            return;
        };
        if now.since(conn.since) >= SYN_LOST_AFTER {
            pool.retried += 1;
        }
        pool.endpoint_works();
        let probe = pool.handshake.len() == 0 && pool.is_probe(conn.number);
        if pool.handshake.len() == 0 && !probe {
            return self.ready(key, timers);
        }
        let timeout = pool.config.handshake_timeout;
        let (bytes, replies) = match probe {
            true => (Command::new("PING").into_outbox(), 1),
            false => (pool.handshake.outbox(), pool.handshake.len()),
        };
        conn.enter(
            State::Handshake {
                done: 0,
                of: replies,
                falls_back: false,
            },
            now,
        );
        conn.send(bytes);
        timers.disarm(&mut conn.timer);
        conn.timer = Some(timers.arm(now + timeout, Owner::Conn(key)));
        self.mark_dirty(key);
    }

    /// Takes in a reply to the handshake.
    pub(super) fn greet(&mut self, key: Key, reply: &Value, timers: &mut Timers) {
        let Some((conn, pool)) = self.conn_and_pool(key) else {
            return;
        };
        let State::Handshake {
            done,
            of,
            falls_back,
        } = conn.state
        else {
            return;
        };
        let falls_back = match pool.handshake.judge(done, reply) {
            // The refused HELLO held the password too: what the rest of it says does not count.
            _ if falls_back => true,
            Verdict::Accepted => false,
            Verdict::FallBack => true,
            Verdict::Rejected(error) => return self.connect_failed(key, error, timers),
        };
        conn.state = State::Handshake {
            done: done + 1,
            of,
            falls_back,
        };
        if done + 1 < of {
            return;
        }
        if !falls_back {
            return self.ready(key, timers);
        }
        debug!("{} does not speak RESP3: RESP2 it is", pool.address);
        pool.protocol = Protocol::Resp2;
        pool.handshake = Handshake::new(&pool.address, Protocol::Resp2);
        self.established(key, timers);
    }

    fn ready(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some((conn, pool)) = self.conn_and_pool(key) else {
            return;
        };
        conn.enter(State::Ready, now);
        timers.disarm(&mut conn.timer);
        let InFlight::Shared(shared) = &mut conn.lane else {
            pool.connecting -= 1;
            return self.release(key, timers);
        };
        let held = std::mem::take(&mut shared.held);
        let before = conn.queued;
        conn.send(held);
        self.start_held(key, before, timers);
    }

    /// What was held back during the handshake counts from now.
    fn start_held(&mut self, key: Key, before: u64, timers: &mut Timers) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        let mut deadline = None;
        let mut last = None;
        for ticket in conn.lane.iter() {
            // A pipeline stands there once for each of its commands.
            if last.replace(ticket) == Some(ticket) {
                continue;
            }
            if let Some(request) = self.requests.get_mut(ticket.0) {
                request.since = timers.now();
                request.end += before;
                deadline = deadline.or(request.deadline());
            }
        }
        conn.timer = deadline.map(|at| timers.arm(at, Owner::Conn(key)));
        self.mark_dirty(key);
    }

    /// A connection has ended, in whatever state it was.
    pub(crate) fn ended(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        match self.conns.get(key).map(|conn| conn.state) {
            Some(State::Ready) => self.lost(key, error, timers),
            Some(_) => self.connect_failed(key, error.clone(), timers),
            None => {}
        }
    }

    /// The kernel says how a connect has failed.
    pub(crate) fn connect_refused(&mut self, key: Key, error: io::Error, timers: &mut Timers) {
        let Some(endpoint) = self.endpoint(key) else {
            return;
        };
        let error = connect_error(endpoint, error);
        self.connect_failed(key, error, timers);
    }

    /// A connection could not be made. The next address is tried; where none is left, those who wait for a
    /// connection are told, all of them, since the next dial would end the same way. Only a connect
    /// that took too long tells nothing about the next one.
    pub(super) fn connect_failed(&mut self, key: Key, error: Error, timers: &mut Timers) {
        let Some((conn, pool)) = self.conn_and_pool(key) else {
            return;
        };
        let pool_key = conn.pool;
        let network = !matches!(conn.state, State::Handshake { .. });
        debug!("{}: {error}", pool.address);
        if network && pool.next_endpoint() {
            return self.undial(key, timers);
        }
        let shared = conn.is_shared();
        let count = if error.is_timeout() { 1 } else { usize::MAX };
        self.lost(key, &error, timers);
        if !shared {
            self.fail_waiting(pool_key, &error, count);
        }
    }

    /// Takes a dial back: whoever waits for it waits for the next one.
    fn undial(&mut self, key: Key, timers: &mut Timers) {
        let Some((conn, pool)) = self.conn_and_pool(key) else {
            return;
        };
        let pool_key = conn.pool;
        timers.disarm(&mut conn.timer);
        pool.hear(conn.number);
        let socket = conn.socket.take();
        if conn.is_shared() {
            conn.enter(State::Dialing, timers.now());
            pool.dials_shared = true;
        } else {
            pool.total -= 1;
            pool.connecting -= 1;
            self.conns.remove(key);
        }
        self.closing.extend(socket);
        self.mark_hungry(pool_key);
    }

    /// Ends a connection: what is in flight on it fails, each request with what is known about it.
    pub(super) fn lost(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        let Some(mut conn) = self.conns.remove(key) else {
            return;
        };
        debug!("connection {key:?} ended: {error}");
        timers.disarm(&mut conn.timer);
        self.closing.extend(conn.socket);
        if let Some(pool) = self.pools.get_mut(conn.pool) {
            pool.hear(conn.number);
            if conn.is_shared() {
                pool.shared = None;
                pool.dials_shared = false;
            } else {
                pool.total -= 1;
                if conn.idle {
                    pool.idle_ended(|conn| self.conns.get(conn).is_some());
                } else if conn.state != State::Ready {
                    pool.connecting -= 1;
                }
            }
        }
        self.mark_hungry(conn.pool);
        let written = if conn.state == State::Ready {
            conn.written()
        } else {
            0
        };
        let mut error = error.clone();
        while let Some(ticket) = conn.lane.pop() {
            let Some(request) = self.requests.get(ticket.0) else {
                continue;
            };
            let told = match request.was_written(written) {
                true => error.clone().after_sending(),
                false => error.clone(),
            };
            self.finish(ticket, told);
            // Only the first request was late, or had a reply that could not be read.
            if matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol) {
                error = Error::new(ErrorKind::Closed, format!("connection closed: {error}"));
            }
        }
    }

    /// The timer of a connection has fired at a bad moment: it fires again after a while.
    pub(crate) fn conn_due_later(&mut self, key: Key, after: Duration, timers: &mut Timers) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.timer = Some(timers.arm(timers.now() + after, Owner::Conn(key)));
        }
    }

    /// The timer of a connection has fired.
    pub(crate) fn conn_due(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some((conn, pool)) = self.conn_and_pool(key) else {
            return;
        };
        conn.timer = None;
        let within = match conn.state {
            State::Dialing => return,
            State::Connecting => ("connected", pool.config.connect_timeout),
            State::Handshake { .. } => ("answered the handshake", pool.config.handshake_timeout),
            State::Ready => return self.reply_due(key, now, timers),
        };
        let message = format!(
            "{} has not {} within {:?}",
            pool.endpoint(),
            within.0,
            within.1
        );
        self.connect_failed(key, Error::new(ErrorKind::Timeout, message), timers);
    }

    fn reply_due(&mut self, key: Key, now: Time, timers: &mut Timers) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        let oldest = conn
            .lane
            .iter()
            .find_map(|ticket| self.requests.get(ticket.0));
        let Some(at) = oldest.and_then(|request| request.deadline()) else {
            return;
        };
        if at > now {
            conn.timer = Some(timers.arm(at, Owner::Conn(key)));
            return;
        }
        let partial = conn
            .decoder
            .progress()
            .map(|part| format!(": {part}"))
            .unwrap_or_default();
        let after = oldest.map_or(Duration::ZERO, |request| {
            Duration::from_nanos(request.allowance)
        });
        let message = format!("no reply within {after:?}{partial}");
        self.lost(key, &Error::new(ErrorKind::Timeout, message), timers);
    }

    /// The timer of a pool has fired: a pause is over, or somebody has waited too long.
    pub(crate) fn pool_due(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some(pool) = self.pools.get_mut(key) else {
            return;
        };
        if pool.pause.is_some_and(|(until, _)| until <= now) {
            pool.pause = None;
            self.mark_hungry(key);
        }
        while let Some(at) = self.first_waiting_until(key) {
            if at > now {
                if let Some(pool) = self.pools.get_mut(key) {
                    timers.disarm(&mut pool.waiting_timer);
                    pool.waiting_timer = Some(timers.arm(at, Owner::Pool(key)));
                }
                return;
            }
            let message = "no connection was free or could be made in time";
            self.fail_waiting(key, &Error::new(ErrorKind::Timeout, message), 1);
        }
        if let Some(pool) = self.pools.get_mut(key) {
            timers.disarm(&mut pool.waiting_timer);
        }
    }

    /// Until when the first of those who wait for a connection waits.
    fn first_waiting_until(&self, pool: Key) -> Option<Time> {
        let pool = self.pools.get(pool)?;
        let first = pool
            .waiting
            .iter()
            .find_map(|(ticket, _)| self.requests.get(ticket.0))?;
        Some(first.since + pool.config.pool_timeout)
    }

    pub(super) fn conn_and_pool(
        &mut self,
        key: Key,
    ) -> Option<(&mut Conn, &mut super::pool::Pool)> {
        let conn = self.conns.get_mut(key)?;
        let pool = self.pools.get_mut(conn.pool)?;
        Some((conn, pool))
    }
}

/// What a failed connect is called.
pub(crate) fn connect_error(endpoint: &Endpoint, error: io::Error) -> Error {
    Error::io(
        ErrorKind::Connect,
        format_args!("cannot connect to {endpoint}"),
        error,
    )
}
