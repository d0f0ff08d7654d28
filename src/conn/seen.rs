//! What happened to connections and requests, for who watches.
//!
//! Nothing here is told to anybody: connections know no hub, and must not call programs from the middle of a change. So it is taken
//! down, in order, and the hub fetches it before it tells of anything else. While nobody watches, each place costs one look
//! at one flag, and the list stays empty.

use super::clients::Clients;
use super::connection::State;
use super::request::{Progress, Replies, Ticket};
use super::work::{Answer, Work};
use crate::driver::Endpoint;
use crate::error::Error;
use crate::time::Time;
use crate::token::Key;
use std::fmt;
use std::time::Duration;

/// The list, and whether anybody wants it.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) on: bool,
    seen: Vec<Seen>,
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

impl Clients {
    /// Whether what happens is to be taken down from now on.
    pub(crate) fn watch(&mut self, on: bool) {
        self.work.log = Log {
            on,
            seen: Vec::new(),
        };
    }

    /// What has happened since the last call.
    pub(crate) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.work.log.seen)
    }

    /// Gives the empty list back, to be used again.
    pub(crate) fn put_seen(&mut self, list: Vec<Seen>) {
        debug_assert!(list.is_empty() && self.work.log.seen.is_empty());
        self.work.log.seen = list;
    }
}

impl Work {
    /// A connection is ready: if it had nothing to say first, it was connected just now.
    #[cold]
    pub(super) fn saw_ready(&mut self, key: Key, before: State) {
        if !matches!(before, State::Handshake { .. }) {
            self.log.add(Seen::Connected(ConnId(key)));
        }
        self.log.add(Seen::Ready(ConnId(key)));
    }

    /// A connection has been given the bytes of a request. `grace` is how many milliseconds longer than its own timeout a blocking
    /// one may take; the shared connection has none.
    #[cold]
    pub(super) fn saw_sent(
        &mut self,
        conn: Key,
        ticket: Ticket,
        command: CommandName,
        grace: Option<u32>,
    ) {
        let Some(request) = self.requests.get(ticket.0) else {
            return;
        };
        let has_end = request.deadline().is_some();
        let timeout = grace
            .filter(|_| has_end)
            .map(|grace| Duration::from_millis(u64::from(request.allowance.saturating_sub(grace))));
        let commands = match &request.progress {
            Progress::Sent {
                replies: Replies::Many(batch),
                ..
            } => batch.commands(),
            _ => 1,
        };
        let seen = Sent {
            conn: ConnId(conn),
            ticket,
            task: request.task,
            command,
            commands,
            timeout,
        };
        self.log.add(Seen::Sent(seen));
    }

    /// A reply has come. Only the last of a pipeline answers it.
    #[cold]
    pub(super) fn saw_answer(&mut self, conn: Key, ticket: Ticket, answer: &Answer, now: Time) {
        let request = self.requests.get(ticket.0);
        let what = match (request.map(|it| &it.progress), answer) {
            (None, _) | (_, Answer::Unwanted) => Heard::Unwanted,
            (_, Answer::TooEarly(error)) | (Some(Progress::Done(Err(error))), _) => {
                Heard::Error(error.clone())
            }
            (Some(Progress::Done(Ok(reply))), _) if !reply.is_none() => Heard::Value,
            (Some(Progress::Done(_) | Progress::Cancelled), _) => Heard::Nil,
            (Some(_), _) => return,
        };
        let seen = Answered {
            conn: ConnId(conn),
            ticket,
            task: request.map(|it| it.task),
            what,
            took: request.map_or(Duration::ZERO, |it| now.since(it.since)),
        };
        self.log.add(Seen::Answered(seen));
    }

    /// Somebody does not wait any longer.
    #[cold]
    pub(super) fn saw_given_up(&mut self, conn: Option<Key>, ticket: Ticket, what: Given) {
        if let Some(request) = self.requests.get(ticket.0) {
            let seen = Seen::GivenUp(conn.map(ConnId), ticket, request.task, what);
            self.log.add(seen);
        }
    }
}
