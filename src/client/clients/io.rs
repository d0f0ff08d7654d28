//! What the kernel did, and what it is to do: writes, ends and closes. Reads are in `replies.rs`, and
//! connects in `dials.rs`.

use super::super::backoff::ConnectFailure;
use super::super::cancel::UnblockReply;
use super::super::client::DialKind;
use super::super::connection::{Connection, State};
use super::super::events::{ClientEvent, ConnId};
use super::super::in_flight::Pending;
use super::{Clients, Parts};
use crate::driver::Socket;
use crate::error::{Error, ErrorKind};
use crate::timers::Timers;
use crate::token::Key;
use log::debug;

impl Clients {
    /// The kernel reports room to write: a connect has finished, as far as can be told without
    /// asking.
    pub(crate) fn on_writable(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts {
            conn, client, out, ..
        }) = self.parts(key)
        else {
            return;
        };
        if conn.state != State::Connecting {
            return out.queue_write(key, conn);
        }
        let kind = match () {
            () if client.shared.conn == Some(key) => DialKind::Shared,
            () if client.control.conn == Some(key) => DialKind::Control,
            () => DialKind::Dedicated,
        };
        let proofs = client.proofs(kind, conn.number);
        let (opening, opening_bytes, first) = &mut self.dialing;
        first.clear();
        if let Some(client) = self
            .conns
            .get(key)
            .and_then(|it| self.clients.get(it.client))
        {
            *opening = client.handshake.open(proofs, first);
            *opening_bytes = first.len();
        }
        self.connected(key, 0, timers);
    }

    /// The socket of a connection that exists.
    pub(crate) fn socket(&self, key: Key) -> Option<Socket> {
        self.conns.get(key)?.socket
    }

    /// True while a connect has not finished.
    pub(crate) fn is_connecting(&self, key: Key) -> bool {
        let conn = self.conns.get(key);
        conn.is_some_and(|conn| conn.state == State::Connecting)
    }

    /// How many connections have something to write.
    pub(crate) fn writes(&self) -> usize {
        self.out.writes.len()
    }

    /// The next connection that has something to write, and its bytes.
    pub(crate) fn poll_write(&mut self) -> Option<(Key, Socket, &[u8])> {
        while let Some(key) = self.out.writes.pop_front() {
            if let Some(conn) = self.conns.get_mut(key) {
                conn.write_queued = false;
                if conn.socket.is_some() && !conn.unsent().is_empty() {
                    let conn = self.conns.get(key)?;
                    return Some((key, conn.socket?, conn.unsent()));
                }
            }
        }
        None
    }

    /// The kernel has taken `count` bytes. With `and_more`, the rest is written in the next turn;
    /// without, when the kernel says that it has room.
    pub(crate) fn on_written(&mut self, key: Key, count: usize, and_more: bool) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if let Some(free) = conn.on_written(count) {
            self.out.buffers.put(free);
        } else if and_more {
            self.out.queue_write(key, conn);
        }
    }

    /// The sockets that are to be closed.
    pub(crate) fn poll_close(&mut self) -> impl Iterator<Item = Socket> {
        self.out.closes.drain(..)
    }

    /// A connection has ended, in whatever state it was.
    pub(crate) fn on_closed(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        if conn.is_up() {
            client.dialer.backoff.suspect();
            self.close_with(key, error, timers);
        } else {
            self.connect_failed(key, error, ConnectFailure::Network, timers);
        }
    }

    /// Ends a connection. What is in flight on it fails, each request with what is known about it.
    pub(super) fn close_with(&mut self, key: Key, error: &Error, timers: &mut Timers) {
        let Some(mut conn) = self.conns.remove(key) else {
            return;
        };
        debug!("connection {key:?} ended: {error}");
        if self.out.events.on {
            let event = ClientEvent::Closed(ConnId(key), error.clone());
            self.out.events.push(event);
        }
        timers.disarm(&mut conn.timer);
        self.out.closes.extend(conn.socket);
        let was_control =
            self.clients.get(conn.client).map(|it| it.control.conn) == Some(Some(key));
        if let Some(client) = self.clients.get_mut(conn.client) {
            let conns = &self.conns;
            client.pool.remove(&conn, |key| conns.get(key).is_some());
            client.dialer.mark_accepted(conn.number);
            client.forget(key);
            self.out.queue_dial(conn.client, client);
        }
        self.fail_in_flight(&mut conn, error, timers);
        if was_control {
            self.postpone_questions(conn.client, timers);
        }
    }

    fn fail_in_flight(&mut self, conn: &mut Connection, error: &Error, timers: &mut Timers) {
        let written = conn.written();
        let was_written = conn.is_request_written();
        if let Some(outgoing) = conn.take_request() {
            let told = match was_written {
                true => error.clone().after_sending(),
                false => error.clone(),
            };
            if let Some(client) = self.clients.get_mut(conn.client) {
                client.counters.indeterminate += u64::from(was_written);
            }
            return self.requests.fail(outgoing.ticket, told);
        }
        let Some(queue) = conn.queue_mut() else {
            return;
        };
        let mut error = error.clone();
        for entry in queue.drain() {
            let told = match entry.is_begun(written) {
                true => error.clone().after_sending(),
                false => error.clone(),
            };
            match entry.pending {
                Pending::Request(ticket) => self.requests.fail(ticket, told),
                Pending::Unblock(target) => {
                    let reply = match told.maybe_executed() {
                        true => UnblockReply::Lost,
                        false => UnblockReply::NotNow,
                    };
                    self.on_unblock_reply(target, reply, timers);
                }
                Pending::Requeue(element) => {
                    self.on_requeue_failed(*element, &told, timers);
                }
            }
            // Only the first entry was late, or had a reply that could not be read.
            if matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol) {
                error = Error::new(ErrorKind::Closed, format!("connection closed: {error}"));
            }
        }
    }
}
