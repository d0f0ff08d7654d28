//! All pools, connections and requests of a hub.
//!
//! Here nothing is read, written or waited for: the hub reports what the kernel did (`dialed`, `writable`,
//! `received`, `ended`, `conn_due`, `pool_due`), and fetches what is to be done: connects from
//! [`next_dial`](Clients::next_dial), writes for those in [`next_dirty`](Clients::next_dirty), closes of those in
//! [`closing`](Clients::closing), and the requests that have ended from [`take_done`](Clients::take_done). The time
//! comes with the [`Timers`].
//!
//! This file has the life of a request; `dialing.rs` and `lifecycle.rs` have that of a connection, `replies.rs` what comes in, and `work.rs`
//! the lists of what is to be done.

use super::command::Lane;
use super::connection::{Conn, InFlight, Shared, State};
use super::control_types::{Aside, Naming};
use super::events::CommandName;
use super::late::{Late, Undo};
use super::link::PoolState;
use super::outbox::Outbox;
use super::pool::{Pool, PoolStats};
use super::request::{
    Expect, GivenUp, Progress, Replies, Reply, Request, Ticket, allowance as allow,
};
use super::round::Rounds;
use super::work::Work;
use crate::address::Address;
use crate::config::{Config, WhenFull};
use crate::driver::{Endpoint, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::timers::Timers;
use crate::token::{Key, Owner, Slots};
use std::collections::BTreeMap;
use std::time::Duration;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Clients {
    pub(super) pools: Slots<Pool>,
    pub(super) conns: Slots<Conn>,
    pub(super) work: Work,
    /// Names no task: who is told of what nobody waits for.
    pub(super) nobody: Key,
    /// Questions of our own, by their tickets as words.
    pub(super) asides: BTreeMap<usize, Aside>,
    /// Lists of clients in which connections are to be found.
    pub(super) namings: Vec<Naming>,
    /// Elements for whom nobody waits any more.
    pub(super) late: Vec<Late>,
    /// Pools that are being closed.
    pub(super) closing_pools: Vec<Key>,
}

/// What somebody asks of a pool.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) bytes: Outbox,
    pub(crate) replies: Expect,
    pub(crate) lane: Lane,
    /// How the answer of a blocking command is undone.
    pub(crate) undo: Undo,
    /// Whether to ask again when the answer is nil: this is one round of a wait without end.
    pub(crate) again: bool,
}

impl Clients {
    pub(crate) fn new(nobody: Key) -> Clients {
        Clients {
            pools: Slots::new(),
            conns: Slots::roomy(),
            work: Work::new(),
            nobody,
            asides: BTreeMap::new(),
            namings: Vec::new(),
            late: Vec::new(),
            closing_pools: Vec::new(),
        }
    }

    pub(crate) fn open(
        &mut self,
        address: Address,
        endpoints: Vec<Endpoint>,
        config: Config,
        seed: u64,
    ) -> Key {
        self.pools
            .insert(Pool::new(address, endpoints, config, seed))
    }

    pub(crate) fn stats(&self, pool: Key) -> PoolStats {
        self.pools.get(pool).map(Pool::stats).unwrap_or_default()
    }

    pub(crate) fn pool_state(&self, pool: Key) -> PoolState {
        let Some(pool) = self.pools.get(pool) else {
            return PoolState::default();
        };
        let shares = pool.shared.and_then(|key| self.state(key)) == Some(State::Ready);
        pool.link.state(shares || pool.total > pool.connecting)
    }

    pub(crate) fn pool(&self, pool: Key) -> Option<&Pool> {
        self.pools.get(pool)
    }

    /// How many requests have not ended.
    pub(crate) fn pending(&self) -> usize {
        self.work.pending
    }

    /// Whether there is something to write, to dial, to close or to hand out.
    pub(crate) fn has_work(&self) -> bool {
        !self.work.is_empty() || !self.late.is_empty()
    }

    /// An empty buffer for a command.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.work.buffer()
    }

    /// Takes in a request of `task`.
    pub(crate) fn submit(
        &mut self,
        pool: Key,
        task: Key,
        ask: Ask,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let found = self.pools.get(pool).filter(|pool| !pool.is_closing);
        let found = found.ok_or_else(gone)?;
        let allowance = match ask.lane {
            Lane::Own(timeout) => {
                allow(timeout.duration().unwrap_or(Duration::MAX)).saturating_add(found.grace)
            }
            Lane::Shared => found.allowance,
        };
        let request = Request {
            task,
            pool,
            undo: matches!(ask.lane, Lane::Own(_)).then_some(ask.undo),
            again: ask.again,
            given_up: GivenUp::No,
            since: timers.now(),
            allowance,
            progress: Progress::Waiting,
        };
        let ticket = match ask.lane {
            Lane::Own(_) => self.submit_own(pool, request, ask.bytes, timers),
            Lane::Shared => self.submit_shared(pool, request, ask, timers),
        }?;
        self.work.pending += 1;
        Ok(ticket)
    }

    fn submit_own(
        &mut self,
        pool_key: Key,
        request: Request,
        bytes: Outbox,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let Clients {
            pools, conns, work, ..
        } = self;
        let pool = pools.get_mut(pool_key).ok_or_else(gone)?;
        let again = request.again;
        while let Some(key) = pool.pop_idle() {
            // One that has ended since it was put there leaves a stale key.
            if let Some(conn) = conns.get_mut(key) {
                pool.available -= 1;
                let ticket = Ticket(work.requests.insert(request));
                let before = conn.queued;
                let rounds = again.then(|| Rounds::begin(bytes.unsent(), timers.now()));
                conn.send(bytes);
                work.assign(key, conn, ticket, before, timers);
                if work.log.on {
                    let name = CommandName::of(conn.out.unsent());
                    work.saw_sent(key, ticket, name, Some(pool.grace));
                }
                if rounds.is_some() {
                    conn.cancel.get_or_insert_default().rounds = rounds;
                }
                return Ok(ticket);
            }
        }
        if pool.config.when_full == WhenFull::Fail && pool.is_spoken_for() {
            let max = pool.config.max_connections.unwrap_or_default();
            let message = format!("all {max} connections are in use");
            return Err(Error::new(ErrorKind::PoolFull, message));
        }
        let ticket = Ticket(work.requests.insert(request));
        work.wait_in_line(pool_key, pool, ticket, bytes.unsent(), timers);
        work.recycle(bytes.into_buffer());
        Ok(ticket)
    }

    pub(super) fn submit_shared(
        &mut self,
        pool: Key,
        mut request: Request,
        ask: Ask,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let key = self.shared_conn(pool, timers).ok_or_else(gone)?;
        let conn = self.conns.get_mut(key).ok_or_else(gone)?;
        let ready = conn.state == State::Ready;
        let len = ask.bytes.unsent().len() as u64;
        let (end, free) = match &mut conn.lane {
            InFlight::Shared(shared) if !ready => shared.hold(ask.bytes),
            _ => conn.send(ask.bytes),
        };
        request.progress = Progress::Sent {
            conn: key,
            replies: Replies::expect(ask.replies, len),
            end,
        };
        if ready && conn.timer.is_none() {
            let deadline = request.deadline();
            conn.timer = deadline.map(|at| timers.arm(at, Owner::Conn(key)));
        }
        let ticket = Ticket(self.work.requests.insert(request));
        conn.lane.push(ticket, ask.replies);
        if ready {
            self.work.mark_dirty(key, conn);
        }
        if self.work.log.on {
            let name = CommandName::of(conn.last_bytes(len));
            self.work.saw_sent(key, ticket, name, None);
        }
        self.work.recycle(free);
        Ok(ticket)
    }

    /// The shared connection of a pool; made where there is none.
    fn shared_conn(&mut self, pool_key: Key, timers: &mut Timers) -> Option<Key> {
        let pool = self.pools.get_mut(pool_key)?;
        if pool.shared.is_none() {
            let lane = InFlight::Shared(Box::<Shared>::default());
            let conn = Conn::new(pool_key, lane, timers.now());
            let key = self.conns.insert(conn);
            // Those who ask it something wait for a connection until it has been made.
            let at = timers.now() + pool.config.pool_timeout;
            self.conns.get_mut(key)?.timer = Some(timers.arm(at, Owner::Conn(key)));
            pool.shared = Some(key);
            pool.dials_shared = true;
            self.work.mark_hungry(pool_key, pool);
        }
        pool.shared
    }

    /// The requests that have ended since the last call, each with who asked.
    pub(crate) fn take_done(&mut self) -> Vec<(Key, Ticket)> {
        std::mem::take(&mut self.work.done)
    }

    /// Whether there are any.
    pub(crate) fn has_done(&self) -> bool {
        !self.work.done.is_empty()
    }

    /// Gives the empty list back, to be used again.
    pub(crate) fn put_done(&mut self, done: Vec<(Key, Ticket)>) {
        debug_assert!(done.is_empty());
        if self.work.done.is_empty() {
            self.work.done = done;
        }
    }

    /// Who is told of the reply, or `None` when the request is gone.
    pub(crate) fn asker(&self, ticket: Ticket) -> Option<Key> {
        let request = self.work.requests.get(ticket.0);
        request.map(|request| request.task)
    }

    /// Sets who is told of a reply that is still to come. False when it has come, or never will.
    pub(crate) fn await_reply(&mut self, ticket: Ticket, task: Key) -> bool {
        match self.work.requests.get_mut(ticket.0) {
            Some(request) if !request.is_done() => {
                request.task = task;
                true
            }
            _ => false,
        }
    }

    /// The result of a request that has ended. Its ticket is stale from now on.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Result<Reply>> {
        self.work.requests.remove(ticket.0)?.into_result()
    }

    /// How many connections have something to write.
    pub(crate) fn dirty(&self) -> usize {
        self.work.dirty.len()
    }

    /// The next connection that has something to write.
    pub(crate) fn next_dirty(&mut self) -> Option<Key> {
        self.work.dirty.pop_front()
    }

    /// The sockets that are to be closed.
    pub(crate) fn closing(&mut self) -> impl Iterator<Item = Socket> {
        self.work.closing.drain(..)
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Misuse, "the client was closed")
}
