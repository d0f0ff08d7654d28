//! All pools, connections and requests of a hub.
//!
//! Here nothing is read, written or waited for: the hub reports what the kernel did (`dialed`, `writable`,
//! `received`, `lost`, `due`), and fetches what is to be done: connects from
//! [`next_dial`](Clients::next_dial), writes for what stands in [`dirty`](Clients::dirty), closes for what stands in
//! [`closing`](Clients::closing), and the requests that have ended in [`done`](Clients::done). The time comes
//! with the [`Timers`].
//!
//! This file has the life of a request; `lifecycle.rs` has that of a connection, `replies.rs` what comes in.

use super::command::{COMMAND_BYTES, Lane};
use super::connection::{Conn, InFlight, Shared, State};
use super::outbox::Outbox;
use super::pool::{Pool, PoolStats};
use super::request::{FOR_EVER, Place, Progress, Replies, Reply, Request, Ticket};
use crate::address::Address;
use crate::config::{Config, WhenFull};
use crate::driver::{Endpoint, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::timers::Timers;
use crate::token::{Key, Owner, Slots};
use std::collections::VecDeque;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Clients {
    pub(super) pools: Slots<Pool>,
    pub(super) conns: Slots<Conn>,
    pub(super) requests: Slots<Request>,
    /// Pools that may want to dial.
    pub(super) hungry: VecDeque<Key>,
    /// Connections that have something to write.
    pub(crate) dirty: Vec<Key>,
    /// Requests that have ended and were not fetched yet.
    pub(crate) done: Vec<Ticket>,
    /// Sockets to be closed.
    pub(crate) closing: Vec<Socket>,
    /// How many requests have not ended.
    pub(super) pending: usize,
    /// Buffers for commands, used again and again.
    spare: Vec<Vec<u8>>,
}

/// So many buffers are kept, of up to so many bytes each.
const SPARE_BUFFERS_MAX: usize = 128;
const SPARE_BYTES_MAX: usize = 16 * 1024;

/// What somebody asks of a pool.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) bytes: Outbox,
    /// How many replies belong to it.
    pub(crate) replies: usize,
    pub(crate) lane: Lane,
}

impl Clients {
    pub(crate) fn new() -> Clients {
        Clients {
            pools: Slots::new(),
            conns: Slots::roomy(),
            requests: Slots::roomy(),
            hungry: VecDeque::new(),
            dirty: Vec::new(),
            done: Vec::new(),
            closing: Vec::new(),
            pending: 0,
            spare: Vec::new(),
        }
    }

    pub(crate) fn open(
        &mut self,
        address: Address,
        endpoints: Vec<Endpoint>,
        config: Config,
    ) -> Key {
        self.pools.insert(Pool::new(address, endpoints, config))
    }

    /// Ends every connection of a pool, fails what it still had to do, and forgets it.
    pub(crate) fn close(&mut self, pool: Key, timers: &mut Timers) {
        let error = Error::new(ErrorKind::Closed, "the client was closed");
        self.fail_waiting(pool, &error, usize::MAX);
        let of_pool = |(key, conn): (Key, &Conn)| (conn.pool == pool).then_some(key);
        for conn in self.conns.iter().filter_map(of_pool).collect::<Vec<_>>() {
            self.lost(conn, &error, timers);
        }
        if let Some(mut pool) = self.pools.remove(pool) {
            timers.disarm(&mut pool.waiting_timer);
            timers.disarm(&mut pool.pause.map(|(_, timer)| timer));
        }
    }

    pub(crate) fn stats(&self, pool: Key) -> PoolStats {
        self.pools.get(pool).map(Pool::stats).unwrap_or_default()
    }

    pub(crate) fn pool(&self, pool: Key) -> Option<&Pool> {
        self.pools.get(pool)
    }

    /// How many requests have not ended.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Takes in a request of `task`.
    pub(crate) fn submit(
        &mut self,
        pool: Key,
        task: Key,
        ask: Ask,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let config = &self.pools.get(pool).ok_or_else(gone)?.config;
        let allowance = match ask.lane {
            Lane::Own(timeout) => config.allowance(timeout),
            Lane::Shared => Some(config.command_timeout),
        };
        let allowance = allowance.and_then(|within| u64::try_from(within.as_nanos()).ok());
        let request = Request {
            task,
            progress: Progress::Waiting,
            place: Place::Pool(pool),
            since: timers.now(),
            end: 0,
            allowance: allowance.unwrap_or(FOR_EVER),
        };
        let ticket = match ask.lane {
            Lane::Own(_) => self.submit_own(pool, request, ask.bytes, timers),
            Lane::Shared => self.submit_shared(pool, request, ask, timers),
        }?;
        self.pending += 1;
        Ok(ticket)
    }

    fn submit_own(
        &mut self,
        pool_key: Key,
        request: Request,
        bytes: Outbox,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let Some(pool) = self.pools.get_mut(pool_key) else {
            return Err(gone());
        };
        if let Some(conn) = pool.pop_idle(|conn| self.conns.get(conn).is_some()) {
            let ticket = Ticket(self.requests.insert(request));
            self.assign(conn, ticket, bytes, timers);
            return Ok(ticket);
        }
        if pool.is_full() && pool.config.when_full == WhenFull::Fail {
            let message = format!("all {} connections are in use", pool.total);
            return Err(Error::new(ErrorKind::PoolFull, message));
        }
        let ticket = Ticket(self.requests.insert(request));
        pool.push_waiting(ticket, bytes.unsent());
        if pool.waiting_timer.is_none() {
            let at = timers.now() + pool.config.pool_timeout;
            pool.waiting_timer = Some(timers.arm(at, Owner::Pool(pool_key)));
        }
        self.mark_hungry(pool_key);
        self.recycle(bytes.into_buffer());
        Ok(ticket)
    }

    fn submit_shared(
        &mut self,
        pool: Key,
        mut request: Request,
        ask: Ask,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let key = self.shared_conn(pool, timers).ok_or_else(gone)?;
        let conn = self.conns.get_mut(key).ok_or_else(gone)?;
        let ready = conn.state == State::Ready;
        let free;
        (request.end, free) = match &mut conn.lane {
            InFlight::Shared(shared) if !ready => shared.hold(ask.bytes),
            _ => conn.send(ask.bytes),
        };
        request.place = Place::Conn(key);
        request.progress = Progress::Sent(Replies::expect(ask.replies));
        if ready && conn.timer.is_none() {
            conn.timer = request
                .deadline()
                .map(|at| timers.arm(at, Owner::Conn(key)));
        }
        let ticket = Ticket(self.requests.insert(request));
        conn.lane.push(ticket, ask.replies);
        if ready {
            self.mark_dirty(key);
        }
        self.recycle(free);
        Ok(ticket)
    }

    /// The shared connection of a pool; made where there is none.
    fn shared_conn(&mut self, pool_key: Key, timers: &Timers) -> Option<Key> {
        let pool = self.pools.get_mut(pool_key)?;
        if pool.shared.is_none() {
            let lane = InFlight::Shared(Box::<Shared>::default());
            pool.shared = Some(self.conns.insert(Conn::new(pool_key, lane, timers.now())));
            pool.dials_shared = true;
            self.mark_hungry(pool_key);
        }
        self.pools.get(pool_key)?.shared
    }

    /// Puts a request on a connection that nobody has.
    fn assign(&mut self, key: Key, ticket: Ticket, bytes: Outbox, timers: &mut Timers) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        let Some(request) = self.requests.get_mut(ticket.0) else {
            return;
        };
        request.place = Place::Conn(key);
        request.progress = Progress::Sent(Replies::One);
        request.since = timers.now();
        (request.end, _) = conn.send(bytes);
        conn.lane.push(ticket, 1);
        conn.idle = false;
        conn.timer = request
            .deadline()
            .map(|at| timers.arm(at, Owner::Conn(key)));
        if !std::mem::replace(&mut conn.dirty, true) {
            self.dirty.push(key);
        }
    }

    /// Gives a connection that nobody has to the first who waits, or to the idle ones. Its timer is off.
    pub(super) fn release(&mut self, key: Key, timers: &mut Timers) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        let Some(pool) = self.pools.get_mut(conn.pool) else {
            return;
        };
        if pool.waiting_alive > 0 {
            let mut bytes = self.spare.pop().unwrap_or_default();
            bytes.clear();
            let next = pool.pop_waiting(|it| self.requests.get(it.0).is_some(), &mut bytes);
            if pool.waiting_alive == 0 {
                timers.disarm(&mut pool.waiting_timer);
            }
            if let Some(ticket) = next {
                return self.assign(key, ticket, Outbox::new(bytes, 0), timers);
            }
        }
        conn.idle = true;
        pool.push_idle(key);
    }

    /// Who asked, or `None` when the request is gone.
    pub(crate) fn asker(&self, ticket: Ticket) -> Option<Key> {
        self.requests.get(ticket.0).map(|request| request.task)
    }

    /// Whether the request has ended and its result waits to be taken.
    pub(crate) fn is_done(&self, ticket: Ticket) -> bool {
        let request = self.requests.get(ticket.0);
        request.is_some_and(|request| matches!(request.progress, Progress::Done(..)))
    }

    /// The result of a request that has ended. Its ticket is stale from now on.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Result<Reply>> {
        if !self.is_done(ticket) {
            return None;
        }
        self.requests.remove(ticket.0)?.into_result()
    }

    /// Gives a request up. Its ticket is stale from now on.
    ///
    /// What was not sent will not be. A reply that is due on the shared connection is dropped when it comes.
    /// A connection of the own lane is closed: a server that has not answered yet takes this as the end of
    /// the wait, and leaves the element where it is. An element that is on its way at this very moment is
    /// lost with the connection.
    pub(crate) fn abandon(&mut self, ticket: Ticket, timers: &mut Timers) {
        let Some(request) = self.requests.remove(ticket.0) else {
            return;
        };
        if matches!(request.progress, Progress::Done(..)) {
            return;
        }
        self.pending -= 1;
        match request.place {
            Place::Pool(pool) => {
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.waiting_alive -= 1;
                }
            }
            Place::Conn(key) => {
                if self.conns.get(key).is_some_and(|conn| !conn.is_shared()) {
                    let error = Error::new(ErrorKind::Killed, "the request was given up");
                    self.lost(key, &error, timers);
                }
            }
        }
    }

    /// Abandons all requests of a task that has ended.
    pub(crate) fn abandon_all_of(&mut self, task: Key, timers: &mut Timers) {
        let of_task = |(key, request): (Key, &Request)| (request.task == task).then_some(key);
        for key in self.requests.iter().filter_map(of_task).collect::<Vec<_>>() {
            self.abandon(Ticket(key), timers);
        }
    }

    /// Fails the first `count` of the requests that wait for a connection.
    pub(super) fn fail_waiting(&mut self, pool: Key, error: &Error, count: usize) {
        let mut bytes = Vec::new();
        for _ in 0..count {
            let Some(pool) = self.pools.get_mut(pool) else {
                return;
            };
            let next = pool.pop_waiting(|it| self.requests.get(it.0).is_some(), &mut bytes);
            let Some(ticket) = next else { return };
            bytes.clear();
            self.finish(ticket, error.clone());
        }
    }

    /// Ends a request with an error.
    pub(super) fn finish(&mut self, ticket: Ticket, error: Error) {
        let Some(request) = self.requests.get_mut(ticket.0) else {
            return;
        };
        if !matches!(request.progress, Progress::Done(..)) {
            request.progress = Progress::Done(Err(error), 0);
            self.pending -= 1;
            self.done.push(ticket);
        }
    }

    /// An empty buffer for a command.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.spare
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(COMMAND_BYTES))
    }

    pub(super) fn recycle(&mut self, buffer: Vec<u8>) {
        let useful = (1..=SPARE_BYTES_MAX).contains(&buffer.capacity());
        if useful && self.spare.len() < SPARE_BUFFERS_MAX {
            self.spare.push(buffer);
        }
    }

    /// Whether there is something to write, to dial, to close or to hand out.
    pub(crate) fn has_work(&self) -> bool {
        !self.dirty.is_empty()
            || !self.hungry.is_empty()
            || !self.closing.is_empty()
            || !self.done.is_empty()
    }

    pub(crate) fn mark_dirty(&mut self, key: Key) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if !std::mem::replace(&mut conn.dirty, true) {
            self.dirty.push(key);
        }
    }

    pub(super) fn mark_hungry(&mut self, key: Key) {
        let Some(pool) = self.pools.get_mut(key) else {
            return;
        };
        if !std::mem::replace(&mut pool.hungry, true) {
            self.hungry.push_back(key);
        }
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Misuse, "the client was closed")
}
