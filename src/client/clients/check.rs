//! What must hold for clients, connections and requests between two turns.
//!
//! Simulated hubs check it after every turn.

use super::super::connection::{Connection, State};
use super::super::in_flight::{InFlight, Pending};
use super::super::invariant::ensure;
use super::super::request::{Place, Ticket};
use super::Clients;
use crate::timers::Timers;
use crate::token::Key;
use crate::wheel::Timer;
use std::collections::{BTreeMap, BTreeSet};

impl Clients {
    /// Checks tables, counters and timers against each other. Returns how many timers are held.
    ///
    /// # Errors
    ///
    /// The first statement that does not hold.
    pub(crate) fn check(&self, timers: &Timers) -> Result<usize, String> {
        let mut counts: BTreeMap<usize, [usize; State::COUNT]> = BTreeMap::new();
        let mut audit = TimerAudit { timers, held: 0 };
        let (mut in_flight, mut writes) = (0, 0);
        for (key, conn) in self.conns.iter() {
            if conn.is_dedicated() {
                counts.entry(conn.client.to_usize()).or_default()[conn.state as usize] += 1;
            }
            self.check_conn(key, conn, &mut audit)?;
            in_flight += self.check_in_flight(key, conn)?;
            writes += usize::from(conn.write_queued);
        }
        let queued = self.out.writes.iter();
        let queued = queued.filter(|&&key| self.conns.get(key).is_some()).count();
        ensure!(
            writes == queued,
            "{writes} connections have something to write, not {queued}"
        );
        for (key, client) in self.clients.iter() {
            let found = counts.remove(&key.to_usize()).unwrap_or_default();
            let is_idle = |key| {
                self.conns
                    .get(key)
                    .is_some_and(|it| it.state == State::Idle)
            };
            let is_live = |ticket| self.requests.is_live(ticket);
            client.pool.check(found, is_idle, is_live)?;
            client.shared.waiting.check(is_live)?;
            audit.check(client.timer, client.deadline().is_some(), key)?;
            ensure!(
                client.next_dial().is_none() || client.dialer.is_queued,
                "nothing dials for the requests of client {key:?}"
            );
        }
        self.check_requests(in_flight)?;
        Ok(audit.held)
    }

    fn check_conn(
        &self,
        key: Key,
        conn: &Connection,
        audit: &mut TimerAudit<'_>,
    ) -> Result<(), String> {
        let client = self.clients.get(conn.client);
        let client = client.ok_or_else(|| format!("connection {key:?} has no client"))?;
        audit.check(conn.timer, conn.deadline(&client.config).is_some(), key)?;
        if !conn.is_dedicated() {
            let is_known = [client.shared.conn, client.control.conn].contains(&Some(key));
            ensure!(is_known, "connection {key:?} is unknown to its client");
        }
        if conn.state == State::Idle {
            let at_rest = conn.in_flight.is_empty()
                && !conn.is_reply_arriving()
                && (conn.unsent().is_empty() || !conn.opening().is_done())
                && conn.cancel.is_none();
            ensure!(at_rest, "{key:?} is idle and is not: {conn:?}");
        }
        let cancels = conn.cancel.is_some();
        ensure!(
            cancels == conn.is_cancelling(),
            "{key:?} is in the wrong state for its cancel: {conn:?}"
        );
        Ok(())
    }

    /// Checks that what is in flight on a connection is known to it and to the requests. Returns how
    /// many requests that are.
    fn check_in_flight(&self, key: Key, conn: &Connection) -> Result<usize, String> {
        let mut seen = BTreeSet::new();
        let tickets: Vec<Ticket> = match &conn.in_flight {
            InFlight::One(outgoing) => outgoing.iter().map(|it| it.ticket).collect(),
            InFlight::Many(queue) => {
                let requests = queue.iter().filter_map(|entry| match entry.pending {
                    Pending::Request(ticket) => Some(ticket),
                    _ => None,
                });
                requests.collect()
            }
        };
        for ticket in tickets {
            // A request of the shared connection may have been dropped, or have failed alone.
            let Some(request) = self.requests.get(ticket).filter(|it| !it.is_done()) else {
                ensure!(
                    !conn.is_dedicated(),
                    "{key:?} carries {ticket:?}, which is gone"
                );
                continue;
            };
            let here = matches!(request.place, Place::InFlight(conn) if conn == key);
            ensure!(here, "{ticket:?} is on {key:?} and is {request:?}");
            seen.insert(ticket.0.to_usize());
        }
        Ok(seen.len())
    }

    fn check_requests(&self, in_flight: usize) -> Result<(), String> {
        let (mut pending, mut found) = (0, 0);
        for (_, request) in self.requests.iter() {
            pending += usize::from(!request.is_done());
            found += usize::from(matches!(request.place, Place::InFlight(_)));
            let client = request.client;
            let is_orphan = !request.is_done() && self.clients.get(client).is_none();
            ensure!(!is_orphan, "{request:?} has no client");
        }
        ensure!(
            found == in_flight,
            "{found} requests are in flight, and connections carry {in_flight}"
        );
        let counted = self.requests.pending();
        ensure!(
            pending == counted,
            "{pending} requests are pending, not {counted}"
        );
        ensure!(!self.has_completed(), "replies were not delivered");
        ensure!(self.out.closes.is_empty(), "sockets were not closed");
        Ok(())
    }
}

/// Timers that are held, each of which must be armed.
struct TimerAudit<'a> {
    timers: &'a Timers,
    held: usize,
}

impl TimerAudit<'_> {
    fn check(&mut self, timer: Option<Timer>, is_due: bool, owner: Key) -> Result<(), String> {
        let Some(timer) = timer else {
            ensure!(!is_due, "{owner:?} has a deadline and no timer");
            return Ok(());
        };
        ensure!(
            self.timers.is_armed(timer),
            "{owner:?} holds {timer:?}, which is not armed"
        );
        self.held += 1;
        Ok(())
    }
}
