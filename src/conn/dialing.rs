//! From the wish for a connection to the connection, or to the next try.
//!
//! ```text
//!   somebody waits --> Dialing --> Connecting --> Handshake --> Ready
//!         ^               |            |              |
//!         |               +------------+--------------+
//!         |                            v
//!         |                      connect_failed ------------> those who wait are told:
//!         |                            |                      the next dial would end the same way
//!         +----------------------------+
//!           there is another address: at once
//!           the server may come back: after a pause, see `link.rs`
//! ```
//!
//! Nobody waits for a certain connect, only for a connection. So a dial that has failed can be forgotten and another one
//! begun, and those in the line do not notice.

use super::clients::Clients;
use super::connection::{Conn, InFlight, State};
use super::events::{ConnId, Seen};
use super::link::Trouble;
use crate::driver::{Endpoint, Socket};
use crate::error::{Error, ErrorKind};
use crate::time::ms;
use crate::timers::Timers;
use crate::token::{Key, Owner};
use log::debug;
use std::io;
use std::time::Duration;

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
            let endpoint = pool.endpoints.current();
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
                let to = pool.endpoints.get(endpoint).clone();
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
            None => pool.line.first().map_or(&[][..], |(_, bytes)| bytes),
        };
        Some((pool.endpoints.get(pool.endpoints.current()), first))
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
                let error = connect_error(pool.endpoints.get(conn.endpoint), error);
                return self.connect_failed(key, &error, Trouble::Network, timers);
            }
        };
        pool.retried += 1;
        if pool.pause.is_none() {
            pool.pause_for(pause, conn.pool, timers);
        }
        self.undial(key, timers);
    }

    /// The kernel says how a connect has failed.
    pub(crate) fn connect_refused(&mut self, key: Key, error: io::Error, timers: &mut Timers) {
        if let Some((conn, pool, _)) = self.parts(key) {
            let error = connect_error(pool.endpoints.get(conn.endpoint), error);
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
        if unreached && pool.endpoints.failed(conn.endpoint) {
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
}

/// What a failed connect is called.
pub(crate) fn connect_error(endpoint: &Endpoint, error: io::Error) -> Error {
    Error::io(
        ErrorKind::Connect,
        format_args!("cannot connect to {endpoint}"),
        error,
    )
}
