//! The events of connections and requests, and the list they are kept in until the hub fetches them.

use super::request::Ticket;
use crate::driver::Endpoint;
use crate::error::Error;
use crate::token::Key;
use std::fmt;
use std::time::Duration;

/// The list, and whether anybody wants it.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) on: bool,
    pub(super) seen: Vec<Seen>,
}

/// One thing that happened; `task` is who asked or waits; `nobody`, where the library has asked itself.
#[derive(Debug)]
pub(crate) enum Seen {
    Dialed(ConnId, u64, bool, Endpoint),
    Connected(ConnId),
    Greets(ConnId),
    Ready(ConnId),
    Sent(Sent),
    Answered(Answered),
    GivenUp(Option<ConnId>, Ticket, Key, Given),
    Idle(ConnId),
    NotConnected(ConnId, Error),
    Closed(ConnId, Error),
}

#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) conn: ConnId,
    pub(crate) ticket: Ticket,
    pub(crate) task: Key,
    pub(crate) command: CommandName,
    pub(crate) commands: usize,
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) conn: ConnId,
    pub(crate) ticket: Ticket,
    pub(crate) task: Option<Key>,
    pub(crate) what: Heard,
    pub(crate) took: Duration,
}

/// Names a connection of a hub, of whatever client. It goes stale when the connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnId(pub(crate) Key);

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {:?}", self.0)
    }
}

/// What an answer is.
#[derive(Debug)]
pub(crate) enum Heard {
    Nil,
    Value,
    Error(Error),
    Unwanted,
}

/// What becomes of a request that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Given {
    /// It was not sent, and never will be.
    NotSent,
    /// The server is asked to end it; its answer will say whether an element came.
    TakenBack,
    /// Nobody waits for its answer any more.
    Abandoned,
}

/// The name of a command, such as `BRPOP`. What is not a graphic ASCII character stands there as a question mark, and a
/// name of more than 23 bytes is cut short. It never has an argument: those may be secrets.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandName {
    bytes: [u8; NAME_BYTES],
    len: u8,
}

const NAME_BYTES: usize = 23;

impl CommandName {
    /// The name of the first command that is encoded here.
    pub(crate) fn of(encoded: &[u8]) -> CommandName {
        // "*3\r\n$5\r\nBRPOP\r\n...": it stands on the third line.
        let mut lines = encoded.split(|&byte| byte == b'\n');
        let name = lines.nth(2).unwrap_or_default();
        let name = name.strip_suffix(b"\r").unwrap_or(name);
        let mut bytes = [0; NAME_BYTES];
        let mut len = 0;
        for (to, from) in bytes.iter_mut().zip(name) {
            *to = match from.is_ascii_graphic() {
                true => from.to_ascii_uppercase(),
                false => b'?',
            };
            len += 1;
        }
        CommandName { bytes, len }
    }

    /// The name, in capitals.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or("?")
    }
}

impl fmt::Debug for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Log {
    #[cold]
    pub(super) fn add(&mut self, seen: Seen) {
        self.seen.push(seen);
    }
}
