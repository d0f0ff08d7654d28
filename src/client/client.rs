//! One client: the pool, the shared connection, the control connection, and the dialer that makes
//! connections for them.

use super::backoff::PoolState;
use super::control::ControlConnection;
use super::dialer::Dialer;
use super::handshake::{Handshake, Proofs};
use super::outgoing::timeout_ms;
use super::pool::{Pool, PoolStats};
use super::shared::SharedConnection;
use crate::address::Address;
use crate::config::{ClientIds, Config};
use crate::driver::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::time::Time;
use crate::token::Key;
use crate::wheel::Timer;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Client {
    pub(super) address: Address,
    pub(super) config: Config,
    /// How long after its own timeout a blocking command is cancelled, in milliseconds.
    pub(super) unblock_after_ms: u32,
    pub(super) handshake: Handshake,
    pub(super) dialer: Dialer,
    pub(super) pool: Pool,
    pub(super) shared: SharedConnection,
    pub(super) control: ControlConnection,
    pub(super) counters: Counters,
    /// Armed for the client's deadline, or earlier.
    pub(super) timer: Option<Timer>,
    /// No request is accepted any more.
    pub(super) is_closing: bool,
}

/// What has become of blocking commands, see [`PoolStats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) dropped: u64,
    pub(super) cancelled: u64,
    pub(super) undelivered: u64,
    pub(super) requeued: u64,
    pub(super) indeterminate: u64,
}

/// The connection that a dial is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DialKind {
    Control,
    Shared,
    Dedicated,
}

const NO_CONNECTION: &str = "no connection was free or could be made in time";

impl Client {
    pub(super) fn new(
        address: Address,
        endpoints: Vec<Endpoint>,
        mut config: Config,
        seed: u64,
    ) -> Client {
        // No listener takes them.
        config.limits.skip_pushes = true;
        Client {
            handshake: Handshake::new(&address, address.protocol),
            unblock_after_ms: timeout_ms(config.unblock_after()),
            dialer: Dialer::new(endpoints, seed),
            address,
            config,
            pool: Pool::new(),
            shared: SharedConnection::new(),
            control: ControlConnection::new(),
            counters: Counters::default(),
            timer: None,
            is_closing: false,
        }
    }

    pub(super) fn stats(&self) -> PoolStats {
        let (created, available) = (self.pool.created(), self.pool.available());
        PoolStats {
            created,
            in_use: created - available,
            available,
            waiting: self.pool.waiting.live_len(),
            shared: self.shared.conn.is_some(),
            connects: self.dialer.started(),
            connects_retried: self.dialer.retried,
            replies_dropped: self.counters.dropped,
            cancelled: self.counters.cancelled,
            undelivered: self.counters.undelivered,
            requeued: self.counters.requeued,
            indeterminate: self.counters.indeterminate,
        }
    }

    /// Whether the server can be reached, given whether the shared connection is up.
    pub(super) fn state(&self, shared_is_up: bool) -> PoolState {
        let has_any = shared_is_up || self.pool.created() > self.pool.connecting();
        self.dialer.backoff.state(has_any)
    }

    /// True if connections are identified, so that commands can be cancelled.
    pub(super) fn cancels(&self) -> bool {
        self.config.client_ids != ClientIds::Never
    }

    /// The connection that is to be dialed now, if any.
    pub(super) fn next_dial(&self) -> Option<DialKind> {
        if !self.dialer.may_dial(&self.config) {
            return None;
        }
        let is_suspect = self.dialer.backoff.is_suspect();
        if self.control.wants_dial() {
            Some(DialKind::Control)
        } else if self.shared.wants_dial() {
            Some(DialKind::Shared)
        } else if self.pool.wants_dial(is_suspect, &self.config) {
            Some(DialKind::Dedicated)
        } else {
            None
        }
    }

    /// What a connection must prove before its answers are believed.
    pub(super) fn proofs(&self, kind: DialKind, number: u64) -> Proofs {
        let (cancels, is_suspect) = (self.cancels(), self.dialer.backoff.is_suspect());
        let is_shared = kind == DialKind::Shared;
        let is_control = kind == DialKind::Control;
        let is_probe =
            !cancels && self.handshake.is_empty() && Dialer::is_probe(number, &self.config);
        Proofs {
            client_id: cancels && kind == DialKind::Dedicated,
            ping: is_suspect || is_control || is_probe || (is_shared && cancels),
            info: is_control,
            waits: is_suspect || is_control || is_shared && cancels,
        }
    }

    /// When something is to be done: a request has waited too long, or a pause is over.
    pub(super) fn deadline(&self) -> Option<Time> {
        let timeout = self.config.pool_timeout;
        let deadlines = [
            self.pool.waiting.deadline(timeout),
            self.shared.waiting.deadline(timeout),
            self.dialer.deadline(),
            self.control.requeues.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// True if something is cancelled, or is put back.
    pub(super) fn is_draining(&self) -> bool {
        self.pool.cancelling() > 0 || !self.control.requeues.is_empty()
    }

    /// The error of requests that have waited for a connection in vain.
    pub(super) fn no_connection(&self) -> Error {
        let message = match self.dialer.backoff.failure() {
            Some(failure) => format!("{NO_CONNECTION}: {failure}"),
            None => NO_CONNECTION.to_owned(),
        };
        Error::new(ErrorKind::Timeout, message)
    }

    /// A connection of this client has ended.
    pub(super) fn forget(&mut self, key: Key) {
        if self.shared.conn == Some(key) {
            self.shared.conn = None;
        }
        if self.control.conn == Some(key) {
            self.control.conn = None;
        }
    }
}
