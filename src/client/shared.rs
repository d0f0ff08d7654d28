//! The connection that all commands share which do not block.

use super::wait_queue::WaitQueue;
use crate::token::Key;

/// The shared connection of a client, if there is one, and the requests that wait for it. They are
/// all sent in one write once it is up. What waits here was not sent, and can be withdrawn.
#[derive(Debug)]
pub(super) struct SharedConnection {
    pub(super) conn: Option<Key>,
    pub(super) waiting: WaitQueue,
}

impl SharedConnection {
    pub(super) fn new() -> SharedConnection {
        SharedConnection {
            conn: None,
            waiting: WaitQueue::with_capacity(0),
        }
    }

    /// True if it is to be dialed.
    pub(super) fn wants_dial(&self) -> bool {
        self.conn.is_none() && !self.waiting.is_empty()
    }
}
