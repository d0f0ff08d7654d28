//! The dedicated connections of a client: which are idle, which requests wait for one, and when
//! another one is wanted.
//!
//! Each connection is counted under its [`State`], in one array that [`Pool::set_state`] changes;
//! every figure of [`PoolStats`] about connections is a sum over it. Idle connections are reused
//! last in, first out. Requests that find none wait in a FIFO queue.

use super::connection::{Connection, State};
use super::invariant::ensure;
use super::request::Ticket;
use super::wait_queue::{STALE_MAX, WaitQueue};
use crate::config::Config;
use crate::token::{Key, ROOM};

/// What a client's pool has done and what it holds, exact at every moment:
/// `created == in_use + available`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Dedicated connections that exist, those being connected included.
    pub created: usize,
    /// Dedicated connections that a command has, or that are being connected for one.
    pub in_use: usize,
    /// Idle dedicated connections.
    pub available: usize,
    /// Commands that wait for a dedicated connection.
    pub waiting: usize,
    /// True if the shared connection exists. It is not counted above.
    pub shared: bool,
    /// Connects that were started since the client was opened.
    pub connects: u64,
    /// Connects that had to be started again (a full backlog, no descriptors left), and those that
    /// took so long that the kernel must have sent their SYN again.
    pub connects_retried: u64,
    /// Replies that came when no task wanted them any more.
    pub replies_dropped: u64,
    /// Blocking commands that were cancelled and had popped nothing.
    pub cancelled: u64,
    /// Blocking commands that were cancelled and had popped an element: it went to the task if it
    /// still waited, to [`on_undelivered`](crate::Redis::on_undelivered), or back.
    pub undelivered: u64,
    /// Elements that were put back where they came from, since no task claimed them.
    pub requeued: u64,
    /// Blocking commands whose connection was lost with them, and elements whose way back was: it is
    /// not known whether an element was lost. The task has been told.
    pub indeterminate: u64,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Pool {
    /// Idle connections, the latest used on top. Some may be gone.
    idle: Vec<Key>,
    /// Requests without a connection.
    pub(super) waiting: WaitQueue,
    /// Connections by state.
    counts: [usize; State::COUNT],
}

impl Pool {
    pub(super) fn new() -> Pool {
        Pool {
            idle: Vec::with_capacity(ROOM),
            waiting: WaitQueue::with_capacity(ROOM),
            counts: [0; State::COUNT],
        }
    }

    /// Connections that exist.
    pub(super) fn created(&self) -> usize {
        self.counts.iter().sum()
    }

    pub(super) fn available(&self) -> usize {
        self.counts[State::Idle as usize]
    }

    /// Connections that are not usable yet.
    pub(super) fn connecting(&self) -> usize {
        self.counts[State::Connecting as usize] + self.counts[State::Handshake as usize]
    }

    /// Connections on which something is cancelled.
    pub(super) fn cancelling(&self) -> usize {
        self.counts[State::Cancelling as usize]
    }

    /// Counts a new connection.
    pub(super) fn add(&mut self, conn: &Connection) {
        if conn.is_dedicated() {
            self.counts[conn.state as usize] += 1;
        }
    }

    /// Moves a connection to another state: the only place where that happens.
    #[inline]
    pub(super) fn set_state(&mut self, conn: &mut Connection, state: State) {
        if conn.is_dedicated() {
            self.counts[conn.state as usize] -= 1;
            self.counts[state as usize] += 1;
        }
        conn.state = state;
    }

    /// A connection has ended.
    pub(super) fn remove(&mut self, conn: &Connection, is_alive: impl Fn(Key) -> bool) {
        if !conn.is_dedicated() {
            return;
        }
        self.counts[conn.state as usize] -= 1;
        if self.idle.len() > 2 * self.available() + STALE_MAX {
            self.idle.retain(|&key| is_alive(key));
        }
    }

    /// Adds a connection to the idle ones.
    pub(super) fn push_idle(&mut self, key: Key, conn: &mut Connection) {
        self.set_state(conn, State::Idle);
        self.idle.push(key);
    }

    /// The connection that was used last. It may have ended since.
    pub(super) fn pop_idle(&mut self) -> Option<Key> {
        self.idle.pop()
    }

    /// True if a connection is to be dialed for a request that waits. While the server is suspect,
    /// one at a time is enough to find out.
    pub(super) fn wants_dial(&self, is_suspect: bool, config: &Config) -> bool {
        let connecting = self.connecting();
        let is_finding_out = is_suspect && connecting > 0;
        self.waiting.live_len() > connecting && !self.is_full(config) && !is_finding_out
    }

    fn is_full(&self, config: &Config) -> bool {
        let max = config.max_connections;
        max.is_some_and(|max| self.created() >= max.max(1))
    }

    /// True if one more request would have to wait for a connection to be released.
    pub(super) fn would_wait(&self, config: &Config) -> bool {
        let established = self.created() - self.connecting();
        let max = config.max_connections;
        max.is_some_and(|max| established + self.waiting.live_len() >= max.max(1))
    }

    /// Checks the lists against the tables.
    pub(super) fn check(
        &self,
        found: [usize; State::COUNT],
        is_idle: impl Fn(Key) -> bool,
        is_live: impl Fn(Ticket) -> bool,
    ) -> Result<(), String> {
        let counts = self.counts;
        ensure!(
            counts == found,
            "connections by state are {found:?}, not {counts:?}"
        );
        let idle = self.idle.iter().filter(|&&key| is_idle(key)).count();
        let available = self.available();
        ensure!(
            idle == available,
            "{idle} connections are in the idle list, not {available}"
        );
        self.waiting.check(is_live)
    }
}
