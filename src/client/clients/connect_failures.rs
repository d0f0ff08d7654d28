//! Connections that could not be made, and the requests that wait for one.

use super::super::backoff::ConnectFailure;
use super::super::cancel::CancelCause;
use super::super::connection::State;
use super::super::events::{ClientEvent, ConnId};
use super::super::in_flight::Pending;
use super::super::request::client_closed;
use super::{Clients, Parts};
use crate::error::{Error, ErrorKind};
use crate::timers::Timers;
use crate::token::Key;
use log::debug;

impl Clients {
    /// A connection could not be made. The next address is tried; where none is left, it is tried
    /// again after a pause, or the requests that wait fail, all of them, since the next dial would
    /// end the same way. Only a connect that took too long says nothing about the next one.
    pub(super) fn connect_failed(
        &mut self,
        key: Key,
        error: &Error,
        failure: ConnectFailure,
        timers: &mut Timers,
    ) {
        let Some(Parts {
            conn, client, out, ..
        }) = self.parts(key)
        else {
            return;
        };
        debug!("{}: {error}", client.address);
        if out.events.on {
            let event = ClientEvent::NotConnected(ConnId(key), error.clone());
            out.events.push(event);
        }
        let unreached = conn.state == State::Connecting;
        if unreached && client.dialer.endpoints.on_failure(conn.endpoint) {
            return self.close_with(key, error, timers);
        }
        let (client_key, is_dedicated) = (conn.client, conn.is_dedicated());
        let config = &client.config;
        let retries = client
            .dialer
            .on_failure(failure, error, timers.now(), config);
        if failure == ConnectFailure::Full {
            self.return_unread(key, error, timers);
        }
        let client = self.clients.get(client_key);
        if retries && client.is_some_and(|it| !it.is_closing || it.is_draining()) {
            if failure == ConnectFailure::Full {
                self.make_room(key, timers);
            }
            self.close_with(key, error, timers);
            return self.sync_client(client_key, timers);
        }
        self.close_with(key, error, timers);
        match (error.is_timeout(), is_dedicated) {
            (true, true) => self.fail_waiting(client_key, error, 1, timers),
            (true, false) => self.fail_shared_waiting(client_key, error),
            (false, _) => {
                self.fail_waiting(client_key, error, usize::MAX, timers);
                self.fail_shared_waiting(client_key, error);
            }
        }
        self.sync_client(client_key, timers);
    }

    /// The server is full, and has read nothing from this connection: what it carries was not
    /// executed.
    fn return_unread(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        let Some(mut parts) = self.parts(key) else {
            return;
        };
        if let Some(outgoing) = parts.conn.take_request() {
            let request = parts.requests.get(outgoing.ticket);
            match request.and_then(|request| request.cancel) {
                None | Some(CancelCause::Overdue) => parts.requeue(outgoing, true, timers.now()),
                Some(CancelCause::Task) => parts.requests.end_cancelled(outgoing.ticket),
                Some(CancelCause::Close) => parts.requests.fail(outgoing.ticket, client_closed()),
            }
            return;
        }
        let Some(queue) = parts.conn.queue_mut() else {
            return;
        };
        for entry in queue.drain() {
            if let Pending::Request(ticket) = entry.pending {
                parts.requests.fail(ticket, error.clone());
            }
        }
    }

    /// Closes a connection so that this one, which found no room, can be dialed again at once: an
    /// idle one, or, for a question that has found no room twice, the one that it asks about.
    pub(super) fn make_room(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        if conn.is_dedicated() {
            return;
        }
        let client_key = conn.client;
        let is_control = client.control.conn == Some(key);
        let is_stuck = is_control && std::mem::replace(&mut client.control.found_no_room, true);
        let victim = self.pop_idle(client_key).or_else(|| {
            let client = self.clients.get_mut(client_key)?;
            is_stuck.then(|| client.control.questions.pop()).flatten()
        });
        let Some(victim) = victim else {
            return;
        };
        let error = Error::new(
            ErrorKind::Closed,
            "the server has no room for another connection",
        );
        self.close_with(victim, &error, timers);
        if let Some(client) = self.clients.get_mut(client_key) {
            client.dialer.end_pause();
            self.out.queue_dial(client_key, client);
        }
    }

    /// Fails the first `count` requests that wait for a dedicated connection.
    pub(super) fn fail_waiting(
        &mut self,
        client_key: Key,
        error: &Error,
        count: usize,
        timers: &mut Timers,
    ) {
        let Some(client) = self.clients.get_mut(client_key) else {
            return;
        };
        for _ in 0..count {
            let requests = &mut self.requests;
            client
                .pool
                .waiting
                .skip_cancelled(|it| requests.is_live(it));
            let Some(entry) = client.pool.waiting.pop() else {
                break;
            };
            requests.fail(entry.outgoing.ticket, error.clone());
        }
        self.sync_client(client_key, timers);
    }

    /// Fails all requests that wait for the shared connection.
    pub(super) fn fail_shared_waiting(&mut self, client_key: Key, error: &Error) {
        let Some(client) = self.clients.get_mut(client_key) else {
            return;
        };
        let waiting = &mut client.shared.waiting;
        loop {
            waiting.skip_cancelled(|it| self.requests.is_live(it));
            let Some(entry) = waiting.pop() else {
                return;
            };
            self.requests.fail(entry.outgoing.ticket, error.clone());
        }
    }
}
