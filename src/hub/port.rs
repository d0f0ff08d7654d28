//! The table of streams and listeners: see `ports.rs`.

use super::task::Direction;
use crate::driver::Socket;
use crate::token::{Key, Slots};

/// What a task reads, writes or accepts on. A listener is readable when somebody wants to connect.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) socket: Socket,
    pub(super) task: Key,
    /// The next port of the same task.
    pub(super) next: Option<Key>,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The end or an error stands behind what is still to be read: no further event will say so.
    pub(super) ended: bool,
    /// Who waits, and for what. Some may have been woken by something else since.
    pub(super) waiters: Vec<(Key, Direction)>,
}

pub(super) type Ports = Slots<Port>;

impl Direction {
    /// Whether this is what a socket is ready for.
    pub(super) fn is(self, readable: bool, writable: bool) -> bool {
        match self {
            Direction::Read => readable,
            Direction::Write => writable,
            Direction::Either => readable || writable,
        }
    }
}
