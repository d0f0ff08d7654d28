//! All clients, connections and requests of a hub: the tables, and what the hub drives.
//!
//! Nothing is read, written or waited for here. The hub reports what the kernel did (`on_dialed`,
//! `on_writable`, `on_bytes`, `on_written`, `on_closed`, and timers), and fetches what is to be done
//! from one queue each: `poll_dial`, `poll_write`, `poll_close`, `take_completed`,
//! `take_undelivered`, `take_events`. The time comes with the [`Timers`].
//!
//! | file | entry points |
//! |---|---|
//! | `clients.rs` | what programs ask for: open, submit, take |
//! | `clients/dials.rs` | connects: from the wish for a connection to one that carries requests |
//! | `clients/io.rs` | the kernel: writable, written, closed |
//! | `clients/replies.rs` | what a reply does to its request and to its connection |
//! | `clients/cancels.rs` | requests that are cancelled, clients that are closed |
//! | `clients/control_commands.rs` | questions to the server, and elements that go back |
//! | `clients/deadlines.rs` | timers |
//! | `clients/check.rs` | what must hold between two turns |

mod cancels;
mod check;
mod connect_failures;
mod control_commands;
mod deadlines;
mod dials;
mod io;
mod parts;
mod replies;

pub(crate) use self::cancels::CancelResult;
pub(crate) use self::dials::connect_error;

use self::parts::Parts;

use super::backoff::PoolState;
use super::client::Client;
use super::command::{COMMAND_BYTES, Lane, ReplyCount};
use super::connection::{Connection, State};
use super::events::ClientEvent;
use super::handshake::Opening;
use super::in_flight::Pending;
use super::outgoing::{NO_LIMIT, Outgoing, UNSENT, timeout_ms};
use super::output::Output;
use super::payload::{Payload, PayloadCache};
use super::pool::PoolStats;
use super::request::{Completion, Place, Request, Requests, Ticket, client_closed};
use super::requeue::{Requeue, Undelivered};
use super::write_buf::WriteBuf;
use crate::address::Address;
use crate::config::{Config, WhenFull};
use crate::driver::Endpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::timers::Timers;
use crate::token::{Key, Slots};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Clients {
    clients: Slots<Client>,
    conns: Slots<Connection>,
    requests: Requests,
    out: Output,
    payloads: PayloadCache,
    /// Clients that are being closed.
    closing: Vec<Key>,
    /// The connect that is being started: its opening, how many bytes that has, and all first bytes.
    dialing: (Opening, usize, Vec<u8>),
}

/// A command that is submitted to a client.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) bytes: WriteBuf,
    pub(crate) replies: ReplyCount,
    pub(crate) lane: Lane,
    /// How the element of a blocking command goes back.
    pub(crate) requeue: Requeue,
    /// True for a slice of a wait without a timeout.
    pub(crate) repeats: bool,
}

/// Where a request is whose reply is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestLocation {
    /// It waits for a dedicated connection of this client.
    Queued { client: Key },
    /// A dedicated connection carries it: dial `number` of its client.
    Dedicated { client: Key, number: u64 },
    /// The shared connection carries it, or will.
    Shared { client: Key, is_up: bool },
}

impl Clients {
    pub(crate) fn new() -> Clients {
        Clients {
            clients: Slots::new(),
            conns: Slots::roomy(),
            requests: Requests::new(),
            out: Output::new(),
            payloads: PayloadCache::default(),
            closing: Vec::new(),
            dialing: (Opening::none(), 0, Vec::new()),
        }
    }

    pub(crate) fn open(
        &mut self,
        address: Address,
        endpoints: Vec<Endpoint>,
        config: Config,
        seed: u64,
    ) -> Key {
        let client = Client::new(address, endpoints, config, seed);
        self.clients.insert(client)
    }

    pub(crate) fn stats(&self, client: Key) -> PoolStats {
        self.clients
            .get(client)
            .map(Client::stats)
            .unwrap_or_default()
    }

    pub(crate) fn state(&self, client: Key) -> PoolState {
        let Some(client) = self.clients.get(client) else {
            return PoolState::default();
        };
        let shared = client.shared.conn.and_then(|key| self.conns.get(key));
        client.state(shared.is_some_and(Connection::is_up))
    }

    pub(crate) fn address(&self, client: Key) -> Option<&Address> {
        Some(&self.clients.get(client)?.address)
    }

    pub(crate) fn config(&self, client: Key) -> Option<&Config> {
        Some(&self.clients.get(client)?.config)
    }

    /// Why the last connect failed, if it did.
    pub(crate) fn last_failure(&self, client: Key) -> Option<&Error> {
        self.clients.get(client)?.dialer.backoff.failure()
    }

    /// All clients.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &Address, PoolStats)> {
        let clients = self.clients.iter();
        clients.map(|(key, client)| (key, &client.address, client.stats()))
    }

    /// Requests that have not ended.
    pub(crate) fn pending(&self) -> usize {
        self.requests.pending()
    }

    /// True if there is something to write, to dial, to close or to deliver.
    pub(crate) fn has_work(&self) -> bool {
        !self.out.is_empty() || self.has_completed() || !self.requests.undelivered.is_empty()
    }

    /// An empty buffer for a command.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.out.buffers.take(COMMAND_BYTES)
    }

    /// Accepts a request of `task`.
    pub(crate) fn submit(
        &mut self,
        client_key: Key,
        task: Key,
        submission: Submission,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let client = self.clients.get(client_key);
        let client = client.filter(|client| !client.is_closing);
        let client =
            client.ok_or_else(|| Error::new(ErrorKind::Misuse, "the client was closed"))?;
        let request = Request {
            waiter: Some(task),
            client: client_key,
            requeue: matches!(submission.lane, Lane::Dedicated(_)).then_some(submission.requeue),
            cancel: None,
            place: Place::Queued,
        };
        match submission.lane {
            Lane::Shared => Ok(self.submit_shared(client_key, request, submission, timers)),
            Lane::Dedicated(timeout) => {
                let blocks = timeout.duration().map_or(NO_LIMIT, timeout_ms);
                let timeout_ms = blocks.saturating_add(client.unblock_after_ms);
                self.submit_dedicated(client_key, request, submission, timeout_ms, timers)
            }
        }
    }

    fn submit_dedicated(
        &mut self,
        client_key: Key,
        request: Request,
        submission: Submission,
        timeout_ms: u32,
        timers: &mut Timers,
    ) -> Result<Ticket> {
        let now = timers.now();
        let idle = self.pop_idle(client_key);
        let client = self.clients.get_mut(client_key);
        let client = client.ok_or_else(client_closed)?;
        let fails = client.config.when_full == WhenFull::Fail;
        if idle.is_none() && fails && client.pool.would_wait(&client.config) {
            let max = client.config.max_connections.unwrap_or_default();
            let message = format!("all {max} connections are in use");
            return Err(Error::new(ErrorKind::PoolFull, message));
        }
        let ticket = self.requests.insert(request);
        let outgoing = Outgoing {
            ticket,
            payload: self.payloads.intern(submission.bytes.unsent()),
            since: UNSENT,
            timeout_ms,
            repeats: submission.repeats,
            tries: 0,
        };
        self.out.buffers.put(submission.bytes.into_buffer());
        if let Some(key) = idle {
            if let Some(mut parts) = self.parts(key) {
                parts.put(key, outgoing, 0, now);
            }
            self.sync_conn(key, timers);
            return Ok(ticket);
        }
        let is_first = client.pool.waiting.is_empty();
        client.pool.waiting.push(outgoing, ReplyCount::One, now);
        self.out.queue_dial(client_key, client);
        if is_first {
            self.sync_client(client_key, timers);
        }
        Ok(ticket)
    }

    /// The idle connection that was used last.
    fn pop_idle(&mut self, client: Key) -> Option<Key> {
        let client = self.clients.get_mut(client)?;
        // One that has ended since leaves a stale key.
        std::iter::from_fn(|| client.pool.pop_idle()).find(|&key| {
            let conn = self.conns.get(key);
            conn.is_some_and(|conn| conn.state == State::Idle)
        })
    }

    fn submit_shared(
        &mut self,
        client_key: Key,
        mut request: Request,
        submission: Submission,
        timers: &mut Timers,
    ) -> Ticket {
        let now = timers.now();
        let shared = self.clients.get(client_key).and_then(|it| it.shared.conn);
        let conn = shared.and_then(|key| self.conns.get_mut(key));
        if let (Some(key), Some(conn)) = (shared, conn.filter(|conn| conn.is_up())) {
            request.place = Place::InFlight(key);
            let ticket = self.requests.insert(request);
            let Submission { bytes, replies, .. } = submission;
            if self.out.events.on {
                let sent = (bytes.unsent(), replies);
                self.out
                    .events
                    .sent(&self.requests, key, ticket, sent, None);
            }
            let len = bytes.unsent().len() as u64;
            let free = conn.send_buf(bytes);
            conn.push(Pending::Request(ticket), replies, len, now);
            self.out.queue_write(key, conn);
            self.out.buffers.put(free);
            if conn.timer.is_none() {
                self.sync_conn(key, timers);
            }
            return ticket;
        }
        let ticket = self.requests.insert(request);
        let outgoing = Outgoing {
            ticket,
            payload: Payload::new(submission.bytes),
            since: UNSENT,
            timeout_ms: NO_LIMIT,
            repeats: false,
            tries: 0,
        };
        if let Some(client) = self.clients.get_mut(client_key) {
            client
                .shared
                .waiting
                .push(outgoing, submission.replies, now);
            self.out.queue_dial(client_key, client);
        }
        self.sync_client(client_key, timers);
        ticket
    }

    /// The requests that have ended since the last call, each with the task that waits for it.
    pub(crate) fn take_completed(&mut self) -> Vec<(Key, Ticket)> {
        std::mem::take(&mut self.requests.completed)
    }

    /// True if there are any.
    pub(crate) fn has_completed(&self) -> bool {
        !self.requests.completed.is_empty()
    }

    /// Returns the empty list, to be used again.
    pub(crate) fn put_completed(&mut self, list: Vec<(Key, Ticket)>) {
        debug_assert!(list.is_empty());
        if self.requests.completed.is_empty() {
            self.requests.completed = list;
        }
    }

    /// The elements that no task claims.
    pub(crate) fn take_undelivered(&mut self) -> Vec<Undelivered> {
        std::mem::take(&mut self.requests.undelivered)
    }

    /// The task that waits for a request; `None` also when the request is gone.
    pub(crate) fn waiter(&self, ticket: Ticket) -> Option<Key> {
        self.requests.get(ticket)?.waiter
    }

    /// True if a request exists, be it that its result was not taken.
    pub(crate) fn has_request(&self, ticket: Ticket) -> bool {
        self.requests.get(ticket).is_some()
    }

    /// The tasks that wait for requests.
    pub(crate) fn waiters(&self) -> impl Iterator<Item = Key> {
        self.requests
            .iter()
            .filter_map(|(_, request)| request.waiter)
    }

    /// Sets the task that waits for a reply that is still to come. False when it has come, or never
    /// will.
    pub(crate) fn await_reply(&mut self, ticket: Ticket, task: Option<Key>) -> bool {
        match self.requests.get_mut(ticket) {
            Some(request) if !request.is_done() => {
                request.waiter = task;
                true
            }
            _ => false,
        }
    }

    /// The result of a request that has ended. Its ticket is stale from now on.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Completion> {
        self.requests.take(ticket)
    }

    /// Where a request is; `None` when it has ended.
    pub(crate) fn locate(&self, ticket: Ticket) -> Option<RequestLocation> {
        let request = self.requests.get(ticket)?;
        let client = request.client;
        match (&request.place, request.requeue) {
            (Place::Done(_) | Place::Cancelled, _) => None,
            (Place::Queued, Some(_)) => Some(RequestLocation::Queued { client }),
            (Place::InFlight(conn), Some(_)) => {
                let number = self.conns.get(*conn)?.number;
                Some(RequestLocation::Dedicated { client, number })
            }
            (place, None) => {
                let is_up = matches!(place, Place::InFlight(_));
                Some(RequestLocation::Shared { client, is_up })
            }
        }
    }

    /// Begins or ends recording events.
    pub(crate) fn record_events(&mut self, on: bool) {
        self.out.events.set(on);
    }

    /// The events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<ClientEvent> {
        self.out.events.take()
    }

    /// Returns the empty list, to be used again.
    pub(crate) fn put_events(&mut self, list: Vec<ClientEvent>) {
        self.out.events.put_back(list);
    }

    /// A connection and its client.
    #[inline]
    fn parts(&mut self, key: Key) -> Option<Parts<'_>> {
        let conn = self.conns.get_mut(key)?;
        let client = self.clients.get_mut(conn.client)?;
        Some(Parts {
            conn,
            client,
            requests: &mut self.requests,
            out: &mut self.out,
        })
    }
}
