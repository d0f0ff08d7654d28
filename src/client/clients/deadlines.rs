//! Timers: armed in one place, for deadlines that connections and clients are asked for.
//!
//! A timer is armed for a deadline or earlier. One that fires early finds nothing due, and is armed
//! again. So a deadline that moves back with each reply, as that of the shared connection, costs
//! nothing but a look.

use super::super::backoff::ConnectFailure;
use super::super::cancel::CancelCause;
use super::super::connection::Overdue;
use super::super::in_flight::Pending;
use super::replies::no_longer_served;
use super::{Clients, Parts};
use crate::error::{Error, ErrorKind};
use crate::time::Time;
use crate::timers::Timers;
use crate::token::{Key, Owner};
use crate::wheel::Timer;
use std::time::Duration;

/// Arms a timer for a deadline, unless it fires by then.
#[inline]
fn arm(timer: &mut Option<Timer>, deadline: Option<Time>, owner: Owner, timers: &mut Timers) {
    let Some(at) = deadline else {
        return timers.disarm(timer);
    };
    if timer.is_some_and(|timer| timers.fires_by(timer, at)) {
        return;
    }
    timers.disarm(timer);
    *timer = Some(timers.arm(at, owner));
}

impl Parts<'_> {
    /// Arms the timer of the connection for its deadline.
    #[inline]
    pub(super) fn sync_conn(&mut self, key: Key, timers: &mut Timers) {
        let deadline = self.conn.deadline(&self.client.config);
        arm(&mut self.conn.timer, deadline, Owner::Conn(key), timers);
    }

    /// Arms the timer of the client for its deadline.
    pub(super) fn sync_client(&mut self, timers: &mut Timers) {
        let (deadline, owner) = (self.client.deadline(), Owner::Pool(self.conn.client));
        arm(&mut self.client.timer, deadline, owner, timers);
    }
}

impl Clients {
    /// Arms the timer of a connection for its deadline.
    pub(super) fn sync_conn(&mut self, key: Key, timers: &mut Timers) {
        if let Some(mut parts) = self.parts(key) {
            parts.sync_conn(key, timers);
        }
    }

    /// Arms the timer of a client for its deadline.
    #[inline]
    pub(super) fn sync_client(&mut self, key: Key, timers: &mut Timers) {
        if let Some(client) = self.clients.get_mut(key) {
            let deadline = client.deadline();
            arm(&mut client.timer, deadline, Owner::Pool(key), timers);
        }
    }

    /// Postpones what has fired by `after`: what it waits for may have arrived, and was not read
    /// yet.
    pub(crate) fn postpone(&mut self, owner: Owner, after: Duration, timers: &mut Timers) {
        let timer = match owner {
            Owner::Conn(key) => self.conns.get_mut(key).map(|conn| &mut conn.timer),
            Owner::Pool(key) => self.clients.get_mut(key).map(|client| &mut client.timer),
            Owner::Task(_) | Owner::Port(_) => None,
        };
        if let Some(timer) = timer {
            timers.disarm(timer);
            *timer = Some(timers.arm(timers.now() + after, owner));
        }
    }

    /// The timer of a connection has fired.
    pub(crate) fn on_conn_timer(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        if !conn.timer.is_some_and(|timer| timers.is_armed(timer)) {
            conn.timer = None;
        }
        let config = &client.config;
        match conn.on_deadline(config, timers.now()) {
            Overdue::Nothing => {}
            Overdue::Connect => {
                let server = client.dialer.endpoints.get(conn.endpoint);
                let within = config.connect_timeout;
                let message = format!("{server} has not connected within {within:?}");
                self.opening_failed(key, message, timers);
            }
            Overdue::Opening => {
                let server = client.dialer.endpoints.get(conn.endpoint);
                let within = config.handshake_timeout;
                let message = format!("{server} has not answered the handshake within {within:?}");
                self.opening_failed(key, message, timers);
            }
            Overdue::Answer => self.on_answer_overdue(key, timers),
            Overdue::Requests => self.fail_late_requests(key, timers),
            Overdue::Silent(within) => self.close_timed_out(key, within, timers),
            Overdue::Pause => self.resume(key, timers),
            Overdue::Cancel => self.on_cancel_deadline(key, timers),
        }
        self.sync_conn(key, timers);
    }

    fn opening_failed(&mut self, key: Key, message: String, timers: &mut Timers) {
        let error = Error::new(ErrorKind::Timeout, message);
        self.connect_failed(key, &error, ConnectFailure::Network, timers);
    }

    /// The answer to a blocking command is late: the server is asked to end it.
    fn on_answer_overdue(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        let Some(outgoing) = conn.request() else {
            return;
        };
        let (ticket, within) = (outgoing.ticket, outgoing.timeout().unwrap_or_default());
        if !conn.is_request_begun() {
            self.withdraw(key, timers);
            let message = format!("it could not be written within {within:?}");
            let error = Error::new(ErrorKind::Timeout, message);
            return self.requests.fail_withdrawn(ticket, error);
        }
        if conn.is_reply_arriving() || !client.cancels() {
            return self.close_timed_out(key, within, timers);
        }
        self.cancel(ticket, CancelCause::Overdue, timers);
    }

    /// Fails the requests of the shared connection that are late, while replies to others still
    /// arrive.
    fn fail_late_requests(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts {
            conn,
            client,
            requests,
            ..
        }) = self.parts(key)
        else {
            return;
        };
        let timeout = client.config.command_timeout;
        let (is_arriving, written) = (conn.is_reply_arriving(), conn.written());
        let Some(queue) = conn.queue_mut() else {
            return;
        };
        while let Some(entry) = queue.next_late(is_arriving, timeout, timers.now()) {
            let Pending::Request(ticket) = entry.pending else {
                continue;
            };
            let message = format!("no reply within {timeout:?}");
            let error = Error::new(ErrorKind::Timeout, message);
            let told = match entry.is_begun(written) {
                true => error.after_sending(),
                false => error,
            };
            requests.fail(ticket, told);
        }
    }

    /// A reply has not come within so long, which is the end of its connection.
    pub(super) fn close_timed_out(&mut self, key: Key, within: Duration, timers: &mut Timers) {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        client.dialer.backoff.suspect();
        let message = match conn.reply_progress() {
            Some(part) => format!("no complete reply within {within:?}: {part}"),
            None => format!("no reply within {within:?}"),
        };
        let error = Error::new(ErrorKind::Timeout, message);
        self.close_with(key, &error, timers);
    }

    /// Sends a request again that the server was not ready for.
    fn resume(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some(mut parts) = self.parts(key) else {
            return;
        };
        if let Some(outgoing) = parts.conn.take_request() {
            let tries = outgoing.tries;
            parts.send_again(key, outgoing, tries, now);
        }
    }

    /// The timer of a client has fired: a pause is over, or requests have waited too long for a
    /// connection.
    pub(crate) fn on_client_timer(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if !client.timer.is_some_and(|timer| timers.is_armed(timer)) {
            client.timer = None;
        }
        if client.dialer.on_time(now) {
            self.out.queue_dial(key, client);
            self.close_refused_shared(key, timers);
        }
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        client.control.requeues.on_time(now);
        self.expire_requeues(key, timers);
        self.send_requeues(key, timers);
        self.expire_waiting(key, now);
        self.sync_client(key, timers);
    }

    /// Closes a shared connection on which commands were refused, now that it may be dialed again.
    fn close_refused_shared(&mut self, key: Key, timers: &mut Timers) {
        let Some(shared) = self.clients.get(key).and_then(|it| it.shared.conn) else {
            return;
        };
        let conn = self.conns.get(shared);
        if conn.is_some_and(|conn| conn.must_close && conn.in_flight.is_empty()) {
            self.close_with(shared, &no_longer_served(), timers);
        }
    }

    /// Sends the elements whose pause is over.
    fn send_requeues(&mut self, key: Key, timers: &mut Timers) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if client.control.requeues.ready.is_empty() {
            return;
        }
        match client
            .control
            .conn
            .is_some_and(|conn| self.conns.get(conn).is_some_and(|it| it.is_up()))
        {
            true => self.pump_control(key, timers),
            false => self.out.queue_dial(key, client),
        }
    }

    /// Fails the requests that have waited too long for a connection.
    fn expire_waiting(&mut self, key: Key, now: Time) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let (requests, timeout) = (&mut self.requests, client.config.pool_timeout);
        let error = client.no_connection();
        for queue in [&mut client.pool.waiting, &mut client.shared.waiting] {
            loop {
                queue.skip_cancelled(|it| requests.is_live(it));
                if queue.deadline(timeout).is_none_or(|at| at > now) {
                    break;
                }
                if let Some(entry) = queue.pop() {
                    requests.fail(entry.outgoing.ticket, error.clone());
                }
            }
        }
    }
}
