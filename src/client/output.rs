//! What the hub is to do for the clients: connects, writes and closes, and what happened.

use super::client::Client;
use super::connection::Connection;
use super::events::EventLog;
use super::write_buf::BufferPool;
use crate::driver::Socket;
use crate::token::{Key, ROOM};
use std::collections::VecDeque;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Output {
    /// Clients that may want to dial.
    pub(super) dials: VecDeque<Key>,
    /// Connections that have something to write.
    pub(super) writes: VecDeque<Key>,
    /// Sockets to be closed.
    pub(super) closes: Vec<Socket>,
    /// Buffers for what is written.
    pub(super) buffers: BufferPool,
    pub(super) events: EventLog,
}

impl Output {
    pub(super) fn new() -> Output {
        Output {
            dials: VecDeque::new(),
            writes: VecDeque::with_capacity(ROOM),
            closes: Vec::new(),
            buffers: BufferPool::default(),
            events: EventLog::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.dials.is_empty() && self.writes.is_empty() && self.closes.is_empty()
    }

    /// Has a client looked at for something to dial.
    #[inline]
    pub(super) fn queue_dial(&mut self, key: Key, client: &mut Client) {
        if !client.dialer.is_queued {
            client.dialer.is_queued = true;
            self.dials.push_back(key);
        }
    }

    /// Has a connection written to, if there is something to write.
    #[inline]
    pub(super) fn queue_write(&mut self, key: Key, conn: &mut Connection) {
        if !conn.write_queued && !conn.unsent().is_empty() {
            conn.write_queued = true;
            self.writes.push_back(key);
        }
    }
}
