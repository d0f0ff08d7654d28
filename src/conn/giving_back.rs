//! Elements for whom nobody waits any more go back to where they came from.
//!
//! An element on its way back is in our hands only, and must not be lost because the server is away or not ready for a
//! while. As long as it is certain that the server has not taken it, it is offered again, after pauses that grow as
//! those between two connects. There is no limit, unless the end has come: of the client, or of the program, which
//! waits for it in [`Hub::drain`](crate::Hub::drain). What the server will never take, and what it may have taken when the
//! connection was lost, is told and counted as unknown.

use super::clients::Clients;
use super::control_types::Aside;
use super::late::Late;
use super::request::{Reply, Ticket};
use crate::error::{Error, Result};
use crate::time::Time;
use crate::timers::Timers;
use crate::token::{Key, Owner};
use log::{error, warn};

impl Clients {
    /// Whatever came for somebody who does not wait any more.
    pub(super) fn forsaken(&mut self, ticket: Ticket) {
        let Some(request) = self.work.requests.remove(ticket.0) else {
            return;
        };
        let (pool, undo) = (request.pool, request.undo);
        if let (Some(undo), Some(Ok(reply))) = (undo, request.into_result()) {
            if !reply.is_none() {
                // One that was answered before it was given up has not been counted.
                if let (false, Some(pool)) = (reply.is_late(), self.pools.get_mut(pool)) {
                    pool.late += 1;
                }
                let reply = reply.into_value();
                self.late.push(Late { pool, undo, reply });
            }
        }
    }

    /// The elements for whom nobody waits any more.
    pub(crate) fn take_late(&mut self) -> Vec<Late> {
        std::mem::take(&mut self.late)
    }

    /// Puts an element back where it came from, if it was taken away.
    pub(crate) fn give_back(&mut self, late: Late, timers: &mut Timers) {
        if let (Some(command), Some(pool)) = (late.give_back(), self.pools.get_mut(late.pool)) {
            pool.returns.count += 1;
            self.ask_aside(late.pool, Aside::GiveBack(late), command, timers);
        }
    }

    /// A task of the program's decides about an element of this pool.
    pub(crate) fn lend(&mut self, pool: Key) {
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.returns.count += 1;
        }
    }

    /// It has.
    pub(crate) fn lent_is_over(&mut self, pool: Key) {
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.returns.count -= 1;
        }
    }

    /// The server has taken an element back, or has not.
    pub(super) fn given_back(&mut self, late: Late, result: Result<Reply>, timers: &mut Timers) {
        let pool_key = late.pool;
        let Some(pool) = self.pools.get_mut(pool_key) else {
            return;
        };
        let (returns, now) = (&mut pool.returns, timers.now());
        let Err(error) = result else {
            returns.refusals = 0;
            returns.count -= 1;
            pool.given_back += 1;
            return;
        };
        if !may_succeed_later(&error) || returns.until.is_some_and(|until| until <= now) {
            returns.count -= 1;
            pool.unknown += 1;
            error!(
                "{}: an element could not be put back: {error}",
                pool.address
            );
            return;
        }
        returns.again.push(late);
        if returns.pause.is_none() {
            warn!("{}: elements wait to be put back: {error}", pool.address);
            let at = now + returns.pause(&pool.config);
            returns.pause = Some((at, timers.arm(at, Owner::Pool(pool_key))));
        }
    }

    /// The timer of a pool has fired: perhaps for those that are to be offered again.
    pub(super) fn returns_due(&mut self, key: Key, now: Time, timers: &mut Timers) {
        let Some(pool) = self.pools.get_mut(key) else {
            return;
        };
        if let Some((_, timer)) = pool.returns.pause.take_if(|(at, _)| *at <= now) {
            timers.disarm(&mut Some(timer));
            for late in std::mem::take(&mut pool.returns.again) {
                if let Some(command) = late.give_back() {
                    self.ask_aside(key, Aside::GiveBack(late), command, timers);
                }
            }
        }
    }

    /// Elements that go back have as long as any command from now on: the program wants to end.
    pub(crate) fn begin_last_offers(&mut self, timers: &Timers) {
        for pool in self.pools.values_mut() {
            pool.limit_returns(timers.now());
        }
    }

    /// It goes on.
    pub(crate) fn end_last_offers(&mut self) {
        for pool in self.pools.values_mut() {
            if !pool.is_closing {
                pool.returns.until = None;
            }
        }
    }
}

impl super::pool::Pool {
    /// The last offers begin.
    pub(super) fn limit_returns(&mut self, now: Time) {
        let until = now + self.config.command_timeout;
        self.returns.until.get_or_insert(until);
    }
}

/// Whether an element was not taken, and may be another time. What the server says of the command, or of our rights,
/// it will say again.
fn may_succeed_later(error: &Error) -> bool {
    let for_good = ["ERR", "NOPERM", "NOAUTH", "WRONGTYPE"];
    !error.maybe_executed() && error.code().is_none_or(|code| !for_good.contains(&code))
}
