//! Requests that are cancelled or dropped, and clients that are closed.

use super::super::cancel::{Action, Cancel, CancelCause, Knows, UnblockReply};
use super::super::connection::{Connection, State};
use super::super::events::CancelAction;
use super::super::in_flight::InFlight;
use super::super::outgoing::Outgoing;
use super::super::request::{Place, Ticket, client_closed};
use super::{Clients, Parts};
use crate::error::{Error, ErrorKind};
use crate::timers::Timers;
use crate::token::Key;

/// What becomes of a request that is to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelResult {
    /// It was not sent, and never will be.
    Withdrawn,
    /// Its answer will come, or it has failed meanwhile.
    Pending,
    /// It cannot be cancelled: it has ended, waits for a connection, or shares one.
    NotCancellable,
}

impl Clients {
    /// Cancels what a task waits for, which waits on if the result is
    /// [`Pending`](CancelResult::Pending).
    pub(crate) fn cancel(
        &mut self,
        ticket: Ticket,
        cause: CancelCause,
        timers: &mut Timers,
    ) -> CancelResult {
        let Some(key) = self.in_flight_on(ticket) else {
            return CancelResult::NotCancellable;
        };
        let Some(Parts {
            conn,
            client,
            requests,
            out,
        }) = self.parts(key)
        else {
            return CancelResult::NotCancellable;
        };
        if !conn.is_dedicated() || !client.cancels() {
            return CancelResult::NotCancellable;
        }
        let is_begun = conn.is_request_begun();
        if out.events.on {
            let action = match is_begun {
                true => CancelAction::Unblocking,
                false => CancelAction::Withdrawn,
            };
            out.events.cancelled(requests, Some(key), ticket, action);
        }
        if !is_begun {
            self.withdraw(key, timers);
            return CancelResult::Withdrawn;
        }
        if let Some(request) = requests.get_mut(ticket) {
            request.cancel = Some(cause);
        }
        if !conn.is_cancelling() {
            self.begin_cancel(key, cause, timers);
        }
        CancelResult::Pending
    }

    /// The connection that carries a request.
    fn in_flight_on(&self, ticket: Ticket) -> Option<Key> {
        match self.requests.get(ticket)?.place {
            Place::InFlight(key) => Some(key),
            _ => None,
        }
    }

    /// Takes a request off its connection that has not been sent.
    pub(super) fn withdraw(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts {
            conn,
            client,
            requests,
            ..
        }) = self.parts(key)
        else {
            return;
        };
        if let Some(outgoing) = conn.withdraw() {
            requests.withdraw(outgoing.ticket);
            client.counters.cancelled += 1;
        }
        if let Some(mut parts) = self.parts(key) {
            parts.release(key, 0, timers);
            parts.sync_conn(key, timers);
        }
    }

    /// Begins to cancel what a dedicated connection carries.
    fn begin_cancel(&mut self, key: Key, cause: CancelCause, timers: &mut Timers) {
        let now = timers.now();
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        let config = &client.config;
        let within = match cause {
            // A wait without a timeout is not ended by a server that reads nothing for a while.
            CancelCause::Overdue if conn.request().is_some_and(|it| it.repeats) => {
                config.command_timeout.max(config.grace() / 2)
            }
            CancelCause::Overdue => config.grace() / 2,
            CancelCause::Task | CancelCause::Close => config.cancel_timeout,
        };
        let knows = match conn.client_id {
            _ if conn.is_reply_arriving() => Knows::ReplyBegun,
            Some(_) => Knows::Id,
            None if conn.opening().awaits_id() => Knows::NotYet,
            // There is nothing to ask by: its answer may still come.
            None if cause == CancelCause::Overdue => Knows::ReplyBegun,
            None => {
                let conn_client = conn.client;
                self.log_refusal(conn_client, "CLIENT ID is refused");
                let error = Error::new(ErrorKind::Closed, "the command could not be cancelled");
                return self.close_with(key, &error, timers);
            }
        };
        let (cancel, action) = Cancel::begin(knows, now, now + within);
        client.pool.set_state(conn, State::Cancelling);
        conn.cancel = Some(Box::new(cancel));
        self.perform(key, action, timers);
    }

    /// Does what the state of a cancel asks for.
    pub(super) fn perform(&mut self, key: Key, action: Action, timers: &mut Timers) {
        match action {
            Action::Wait => {}
            Action::Ask => self.ask_unblock(key, timers),
            Action::Free => {
                let Some(mut parts) = self.parts(key) else {
                    return;
                };
                // A push may be arriving: the connection is free when all of it has come.
                if !parts.conn.is_value_arriving() {
                    parts.conn.cancel = None;
                    parts.release(key, 0, timers);
                }
            }
            Action::Close => {
                let error = Error::new(ErrorKind::Closed, "the command could not be cancelled");
                self.close_with(key, &error, timers);
            }
        }
        self.sync_conn(key, timers);
    }

    /// A question about a connection has been answered, or never will be.
    pub(super) fn on_unblock_reply(&mut self, key: Key, reply: UnblockReply, timers: &mut Timers) {
        let conn = self.conns.get_mut(key);
        let cancel = conn.and_then(|conn| conn.cancel.as_mut());
        if let Some(cancel) = cancel {
            let action = cancel.on_unblock_reply(reply, timers.now());
            self.perform(key, action, timers);
        }
    }

    /// The deadline of a cancel: a pause is over, or the connection is given up.
    pub(super) fn on_cancel_deadline(&mut self, key: Key, timers: &mut Timers) {
        let now = timers.now();
        let Some(Parts {
            conn,
            client,
            requests,
            ..
        }) = self.parts(key)
        else {
            return;
        };
        let client_key = conn.client;
        let Some(cancel) = conn.cancel.as_mut() else {
            return;
        };
        if cancel.until() > now {
            let action = cancel.on_time(now);
            return self.perform(key, action, timers);
        }
        let (began, is_held) = (cancel.began(), cancel.asks());
        let config = &client.config;
        let slice = config.forever_round.unwrap_or_default();
        let limit = began + slice.max(config.command_timeout);
        let request = conn.request();
        let cause = request.and_then(|it| requests.get(it.ticket)?.cancel);
        let (within, extends) = match request {
            Some(outgoing) if cause == Some(CancelCause::Overdue) => {
                let timeout = outgoing.timeout().unwrap_or_default();
                (timeout + config.grace() / 2, outgoing.repeats && is_held)
            }
            _ => (config.cancel_timeout, false),
        };
        if extends && limit > now && self.control_was_heard(client_key, began) {
            return self.extend_cancel(key, limit, timers);
        }
        self.close_timed_out(key, within, timers);
    }

    /// True if the control connection has brought something since `since`: the server is alive.
    fn control_was_heard(&self, client: Key, since: crate::time::Time) -> bool {
        let control = self.clients.get(client).and_then(|it| it.control.conn);
        let conn = control.and_then(|key| self.conns.get(key));
        conn.is_some_and(|conn| conn.is_up() && conn.last_progress >= since)
    }

    fn extend_cancel(&mut self, key: Key, until: crate::time::Time, timers: &mut Timers) {
        let conn = self.conns.get_mut(key);
        if let Some(cancel) = conn.and_then(|conn| conn.cancel.as_mut()) {
            cancel.extend(until);
        }
        self.sync_conn(key, timers);
    }

    /// Drops a request that no task will wait for again. Its ticket is stale from now on.
    ///
    /// What was not sent never will be. What the shared connection carries is executed all the same,
    /// and its reply is dropped when it comes. A blocking command is cancelled; an element that it
    /// brings all the same is undelivered.
    pub(crate) fn drop_request(&mut self, ticket: Ticket, timers: &mut Timers) {
        let Some(request) = self.requests.get(ticket) else {
            return;
        };
        match request.place {
            Place::Done(_) | Place::Cancelled => self.discard(ticket),
            Place::Queued => self.drop_queued(ticket, timers),
            Place::InFlight(key) => self.drop_in_flight(ticket, key, timers),
        }
    }

    fn discard(&mut self, ticket: Ticket) {
        let client = self.requests.get(ticket).map(|request| request.client);
        let is_uncounted = self.requests.discard(ticket);
        let client = client.and_then(|client| self.clients.get_mut(client));
        if let (true, Some(client)) = (is_uncounted, client) {
            client.counters.undelivered += 1;
        }
    }

    fn drop_queued(&mut self, ticket: Ticket, timers: &mut Timers) {
        if self.out.events.on {
            let action = CancelAction::Withdrawn;
            self.out
                .events
                .cancelled(&self.requests, None, ticket, action);
        }
        let Some(request) = self.requests.get(ticket) else {
            return;
        };
        let (client_key, is_blocking) = (request.client, request.requeue.is_some());
        self.requests.discard(ticket);
        let requests = &self.requests;
        if let Some(client) = self.clients.get_mut(client_key) {
            let queue = match is_blocking {
                true => &mut client.pool.waiting,
                false => &mut client.shared.waiting,
            };
            queue.cancel_one(|it| requests.is_live(it));
        }
        self.sync_client(client_key, timers);
    }

    fn drop_in_flight(&mut self, ticket: Ticket, key: Key, timers: &mut Timers) {
        match self.cancel(ticket, CancelCause::Task, timers) {
            CancelResult::Pending => {
                // The connection may have been lost at once.
                match self.requests.get_mut(ticket) {
                    Some(request) if !request.is_done() => request.waiter = None,
                    _ => self.discard(ticket),
                }
            }
            CancelResult::Withdrawn => self.discard(ticket),
            CancelResult::NotCancellable => {
                if self.out.events.on {
                    let action = CancelAction::Ignored;
                    self.out
                        .events
                        .cancelled(&self.requests, Some(key), ticket, action);
                }
                self.requests.discard(ticket);
                if self.conns.get(key).is_some_and(Connection::is_dedicated) {
                    let error = Error::new(ErrorKind::Killed, "the request was cancelled");
                    self.close_with(key, &error, timers);
                }
            }
        }
    }

    /// Drops all requests of a task that has ended.
    pub(crate) fn drop_requests_of(&mut self, task: Key, timers: &mut Timers) {
        let requests = self.requests.iter();
        let of_task = requests.filter(|(_, request)| request.waiter == Some(task));
        for ticket in of_task.map(|(ticket, _)| ticket).collect::<Vec<_>>() {
            self.drop_request(ticket, timers);
        }
    }

    /// True if anything is cancelled, or put back.
    pub(crate) fn is_draining(&self) -> bool {
        let mut clients = self.clients.iter();
        !self.requests.undelivered.is_empty() || clients.any(|(_, client)| client.is_draining())
    }

    /// Closes a client: fails what was not sent and what shares a connection, cancels what blocks,
    /// and forgets the client when that is done.
    pub(crate) fn close(&mut self, client_key: Key, timers: &mut Timers) {
        let error = client_closed();
        let client = self.clients.get_mut(client_key);
        let Some(client) = client.filter(|client| !client.is_closing) else {
            return;
        };
        client.is_closing = true;
        let timeout = client.config.command_timeout;
        client.control.requeues.limit(timers.now(), timeout);
        let control = client.control.conn;
        self.closing.push(client_key);
        self.fail_waiting(client_key, &error, usize::MAX, timers);
        self.fail_shared_waiting(client_key, &error);
        for key in self.conns_of(client_key) {
            if Some(key) != control {
                self.close_conn(key, &error, timers);
            }
        }
        self.finish_closing(timers);
    }

    fn conns_of(&self, client: Key) -> Vec<Key> {
        let conns = self.conns.iter();
        let of_client = conns.filter(|(_, conn)| conn.client == client);
        of_client.map(|(key, _)| key).collect()
    }

    fn close_conn(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        let ticket = match &conn.in_flight {
            InFlight::One(Some(Outgoing { ticket, .. })) => *ticket,
            // One that was answered while a question about it is under way is still cancelling.
            InFlight::One(None) if conn.is_cancelling() => return,
            _ => return self.close_with(key, error, timers),
        };
        match self.cancel(ticket, CancelCause::Close, timers) {
            CancelResult::Pending => {}
            CancelResult::Withdrawn => self.requests.fail_withdrawn(ticket, error.clone()),
            CancelResult::NotCancellable => self.close_with(key, error, timers),
        }
        // A connection that was released by this is idle now.
        let conn = self.conns.get(key);
        if conn.is_some_and(|conn| conn.state == State::Idle) {
            self.close_with(key, error, timers);
        }
    }

    /// Forgets the clients that are being closed and have nothing left to cancel.
    pub(crate) fn finish_closing(&mut self, timers: &mut Timers) {
        let mut closing = std::mem::take(&mut self.closing);
        closing.retain(|&key| !self.finish_close(key, timers));
        self.closing.extend(closing);
    }

    fn finish_close(&mut self, client_key: Key, timers: &mut Timers) -> bool {
        let mut undelivered = self.requests.undelivered.iter();
        let has_undelivered = undelivered.any(|it| it.client == client_key);
        let client = self.clients.get(client_key);
        if has_undelivered || client.is_some_and(|client| client.is_draining()) {
            return false;
        }
        let error = client_closed();
        for key in self.conns_of(client_key) {
            self.close_with(key, &error, timers);
        }
        if let Some(mut client) = self.clients.remove(client_key) {
            timers.disarm(&mut client.timer);
        }
        true
    }
}
