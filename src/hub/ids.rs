//! Handles of tasks, streams and listeners. All are keys of the hub's tables.

use crate::token::Key;
use std::fmt;

/// Names a task. It goes stale when the task has ended and its outcome is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskId(pub(crate) Key);

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {:?}", self.0)
    }
}

/// A byte stream: a TCP or UNIX connection. A handle, which goes stale when the stream is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream(pub(super) Key);

/// A listening socket. A handle, which goes stale when the listener is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listener(pub(super) Key);

/// A [`Stream`] or a [`Listener`]: what a task can own, and hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(pub(super) Key);

impl From<Stream> for Handle {
    fn from(stream: Stream) -> Handle {
        Handle(stream.0)
    }
}

impl From<Listener> for Handle {
    fn from(listener: Listener) -> Handle {
        Handle(listener.0)
    }
}

impl Stream {
    pub(super) fn key(self) -> Key {
        self.0
    }
}

impl Listener {
    pub(super) fn key(self) -> Key {
        self.0
    }
}
