//! What has not happened in time: connects, handshakes, replies, and waits for a connection.

use super::cancel::Next;
use super::clients::Clients;
use super::connection::State;
use super::giving_up::{GaveUp, set_timer};
use super::link::Trouble;
use super::pool::Pool;
use super::request::{GivenUp, Progress};
use crate::error::{Error, ErrorKind};
use crate::time::Time;
use crate::timers::Timers;
use crate::token::{Key, Owner};
use std::time::Duration;

const NO_CONNECTION: &str = "no connection was free or could be made in time";

impl Clients {
    /// The timer of a connection has fired: a handshake or a reply is late, or the shared connection could not be
    /// made in all this time.
    pub(crate) fn conn_due(&mut self, key: Key, timers: &mut Timers) {
        let Some((conn, pool, _)) = self.parts(key) else {
            return;
        };
        if conn.timer.is_some_and(|timer| timers.is_armed(timer)) {
            // Whatever was due before this one in the same turn has set it anew.
            return;
        }
        conn.timer = None;
        match conn.state {
            State::Ready if conn.cancels() => self.cancel_due(key, timers),
            State::Ready => self.reply_due(key, timers),
            State::Handshake { .. } => {
                let within = pool.config.handshake_timeout;
                let server = pool.endpoints.get(conn.endpoint);
                let message = format!("{server} has not answered the handshake within {within:?}");
                let error = Error::new(ErrorKind::Timeout, message);
                self.connect_failed(key, &error, Trouble::Network, timers);
            }
            State::Dialing | State::Connecting => {
                self.shared_due(key, timers);
            }
        }
    }

    /// Those who have waited longest for the shared connection may have waited too long.
    pub(super) fn shared_due(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        loop {
            let Some((conn, pool, work)) = self.parts(key) else {
                return;
            };
            timers.disarm(&mut conn.timer);
            let error = no_connection(pool);
            let requests = &work.requests;
            let first = conn.lane.iter().find(|it| requests.get(it.0).is_some());
            let request = first.and_then(|it| Some((it, requests.get(it.0)?)));
            let Some((ticket, request)) = request else {
                // Nobody waits for it any more.
                return self.lost(key, &error, timers);
            };
            let at = request.since + pool.config.pool_timeout;
            if at > now {
                conn.timer = Some(timers.arm(at, Owner::Conn(key)));
                return;
            }
            if let Progress::Sent { end, .. } = request.progress {
                conn.lane.drop_until(ticket, end);
            }
            work.finish(ticket, error);
        }
    }

    /// The same, at a bad moment: it fires again after a while.
    pub(crate) fn conn_due_later(&mut self, key: Key, after: Duration, timers: &mut Timers) {
        if let Some(conn) = self.conns.get_mut(key) {
            timers.disarm(&mut conn.timer);
            conn.timer = Some(timers.arm(timers.now() + after, Owner::Conn(key)));
        }
    }

    /// The reply at the front of the line may be late. If nobody waits for that one any more, it is due for as long
    /// after the last reply as any command on the shared connection: else those who give up early would
    /// never notice that nothing comes at all.
    fn reply_due(&mut self, key: Key, timers: &mut Timers) {
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        let Some(front) = conn.lane.front() else {
            return;
        };
        let (at, within) = match work.requests.get(front.0) {
            Some(request) => (request.deadline(), request.allowed()),
            None => {
                let within = pool.config.command_timeout;
                (Some(conn.since + within), within)
            }
        };
        let Some(at) = at else {
            return;
        };
        if at > timers.now() {
            // The timer was set for a request that has been answered since.
            conn.timer = Some(timers.arm(at, Owner::Conn(key)));
            return;
        }
        match self.give_up(front, GivenUp::ByPool, timers) {
            GaveUp::UnderWay => {}
            GaveUp::TakenBack => {
                let message = format!("it could not be written within {within:?}");
                let error = Error::new(ErrorKind::Timeout, message);
                self.work.uncancel(front, &error);
            }
            GaveUp::No => self.too_late(key, within, timers),
        }
    }

    /// A reply has not come within so long, which is the end of its connection.
    fn too_late(&mut self, key: Key, within: Duration, timers: &mut Timers) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        let message = match conn.decoder.progress() {
            Some(part) => format!("no complete reply within {within:?}: {part}"),
            None => format!("no reply within {within:?}"),
        };
        self.lost(key, &Error::new(ErrorKind::Timeout, message), timers);
    }

    /// The timer of a connection has fired on which something is being taken back: a pause is over, or all hope.
    fn cancel_due(&mut self, key: Key, timers: &mut Timers) {
        let Some((conn, pool, work)) = self.parts(key) else {
            return;
        };
        let Some(cancel) = conn.cancel.as_mut() else {
            return;
        };
        if cancel.until() > timers.now() {
            let next = match cancel.pauses() {
                true => cancel.go_on(),
                false => Next::Wait,
            };
            set_timer(key, conn, None, timers);
            return self.go_on(key, next, timers);
        }
        if cancel.id().is_none() {
            pool.ask_ids_at_connect();
        }
        let front = conn.lane.front();
        let request = front.and_then(|front| work.requests.get(front.0));
        let within = match request {
            Some(request) if request.given_up == GivenUp::ByPool => {
                request.allowed() + pool.config.grace() / 2
            }
            _ => pool.config.cancel_timeout,
        };
        self.too_late(key, within, timers);
    }

    /// The timer of a pool has fired: a pause is over, a connect takes too long, or somebody has waited
    /// too long for a connection.
    pub(crate) fn pool_due(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some(pool) = self.pools.get_mut(key) else {
            return;
        };
        if let Some((_, timer)) = pool.pause.take_if(|(until, _)| *until <= now) {
            timers.disarm(&mut Some(timer));
            self.work.mark_hungry(key, pool);
        }
        self.returns_due(key, now, timers);
        self.dials_due(key, now, timers);
        self.waiting_due(key, now, timers);
    }

    /// The same, at a bad moment: what has fired fires again after a while.
    pub(crate) fn pool_due_later(&mut self, key: Key, after: Duration, timers: &mut Timers) {
        let at = timers.now() + after;
        let held = self.pools.get_mut(key).map(Pool::timers);
        for timer in held.into_iter().flatten().flatten() {
            if !timers.is_armed(*timer) {
                *timer = timers.arm(at, Owner::Pool(key));
            }
        }
    }

    fn dials_due(&mut self, key: Key, now: Time, timers: &mut Timers) {
        loop {
            let Some(pool) = self.pools.get_mut(key) else {
                return;
            };
            timers.disarm(&mut pool.dialing_timer);
            let Some(&first) = pool.dialing.front() else {
                return;
            };
            let dialing = self.conns.get(first);
            let dialing = dialing.filter(|conn| conn.state == State::Connecting);
            let within = pool.config.connect_timeout;
            let at = dialing.map(|conn| conn.since + within);
            if let Some(at) = at.filter(|&at| at > now) {
                pool.dialing_timer = Some(timers.arm(at, Owner::Pool(key)));
                return;
            }
            pool.dialing.pop_front();
            if let Some(conn) = dialing {
                let server = pool.endpoints.get(conn.endpoint);
                let message = format!("{server} has not connected within {within:?}");
                let error = Error::new(ErrorKind::Timeout, message);
                self.connect_failed(first, &error, Trouble::Network, timers);
            }
        }
    }

    fn waiting_due(&mut self, key: Key, now: Time, timers: &mut Timers) {
        loop {
            let Some(pool) = self.pools.get_mut(key) else {
                return;
            };
            timers.disarm(&mut pool.line.timer);
            let requests = &self.work.requests;
            let first = pool.line.tickets().find_map(|it| requests.get(it.0));
            let Some(request) = first else {
                return;
            };
            let at = request.since + pool.config.pool_timeout;
            if at > now {
                pool.line.timer = Some(timers.arm(at, Owner::Pool(key)));
                return;
            }
            let error = no_connection(pool);
            self.work.fail_waiting(pool, &error, 1, timers);
        }
    }
}

/// What those are told who have waited for a connection in vain.
fn no_connection(pool: &Pool) -> Error {
    let message = match pool.link.failure() {
        Some(failure) => format!("{NO_CONNECTION}: {failure}"),
        None => NO_CONNECTION.to_owned(),
    };
    Error::new(ErrorKind::Timeout, message)
}
