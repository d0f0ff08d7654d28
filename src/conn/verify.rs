//! What must be true of pools, connections and requests between two turns.
//!
//! Counters are kept because counting takes too long; here everything is counted, and compared. Simulated hubs do so after
//! every turn.

use super::clients::Clients;
use super::connection::{Conn, State};
use super::invariant::must;
use super::pool::Pool;
use super::request::{Progress, Request, Ticket};
use crate::timers::Timers;
use crate::token::Key;
use crate::wheel::Timer;
use std::collections::{BTreeMap, BTreeSet};

/// What the tables say, for the pool of one key.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    total: usize,
    connecting: usize,
    available: usize,
    dialing: usize,
    waiting: usize,
    cancelling: usize,
}

impl Clients {
    /// Compares everything with everything. Returns how many timers are held.
    ///
    /// # Errors
    ///
    /// What is not as it must be.
    pub(crate) fn verify(&self, timers: &Timers) -> Result<usize, String> {
        let mut counts: BTreeMap<usize, Counts> = BTreeMap::new();
        let mut held = Held {
            timers,
            count: 0,
            dirty: 0,
        };
        let mut sent = 0;
        for (key, conn) in self.conns.iter() {
            let counts = counts.entry(conn.pool.to_usize()).or_default();
            self.verify_conn(key, conn, counts, &mut held)?;
            sent += self.verify_in_flight(key, conn)?;
        }
        for (key, request) in self.work.requests.iter() {
            if let Progress::Waiting = request.progress {
                let pool = request.pool;
                must!(self.pools.get(pool).is_some(), "{key:?} waits for no pool");
                counts.entry(pool.to_usize()).or_default().waiting += 1;
            }
        }
        for (key, pool) in self.pools.iter() {
            let counts = counts.remove(&key.to_usize()).unwrap_or_default();
            self.verify_pool(key, pool, &counts, &mut held)?;
        }
        let listed = self.work.dirty.iter();
        let listed = listed.filter(|&&key| self.conns.get(key).is_some()).count();
        let dirty = held.dirty;
        must!(
            dirty == listed,
            "{dirty} connections have something to write, not {listed}"
        );
        self.verify_work(sent)?;
        Ok(held.count)
    }

    fn verify_conn(
        &self,
        key: Key,
        conn: &Conn,
        counts: &mut Counts,
        held: &mut Held<'_>,
    ) -> Result<(), String> {
        let pool = self.pools.get(conn.pool);
        let pool = pool.ok_or_else(|| format!("connection {key:?} has no pool"))?;
        held.hold(conn.timer, key)?;
        held.dirty += usize::from(conn.dirty);
        counts.dialing += usize::from(conn.state == State::Connecting);
        counts.cancelling += usize::from(conn.cancels());
        if conn.is_shared() {
            must!(pool.shared == Some(key), "{key:?} is shared by nobody");
            return Ok(());
        }
        counts.total += 1;
        counts.available += usize::from(conn.idle);
        counts.connecting += usize::from(conn.state != State::Ready);
        if conn.idle {
            let at_rest = conn.state == State::Ready
                && conn.lane.is_empty()
                && conn.out.is_empty()
                && !conn.decoder.is_partial()
                && conn.timer.is_none()
                && !conn.cancels();
            must!(at_rest, "{key:?} is idle and is not: {conn:?}");
        }
        Ok(())
    }

    /// What is in flight on a connection is known to it and to the requests. Returns how many requests that are.
    fn verify_in_flight(&self, key: Key, conn: &Conn) -> Result<usize, String> {
        let mut seen = BTreeSet::new();
        for Ticket(ticket) in conn.lane.iter() {
            match self.work.requests.get(ticket) {
                Some(request) => {
                    let here =
                        matches!(request.progress, Progress::Sent { conn, .. } if conn == key);
                    must!(
                        here,
                        "{ticket:?} is in flight on {key:?} and is {request:?}"
                    );
                    seen.insert(ticket.to_usize());
                }
                None => must!(conn.is_shared(), "{key:?} has {ticket:?}, which is gone"),
            }
        }
        Ok(seen.len())
    }

    fn verify_pool(
        &self,
        key: Key,
        pool: &Pool,
        found: &Counts,
        held: &mut Held<'_>,
    ) -> Result<(), String> {
        let counted = Counts {
            total: pool.total,
            connecting: pool.connecting,
            available: pool.available,
            dialing: pool.dialing_alive,
            waiting: pool.line.len(),
            cancelling: pool.cancelling,
        };
        must!(
            counted == *found,
            "pool {key:?} counts {counted:?}, has {found:?}"
        );
        for timer in [pool.line.timer, pool.dialing_timer] {
            held.hold(timer, key)?;
        }
        for pause in [pool.pause, pool.returns.pause] {
            held.hold(pause.map(|(_, timer)| timer), key)?;
        }
        must!(
            pool.dialing_alive == 0 || pool.dialing_timer.is_some(),
            "the connects of {key:?} take for ever"
        );
        pool.verify_lists(|key| self.conns.get(key).is_some_and(|conn| conn.idle))
    }

    /// Who is told of each request.
    pub(crate) fn askers(&self) -> impl Iterator<Item = Key> {
        self.work.requests.iter().map(|(_, request)| request.task)
    }

    fn verify_work(&self, sent: usize) -> Result<(), String> {
        let is_sent = |(_, it): &(Key, &Request)| matches!(it.progress, Progress::Sent { .. });
        let requests = self.work.requests.iter().filter(is_sent).count();
        must!(
            requests == sent,
            "{requests} requests are sent, and {sent} in flight"
        );
        let pending = self.work.requests.iter();
        let pending = pending.filter(|(_, request)| !request.is_done()).count();
        let counted = self.work.pending;
        must!(
            pending == counted,
            "{pending} requests are pending, not {counted}"
        );
        must!(self.work.done.is_empty(), "replies were not handed out");
        must!(self.work.closing.is_empty(), "sockets were not closed");
        Ok(())
    }
}

/// The timers that somebody holds, each of which must be armed, and the connections that want to write.
struct Held<'a> {
    timers: &'a Timers,
    count: usize,
    dirty: usize,
}

impl Held<'_> {
    fn hold(&mut self, timer: Option<Timer>, of: Key) -> Result<(), String> {
        if let Some(timer) = timer {
            must!(
                self.timers.is_armed(timer),
                "{of:?} holds {timer:?}, which is not armed"
            );
            self.count += 1;
        }
        Ok(())
    }
}
