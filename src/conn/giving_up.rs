//! Requests that somebody gives up, and pools that are closed.

use super::cancel::Next;
use super::clients::Clients;
use super::connection::{Conn, InFlight, State};
use super::events::Given;
use super::pool::Pool;
use super::request::{GivenUp, Progress, Ticket, client_closed};
use crate::config::ClientIds;
use crate::error::{Error, ErrorKind};
use crate::time::Time;
use crate::timers::Timers;
use crate::token::{Key, Owner};

/// What became of a request that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GaveUp {
    /// It was not sent, and never will be.
    TakenBack,
    /// The server is asked to end it; the answer will come.
    UnderWay,
    /// It cannot be taken back: it has ended, or waits for a connection, or shares one.
    No,
}

impl Clients {
    /// Gives up what a task waits for, which goes on waiting if the answer says
    /// [`UnderWay`](GaveUp::UnderWay).
    pub(crate) fn give_up(&mut self, ticket: Ticket, by: GivenUp, timers: &mut Timers) -> GaveUp {
        let Some(request) = self.work.requests.get_mut(ticket.0) else {
            return GaveUp::No;
        };
        let Progress::Sent { conn: key, .. } = request.progress else {
            return GaveUp::No;
        };
        let Some((conn, pool, work)) = self.parts(key) else {
            return GaveUp::No;
        };
        if conn.is_shared() || pool.config.client_ids == ClientIds::Never {
            return GaveUp::No;
        }
        let what = if conn.begun {
            Given::TakenBack
        } else {
            Given::NotSent
        };
        if work.log.on {
            work.saw_given_up(Some(key), ticket, what);
        }
        if !conn.begun {
            conn.lane.pop();
            conn.take_rounds();
            work.recycle(conn.unsend());
            work.cancel(ticket);
            pool.cancelled += 1;
            timers.disarm(&mut conn.timer);
            work.release(key, conn, pool, 0, timers);
            return GaveUp::TakenBack;
        }
        let within = match by {
            GivenUp::ByPool => pool.config.grace() / 2,
            _ => pool.config.cancel_timeout,
        };
        if let Some(request) = work.requests.get_mut(ticket.0) {
            request.given_up = by;
        }
        if !conn.cancels() {
            let until = timers.now() + within;
            pool.cancelling += 1;
            let next = conn.cancel.get_or_insert_default().begin(until);
            self.go_on(key, next, timers);
        }
        GaveUp::UnderWay
    }

    /// Whether anything is being taken back.
    pub(crate) fn takes_back(&self) -> bool {
        let mut pools = self.pools.iter();
        !self.late.is_empty() || pools.any(|(_, pool)| pool.takes_back())
    }

    /// Does what the state of a cancel asks for.
    pub(super) fn go_on(&mut self, key: Key, next: Next, timers: &mut Timers) {
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        match next {
            Next::Wait => {}
            Next::Name => {
                set_timer(key, conn, None, timers);
                self.want_name(key, timers);
            }
            Next::Ask(id) => {
                set_timer(key, conn, None, timers);
                self.ask_unblock(key, id, timers);
            }
            Next::Pause(pause) => {
                let at = timers.now() + pause;
                set_timer(key, conn, Some(at), timers);
            }
            Next::Free => {
                pool.cancelling -= 1;
                if !conn.decoder.is_partial() {
                    work.release(key, conn, pool, 0, timers);
                }
            }
            Next::Close => {
                let message = "the command could not be taken back";
                self.lost(key, &Error::new(ErrorKind::Closed, message), timers);
            }
        }
    }

    /// Gives a request up for which nobody will wait again. Its ticket is stale from now on.
    ///
    /// What was not sent never will be. What the shared connection has is executed nevertheless, and its reply is dropped
    /// when it comes. A blocking command is taken back, see `cancel.rs`; an element that it brings all the same is late.
    pub(crate) fn abandon(&mut self, ticket: Ticket, timers: &mut Timers) {
        let Some(request) = self.work.requests.get_mut(ticket.0) else {
            return;
        };
        match request.progress {
            Progress::Done(_) | Progress::Cancelled => self.forsaken(ticket),
            Progress::Waiting => {
                let pool = request.pool;
                if self.work.log.on {
                    self.work.saw_given_up(None, ticket, Given::NotSent);
                }
                self.work.requests.remove(ticket.0);
                self.work.pending -= 1;
                let requests = &self.work.requests;
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.line
                        .give_up_one(|it| requests.get(it.0).is_some(), timers);
                }
            }
            Progress::Sent { conn: key, .. } => self.abandon_sent(ticket, key, timers),
        }
    }

    fn abandon_sent(&mut self, ticket: Ticket, key: Key, timers: &mut Timers) {
        match self.give_up(ticket, GivenUp::ByTask, timers) {
            GaveUp::UnderWay => {
                // The connection may have been lost at once: then it is nobody who is told.
                if let Some(request) = self.work.requests.get_mut(ticket.0) {
                    request.task = self.nobody;
                }
            }
            GaveUp::TakenBack => self.forsaken(ticket),
            GaveUp::No => {
                if self.work.log.on {
                    self.work.saw_given_up(Some(key), ticket, Given::Abandoned);
                }
                self.work.requests.remove(ticket.0);
                self.work.pending -= 1;
                if self.conns.get(key).is_some_and(|conn| !conn.is_shared()) {
                    let error = Error::new(ErrorKind::Killed, "the request was given up");
                    self.lost(key, &error, timers);
                }
            }
        }
    }

    /// Gives up all requests of a task that has ended.
    pub(crate) fn abandon_all_of(&mut self, task: Key, timers: &mut Timers) {
        let requests = self.work.requests.iter();
        let of_task = requests.filter_map(|(key, request)| (request.task == task).then_some(key));
        for key in of_task.collect::<Vec<_>>() {
            self.abandon(Ticket(key), timers);
        }
    }

    /// Closes a pool: fails what was not sent and what shares a connection, takes back what blocks, and forgets the pool
    /// when that is done.
    pub(crate) fn close(&mut self, pool_key: Key, timers: &mut Timers) {
        let error = client_closed();
        let Some(pool) = self.pools.get_mut(pool_key).filter(|it| !it.is_closing) else {
            return;
        };
        pool.is_closing = true;
        pool.limit_returns(timers.now());
        self.closing_pools.push(pool_key);
        self.work.fail_waiting(pool, &error, usize::MAX, timers);
        let of_pool = |(key, conn): (Key, &Conn)| (conn.pool == pool_key).then_some(key);
        for key in self.conns.iter().filter_map(of_pool).collect::<Vec<_>>() {
            let Some(conn) = self.conns.get(key) else {
                continue;
            };
            match &conn.lane {
                InFlight::Shared(_) => self.fail_shared(key, &error),
                InFlight::Own(Some(ticket)) if conn.state == State::Ready => {
                    let ticket = *ticket;
                    match self.give_up(ticket, GivenUp::ByClose, timers) {
                        GaveUp::UnderWay => {}
                        GaveUp::TakenBack => self.work.uncancel(ticket, &error),
                        GaveUp::No => self.lost(key, &error, timers),
                    }
                }
                // One that was answered while a question about it is under way goes with the shared one.
                InFlight::Own(_) if conn.cancels() => {}
                InFlight::Own(_) => self.lost(key, &error, timers),
            }
        }
        self.finish_closing(timers);
    }

    /// Fails what programs have asked on the shared connection. It stays for what we ask ourselves.
    fn fail_shared(&mut self, key: Key, error: &Error) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        let written = if conn.state == State::Ready {
            conn.written()
        } else {
            0
        };
        let asides = &self.asides;
        let theirs = conn
            .lane
            .iter()
            .filter(|ticket| !asides.contains_key(&ticket.0.to_usize()));
        for ticket in theirs.collect::<Vec<_>>() {
            self.work.fail_sent(ticket, error, written);
        }
    }

    /// Forgets the pools that are being closed and have nothing left to take back.
    pub(crate) fn finish_closing(&mut self, timers: &mut Timers) {
        let mut pools = std::mem::take(&mut self.closing_pools);
        pools.retain(|&key| !self.finish_close(key, timers));
        self.closing_pools.extend(pools);
    }

    fn finish_close(&mut self, pool_key: Key, timers: &mut Timers) -> bool {
        let is_late = self.late.iter().any(|it| it.pool == pool_key);
        if is_late || self.pools.get(pool_key).is_some_and(Pool::takes_back) {
            return false;
        }
        let error = client_closed();
        let of_pool = |(key, conn): (Key, &Conn)| (conn.pool == pool_key).then_some(key);
        for conn in self.conns.iter().filter_map(of_pool).collect::<Vec<_>>() {
            self.lost(conn, &error, timers);
        }
        if let Some(mut pool) = self.pools.remove(pool_key) {
            for timer in pool.timers().into_iter().flatten() {
                timers.disarm(&mut Some(*timer));
            }
        }
        true
    }
}

/// Sets the timer of a connection on which something is being taken back: to when it is given up, or to a pause before that.
pub(super) fn set_timer(key: Key, conn: &mut Conn, pause: Option<Time>, timers: &mut Timers) {
    let Some(until) = conn.cancel.as_ref().map(|it| it.until()) else {
        return;
    };
    timers.disarm(&mut conn.timer);
    let at = pause.map_or(until, |at| at.min(until));
    conn.timer = Some(timers.arm(at, Owner::Conn(key)));
}
