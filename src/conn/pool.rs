//! The connections to one server: who has one, who waits, and when the next one is dialed.
//!
//! # Pacing
//!
//! A server accepts connections from a queue of limited length, its *backlog* (Redis: 511). A connect
//! that finds it full is not refused: its SYN is dropped, and the kernel repeats it a second later.
//! Whoever opens ten thousand connections at once therefore waits for seconds. And it does not help to
//! count the connects that have not finished, because the kernel finishes them before the server has
//! accepted them.
//!
//! But a backlog is a queue, so a reply on the connection that was dialed as number *n* proves that all
//! up to *n* have been accepted. The pool lets at most `max_connecting` dials run ahead of the highest
//! number it has heard from; where nothing would be heard, since a blocked pop says nothing for
//! as long as it blocks, every 64th connection is made to answer a PING before its first command.

use super::connection::{Conn, State};
use super::endpoints::Endpoints;
use super::handshake::Handshake;
use super::invariant::must;
use super::line::{Line, STALE_MAX};
use super::link::Link;
use super::request::allowance;
use super::returns::Returns;
use crate::address::{Address, Place};
use crate::config::{ClientIds, Config};
use crate::driver::Endpoint;
use crate::time::Time;
use crate::timers::Timers;
use crate::token::{Key, Owner, ROOM};
use crate::wheel::Timer;
use log::warn;
use std::collections::VecDeque;
use std::time::Duration;

/// Every so many dials, a connection must answer a PING. A quarter of the default window: the proof for one
/// part is under way while the next is dialed.
const PROBE_EVERY: u64 = 64;

/// What a pool has done and what it holds, exact at every moment: `created == in_use + available`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Connections of the own lane that exist, those being connected included.
    pub created: usize,
    /// Those that a command has, or that are being connected for one.
    pub in_use: usize,
    /// Those that nobody has.
    pub available: usize,
    /// Commands that wait for a connection.
    pub waiting: usize,
    /// Whether the shared connection exists. It is not counted above.
    pub shared: bool,
    /// Connects that were started since the pool was opened.
    pub connects: u64,
    /// Connects that had to be started again (a full backlog, no descriptors left), and those that
    /// took so long that the kernel must have sent their SYN again.
    pub connects_retried: u64,
    /// Replies that came when nobody wanted them any more.
    pub replies_dropped: u64,
    /// Blocking commands that were given up and had popped nothing.
    pub cancelled: u64,
    /// Those that had: their elements came after they were given up, and went to who waited still, to
    /// [`on_late`](crate::Redis::on_late), or back.
    pub late: u64,
    /// Elements that were put back where they came from, since nobody waited for them.
    pub given_back: u64,
    /// Blocking commands that had been sent when their connection was lost, and elements whose way back was: whether
    /// an element was lost with them cannot be known. Who waited has been told.
    pub unknown: u64,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) config: Config,
    /// In milliseconds: how long a command may take that shares its connection, and how long after its own timeout one
    /// that blocks may, before it is taken back.
    pub(super) allowance: u32,
    pub(super) grace: u32,
    pub(crate) address: Address,
    pub(super) endpoints: Endpoints,
    pub(crate) link: Link,
    pub(crate) handshake: Handshake,
    pub(crate) shared: Option<Key>,
    /// The shared connection is to be dialed.
    pub(crate) dials_shared: bool,
    /// Connections without a request, the latest used on top. Some may be gone.
    idle: Vec<Key>,
    /// Requests without a connection.
    pub(super) line: Line,
    /// Connections being connected, the first dialed in front: their deadlines come in the same order, so that
    /// one timer is enough. Some may be past that.
    pub(super) dialing: VecDeque<Key>,
    pub(super) dialing_alive: usize,
    pub(super) dialing_timer: Option<Timer>,
    /// Armed while nothing may be dialed.
    pub(crate) pause: Option<(Time, Timer)>,
    /// Whether it stands in the list of pools that may want to dial.
    pub(crate) hungry: bool,
    pub(crate) total: usize,
    pub(crate) connecting: usize,
    pub(crate) available: usize,
    dialed: u64,
    heard: u64,
    pub(crate) retried: u64,
    pub(crate) dropped: u64,
    pub(super) cancelled: u64,
    pub(super) late: u64,
    pub(super) given_back: u64,
    pub(super) unknown: u64,
    /// Connections on which something is being taken back.
    pub(super) cancelling: usize,
    /// Those of them whose ids are wanted, and whether the server has been asked.
    pub(super) unnamed: Vec<Key>,
    pub(super) lists: bool,
    /// Connections about which the server is to be asked as soon as it can be.
    pub(super) at_the_door: Vec<Key>,
    /// Elements that are on their way back.
    pub(super) returns: Returns,
    /// Whether it was said that the server takes nothing back.
    pub(super) told_refusal: bool,
    /// Nothing is taken in any more.
    pub(super) is_closing: bool,
}

/// Whether each connection asks for its id when it is made: over a UNIX socket it cannot be found later.
pub(super) fn asks_id(config: &Config, address: &Address) -> bool {
    match config.client_ids {
        ClientIds::AtConnect => true,
        ClientIds::WhenNeeded => matches!(address.place, Place::Unix(_)),
        ClientIds::Never => false,
    }
}

/// A handshake, or a PING: it is written in one piece, and so many replies belong to it.
pub(super) struct Greeting<'pool> {
    pub(super) bytes: &'pool [u8],
    pub(super) replies: u8,
}

impl Pool {
    pub(crate) fn new(
        address: Address,
        endpoints: Vec<Endpoint>,
        config: Config,
        seed: u64,
    ) -> Pool {
        let asks_id = asks_id(&config, &address);
        Pool {
            handshake: Handshake::new(&address, address.protocol, asks_id),
            allowance: allowance(config.command_timeout),
            grace: allowance(config.patience()),
            config,
            address,
            endpoints: Endpoints::new(endpoints),
            link: Link::new(seed),
            shared: None,
            dials_shared: false,
            idle: Vec::with_capacity(ROOM),
            line: Line::new(),
            dialing: VecDeque::with_capacity(ROOM),
            dialing_alive: 0,
            dialing_timer: None,
            pause: None,
            hungry: false,
            total: 0,
            connecting: 0,
            available: 0,
            dialed: 0,
            heard: 0,
            retried: 0,
            dropped: 0,
            cancelled: 0,
            late: 0,
            given_back: 0,
            unknown: 0,
            cancelling: 0,
            unnamed: Vec::new(),
            lists: false,
            at_the_door: Vec::new(),
            returns: Returns::default(),
            told_refusal: false,
            is_closing: false,
        }
    }

    pub(crate) fn stats(&self) -> PoolStats {
        PoolStats {
            created: self.total,
            in_use: self.total - self.available,
            available: self.available,
            waiting: self.line.len(),
            shared: self.shared.is_some(),
            connects: self.dialed,
            connects_retried: self.retried,
            replies_dropped: self.dropped,
            cancelled: self.cancelled,
            late: self.late,
            given_back: self.given_back,
            unknown: self.unknown,
        }
    }

    /// Whether something is to be dialed now, and what: the shared connection, or (`None`) a new one for the first
    /// who waits. It counts as being connected from now on.
    pub(super) fn start_dial(&mut self) -> Option<Option<Key>> {
        if !self.may_dial() {
            return None;
        }
        if self.dials_shared {
            self.dials_shared = false;
            return Some(self.shared);
        }
        if !self.wants_more() {
            return None;
        }
        self.total += 1;
        self.connecting += 1;
        Some(None)
    }

    /// So many connections are not being connected any more.
    pub(super) fn end_dialing(&mut self, count: usize, timers: &mut Timers) {
        self.dialing_alive -= count;
        if self.dialing_alive == 0 {
            self.dialing.clear();
            timers.disarm(&mut self.dialing_timer);
        }
    }

    /// A connection has ended.
    pub(super) fn forget(&mut self, conn: &Conn, is_alive: impl Fn(Key) -> bool) {
        self.hear(conn.number);
        if conn.is_shared() {
            self.shared = None;
            self.dials_shared = false;
            return;
        }
        self.total -= 1;
        if conn.idle {
            self.available -= 1;
            if self.idle.len() > 2 * self.available + STALE_MAX {
                self.idle.retain(|&key| is_alive(key));
            }
        } else if conn.state != State::Ready {
            self.connecting -= 1;
        }
    }

    /// Whether the window of the pacing is open.
    fn may_dial(&self) -> bool {
        let ahead = self.dialed - self.heard;
        self.pause.is_none() && ahead < self.config.max_connecting.max(1) as u64
    }

    /// Whether somebody waits for whom a connection is to be dialed. As long as it is in doubt whether the server is there,
    /// one is enough to find out.
    fn wants_more(&self) -> bool {
        let is_finding_out = self.link.is_in_doubt() && self.connecting > 0;
        self.line.len() > self.connecting && !self.is_full() && !is_finding_out
    }

    fn is_full(&self) -> bool {
        self.config
            .max_connections
            .is_some_and(|max| self.total >= max.max(1))
    }

    /// Whether one more request would have to wait for a connection to be given back.
    pub(super) fn is_spoken_for(&self) -> bool {
        let established = self.total - self.connecting;
        let max = self.config.max_connections;
        max.is_some_and(|max| established + self.line.len() >= max.max(1))
    }

    /// Counts one dial, and returns its number.
    pub(crate) fn count_dial(&mut self) -> u64 {
        self.dialed += 1;
        self.dialed
    }

    /// The server has been heard on connection `number`, or that connection has ended.
    pub(crate) fn hear(&mut self, number: u64) {
        self.heard = self.heard.max(number);
    }

    /// What connection `number` must say, and hear, before anybody may use it.
    pub(super) fn greeting(&self, number: u64) -> Option<Greeting<'_>> {
        let replies = self.handshake.len();
        let often = PROBE_EVERY.min(self.config.max_connecting.max(1) as u64);
        let pings = self.link.is_in_doubt() || (replies == 0 && number % often == 0);
        (pings || replies > 0).then(|| Greeting {
            bytes: self.handshake.bytes(pings),
            replies: replies + u8::from(pings),
        })
    }

    /// A connection was not found by its addresses: what connects from now on asks for its id itself.
    pub(super) fn ask_ids_at_connect(&mut self) {
        if self.config.client_ids == ClientIds::AtConnect {
            return;
        }
        warn!(
            "{} does not know connections by their addresses: an element may be lost with the first that was given up",
            self.address
        );
        self.config.client_ids = ClientIds::AtConnect;
        self.handshake = Handshake::new(&self.address, self.handshake.protocol(), true);
    }

    /// Whether something is being taken back, or goes back.
    pub(super) fn takes_back(&self) -> bool {
        self.cancelling > 0 || !self.returns.is_empty()
    }

    /// All timers that it holds.
    pub(super) fn timers(&mut self) -> [Option<&mut Timer>; 4] {
        [
            self.line.timer.as_mut(),
            self.dialing_timer.as_mut(),
            self.pause.as_mut().map(|(_, timer)| timer),
            self.returns.pause.as_mut().map(|(_, timer)| timer),
        ]
    }

    /// Nothing is dialed for so long.
    pub(super) fn pause_for(&mut self, time: Duration, own: Key, timers: &mut Timers) {
        let at = timers.now() + time;
        self.pause = Some((at, timers.arm(at, Owner::Pool(own))));
    }

    /// What must be true of the lists: those who are counted stand there, and somebody dials for them.
    pub(super) fn verify_lists(&self, is_idle: impl Fn(Key) -> bool) -> Result<(), String> {
        let idle = self.idle.iter().filter(|&&key| is_idle(key)).count();
        must!(
            idle == self.available,
            "{idle} connections are in the list, not {}",
            self.available
        );
        self.line.verify()?;
        must!(
            !self.wants_more() || !self.may_dial() || self.hungry,
            "nobody dials for those who wait"
        );
        Ok(())
    }

    pub(crate) fn push_idle(&mut self, conn: Key) {
        self.idle.push(conn);
        self.available += 1;
    }

    /// The connection that was used last, which may have ended since. Not counted as taken yet.
    pub(crate) fn pop_idle(&mut self) -> Option<Key> {
        self.idle.pop()
    }
}
