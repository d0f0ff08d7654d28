//! From the wish for a connection to a connection that carries requests, or to the next attempt.
//!
//! ```text
//!   a request waits ──► Connecting ──► Handshake ──► (usable)
//!         ▲                 │              │
//!         │                 └──────┬───────┘
//!         │                        ▼
//!         │                  connect_failed ─────────► the requests that wait fail:
//!         │                        │                   the next dial would end the same way
//!         └────────────────────────┘
//!           there is another address, or room was made: at once
//!           the server may come back: after a pause, see `backoff.rs`
//! ```
//!
//! No request waits for a certain connect, only for a connection. So a dial that has failed is
//! forgotten, another one begins, and the requests in the queue notice nothing.

use super::super::backoff::ConnectFailure;
use super::super::client::DialKind;
use super::super::connection::{Connection, State};
use super::super::dialer::NoRoom;
use super::super::events::{ClientEvent, ConnId};
use super::super::handshake::{Handshake, Opening};
use super::super::in_flight::{InFlight, Pending, Queue};
use super::super::request::Place;
use super::{Clients, Parts};
use crate::address::Protocol;
use crate::driver::{Connect, Endpoint};
use crate::error::{Error, ErrorKind};
use crate::time::ms;
use crate::timers::Timers;
use crate::token::Key;
use log::debug;
use std::io;
use std::time::Duration;

/// The kernel repeats a lost SYN after one second: a connect that took nearly as long has lost one.
const SYN_LOST_AFTER: Duration = ms(900);

/// A connect that is to be started.
#[derive(Debug)]
pub(crate) struct Dial<'a> {
    pub(crate) conn: Key,
    pub(crate) endpoint: &'a Endpoint,
    /// Written with the connect, if the kernel finishes it at once.
    pub(crate) first: &'a [u8],
    /// Many small writes will follow each other: they must not wait for one another's ACK.
    pub(crate) no_delay: bool,
    /// Its first answer will not prove that it is not connected to itself.
    pub(crate) checks_self: bool,
    pub(crate) keepalive: Option<Duration>,
}

impl Clients {
    /// The next connect to be started, if the pacing allows one.
    pub(crate) fn poll_dial(&mut self, timers: &mut Timers) -> Option<Dial<'_>> {
        let (client, kind) = self.next_dial()?;
        self.start_dial(client, kind, timers)
    }

    fn next_dial(&mut self) -> Option<(Key, DialKind)> {
        while let Some(&key) = self.out.dials.front() {
            if let Some(client) = self.clients.get_mut(key) {
                if let Some(kind) = client.next_dial() {
                    // Another client goes first next time.
                    self.out.dials.rotate_left(1);
                    return Some((key, kind));
                }
                client.dialer.is_queued = false;
            }
            self.out.dials.pop_front();
        }
        None
    }

    fn start_dial(
        &mut self,
        client_key: Key,
        kind: DialKind,
        timers: &mut Timers,
    ) -> Option<Dial<'_>> {
        let client = self.clients.get_mut(client_key)?;
        let number = client.dialer.start(timers.now(), &client.config);
        let in_flight = match kind {
            DialKind::Dedicated => InFlight::One(None),
            DialKind::Shared | DialKind::Control => InFlight::Many(Box::<Queue>::default()),
        };
        let mut conn = Connection::new(client_key, in_flight, timers.now());
        conn.number = number;
        conn.endpoint = client.dialer.endpoints.current();
        client.pool.add(&conn);
        let key = self.conns.insert(conn);
        match kind {
            DialKind::Dedicated => {}
            DialKind::Shared => client.shared.conn = Some(key),
            DialKind::Control => client.control.conn = Some(key),
        }
        let (opening, opening_bytes, first) = &mut self.dialing;
        first.clear();
        *opening = client.handshake.open(client.proofs(kind, number), first);
        *opening_bytes = first.len();
        if kind == DialKind::Dedicated && !opening.waits() {
            let requests = &self.requests;
            client
                .pool
                .waiting
                .skip_cancelled(|it| requests.is_live(it));
            if let Some(outgoing) = client.pool.waiting.first() {
                first.extend_from_slice(&outgoing.payload);
            }
        }
        if self.out.events.on {
            let to = client
                .dialer
                .endpoints
                .get(client.dialer.endpoints.current());
            let shared = kind == DialKind::Shared;
            let event = ClientEvent::Dialed(ConnId(key), number, shared, to.clone());
            self.out.events.push(event);
        }
        if client.dialer.deadline().is_some() {
            self.sync_client(client_key, timers);
        }
        let client = self.clients.get(client_key)?;
        let proves = self.dialing.0.replies() > 0;
        Some(Dial {
            conn: key,
            endpoint: client
                .dialer
                .endpoints
                .get(client.dialer.endpoints.current()),
            first: &self.dialing.2,
            no_delay: kind != DialKind::Dedicated,
            checks_self: !proves,
            keepalive: client.config.keepalive,
        })
    }

    /// The connect that [`poll_dial`](Clients::poll_dial) has returned last was started, or could
    /// not be.
    pub(crate) fn on_dialed(&mut self, key: Key, result: io::Result<Connect>, timers: &mut Timers) {
        match result {
            Ok(Connect::Done(socket, written)) => {
                if let Some(conn) = self.conns.get_mut(key) {
                    conn.socket = Some(socket);
                }
                self.connected(key, written, timers);
            }
            Ok(Connect::Started(socket)) => {
                if let Some(conn) = self.conns.get_mut(key) {
                    conn.socket = Some(socket);
                }
                self.sync_conn(key, timers);
            }
            Err(error) => self.on_dial_error(key, error, timers),
        }
    }

    fn on_dial_error(&mut self, key: Key, error: io::Error, timers: &mut Timers) {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        let client_key = conn.client;
        let is_alone = client.pool.created() <= usize::from(conn.is_dedicated());
        match NoRoom::of(&error) {
            // Nothing of ours would free a descriptor.
            Some(NoRoom::Descriptors) if is_alone => self.on_connect_error(key, error, timers),
            Some(what) => {
                client.dialer.on_no_room(what, timers.now());
                if what == NoRoom::Descriptors {
                    self.make_room(key, timers);
                }
                let error = Error::new(ErrorKind::Closed, "the kernel had no room for a connect");
                self.close_with(key, &error, timers);
                self.sync_client(client_key, timers);
            }
            None => self.on_connect_error(key, error, timers),
        }
    }

    /// The kernel says how a connect has failed.
    pub(crate) fn on_connect_error(&mut self, key: Key, error: io::Error, timers: &mut Timers) {
        if let Some(Parts { conn, client, .. }) = self.parts(key) {
            let error = connect_error(client.dialer.endpoints.get(conn.endpoint), error);
            self.connect_failed(key, &error, ConnectFailure::Network, timers);
        }
    }

    /// A connect has finished, and `written` of its first bytes have left.
    pub(super) fn connected(&mut self, key: Key, written: usize, timers: &mut Timers) {
        let Clients {
            clients,
            conns,
            requests,
            out,
            dialing: (opening, opening_bytes, first),
            ..
        } = self;
        let Some(conn) = conns.get_mut(key) else {
            return;
        };
        let Some(client) = clients.get_mut(conn.client) else {
            return;
        };
        let (opening, bytes) = (*opening, &first[..*opening_bytes]);
        let mut parts = Parts {
            conn,
            client,
            requests,
            out,
        };
        parts.connected(key, opening, bytes, written, timers);
        if opening.waits() {
            parts.begin_handshake(key);
        } else if parts.conn.is_dedicated() {
            parts.log_ready(key);
            parts.release(key, written.saturating_sub(bytes.len()), timers);
        } else {
            self.ready(key, timers);
            return self.sync_conn(key, timers);
        }
        parts.sync_conn(key, timers);
    }

    /// The last reply to an opening has come.
    pub(super) fn opened(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts {
            conn, client, out, ..
        }) = self.parts(key)
        else {
            return;
        };
        let opening = *conn.opening();
        if opening.falls_back() {
            return self.fall_back(key, opening, timers);
        }
        client.dialer.on_success();
        if opening.proves_readiness() {
            client.dialer.backoff.confirm();
        }
        out.queue_dial(conn.client, client);
        let knows_id = conn.client_id.is_some();
        if let Some(cancel) = &mut conn.cancel {
            let action = cancel.on_id(knows_id);
            self.perform(key, action, timers);
        }
        if opening.waits() {
            self.ready(key, timers);
        }
    }

    /// Starts again in RESP2 on the same connection.
    fn fall_back(&mut self, key: Key, opening: Opening, timers: &mut Timers) {
        let Some(Parts {
            conn, client, out, ..
        }) = self.parts(key)
        else {
            return;
        };
        debug!(
            "{} does not speak RESP3: falling back to RESP2",
            client.address
        );
        client.handshake = Handshake::new(&client.address, Protocol::Resp2);
        let mut bytes = Vec::new();
        let mut proofs = opening.proofs();
        proofs.client_id = conn.is_dedicated() && client.cancels();
        let opening = client.handshake.open(proofs, &mut bytes);
        conn.reopen(opening, timers.now());
        conn.send(&bytes, 0, &mut out.buffers);
        out.queue_write(key, conn);
        if opening.is_done() {
            client.dialer.on_success();
            self.ready(key, timers);
        }
    }

    /// A connection may carry requests.
    fn ready(&mut self, key: Key, timers: &mut Timers) {
        let Some(mut parts) = self.parts(key) else {
            return;
        };
        parts.log_ready(key);
        if parts.conn.is_dedicated() {
            return parts.release(key, 0, timers);
        }
        let client_key = parts.conn.client;
        parts.client.pool.set_state(parts.conn, State::Busy);
        parts.conn.last_progress = timers.now();
        match parts.client.control.conn == Some(key) {
            true => {
                parts.client.control.found_no_room = false;
                self.pump_control(client_key, timers);
            }
            false => self.send_waiting(key, timers),
        }
    }

    /// Sends all requests that have waited for the shared connection.
    fn send_waiting(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts {
            conn,
            client,
            requests,
            out,
        }) = self.parts(key)
        else {
            return;
        };
        let waiting = &mut client.shared.waiting;
        loop {
            waiting.skip_cancelled(|it| requests.is_live(it));
            let Some(entry) = waiting.pop() else {
                break;
            };
            let (ticket, payload) = (entry.outgoing.ticket, entry.outgoing.payload);
            requests.set_place(ticket, Place::InFlight(key));
            if out.events.on {
                let sent = (&*payload, entry.replies);
                out.events.sent(requests, key, ticket, sent, None);
            }
            let (len, pending) = (payload.len() as u64, Pending::Request(ticket));
            out.buffers.put(conn.send_buf(payload.into_write_buf()));
            conn.push(pending, entry.replies, len, timers.now());
        }
        out.queue_write(key, conn);
        let client_key = conn.client;
        self.sync_client(client_key, timers);
    }
}

impl Parts<'_> {
    /// A connect has finished, and `written` of its first bytes have left, which begin with those of
    /// its opening.
    fn connected(
        &mut self,
        key: Key,
        opening: Opening,
        bytes: &[u8],
        written: usize,
        timers: &mut Timers,
    ) {
        let now = timers.now();
        let Parts {
            conn, client, out, ..
        } = self;
        client.dialer.retried += u64::from(now.since(conn.last_progress) >= SYN_LOST_AFTER);
        client.dialer.endpoints.on_success();
        let written = written.min(bytes.len());
        conn.on_connected(opening, bytes, written, &mut out.buffers, now);
        out.queue_write(key, conn);
        if out.events.on {
            out.events.push(ClientEvent::Connected(ConnId(key)));
        }
        if opening.is_done() {
            client.dialer.on_success();
        }
    }

    fn begin_handshake(&mut self, key: Key) {
        if self.out.events.on {
            let event = ClientEvent::HandshakeStarted(ConnId(key));
            self.out.events.push(event);
        }
        self.client.pool.set_state(self.conn, State::Handshake);
    }

    fn log_ready(&mut self, key: Key) {
        if self.out.events.on {
            self.out.events.push(ClientEvent::Ready(ConnId(key)));
        }
    }
}

/// The error of a failed connect.
pub(crate) fn connect_error(endpoint: &Endpoint, error: io::Error) -> Error {
    Error::io(
        ErrorKind::Connect,
        format_args!("cannot connect to {endpoint}"),
        error,
    )
}
