//! What happens to connections and requests, recorded for the hub's observers.
//!
//! The client calls no observer: it must not call programs in the middle of a change. It records
//! events in order, and the hub fetches them before it emits any other event. Without an observer
//! each place costs one look at one flag, and the list stays empty.

use super::command::ReplyCount;
use super::request::{Requests, Ticket};
use crate::driver::Endpoint;
use crate::error::Error;
use crate::resp::Value;
use crate::time::Time;
use crate::token::Key;
use std::fmt;
use std::time::Duration;

/// The events, and whether they are wanted.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    pub(super) on: bool,
    events: Vec<ClientEvent>,
}

/// One thing that happened. `task` is the one that waits for the request, if one does.
#[derive(Debug)]
pub(crate) enum ClientEvent {
    Dialed(ConnId, u64, bool, Endpoint),
    Connected(ConnId),
    HandshakeStarted(ConnId),
    Ready(ConnId),
    Sent(Sent),
    Answered(Answered),
    CancelRequested(Option<ConnId>, Ticket, Option<Key>, CancelAction),
    Idle(ConnId),
    NotConnected(ConnId, Error),
    Closed(ConnId, Error),
}

#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) conn: ConnId,
    pub(crate) ticket: Ticket,
    pub(crate) task: Option<Key>,
    pub(crate) command: CommandName,
    pub(crate) commands: usize,
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) conn: ConnId,
    pub(crate) ticket: Ticket,
    pub(crate) task: Option<Key>,
    pub(crate) answer: AnswerKind,
    pub(crate) took: Duration,
}

/// What an answer is.
#[derive(Debug)]
pub(crate) enum AnswerKind {
    Nil,
    Value,
    Error(Error),
    Unwanted,
}

/// Names a connection of a hub, of whatever client. It goes stale when the connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnId(pub(crate) Key);

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {:?}", self.0)
    }
}

/// What is done about a request that is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelAction {
    /// It was not sent, and never will be.
    Withdrawn,
    /// The server is asked to end it; its answer will say whether an element came.
    Unblocking,
    /// It is executed all the same, and its answer is dropped.
    Ignored,
}

/// The name of a command, such as `BRPOP`. A character that is not graphic ASCII is replaced by a
/// question mark, and a name of more than 23 bytes is cut short. It never holds an argument: those
/// may be secrets.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandName {
    bytes: [u8; NAME_BYTES],
    len: u8,
}

const NAME_BYTES: usize = 23;

impl CommandName {
    /// The name of the first command that is encoded here.
    pub(crate) fn of(encoded: &[u8]) -> CommandName {
        // "*3\r\n$5\r\nBRPOP\r\n...": it is the third line.
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

impl EventLog {
    /// Begins or ends recording; what was recorded before is dropped.
    pub(super) fn set(&mut self, on: bool) {
        *self = EventLog {
            on,
            events: Vec::new(),
        };
    }

    /// The events since the last call.
    pub(super) fn take(&mut self) -> Vec<ClientEvent> {
        std::mem::take(&mut self.events)
    }

    /// Returns the empty list, to be used again.
    pub(super) fn put_back(&mut self, list: Vec<ClientEvent>) {
        debug_assert!(list.is_empty() && self.events.is_empty());
        self.events = list;
    }

    #[cold]
    pub(super) fn push(&mut self, event: ClientEvent) {
        self.events.push(event);
    }

    /// A connection has been given the bytes of a request. `timeout` is how long the server may
    /// block.
    #[cold]
    pub(super) fn sent(
        &mut self,
        requests: &Requests,
        conn: Key,
        ticket: Ticket,
        (bytes, replies): (&[u8], ReplyCount),
        timeout: Option<Duration>,
    ) {
        let request = requests.get(ticket);
        self.push(ClientEvent::Sent(Sent {
            conn: ConnId(conn),
            ticket,
            task: request.and_then(|request| request.waiter),
            command: CommandName::of(bytes),
            commands: match replies {
                ReplyCount::One => 1,
                ReplyCount::Many(count) => count,
            },
            timeout,
        }));
    }

    /// A reply has come for a request, which was put on its connection at `since`.
    #[cold]
    pub(super) fn answered(
        &mut self,
        requests: &Requests,
        conn: Key,
        (ticket, value): (Ticket, &Value),
        since: Time,
        now: Time,
    ) {
        let request = requests.get(ticket).filter(|request| !request.is_done());
        let answer = match value {
            _ if request.is_none() => AnswerKind::Unwanted,
            Value::Error(text) => AnswerKind::Error(Error::server(text)),
            value if value.is_null() => AnswerKind::Nil,
            _ => AnswerKind::Value,
        };
        self.push(ClientEvent::Answered(Answered {
            conn: ConnId(conn),
            ticket,
            task: request.and_then(|request| request.waiter),
            answer,
            took: now.since(since),
        }));
    }

    /// A request is cancelled.
    #[cold]
    pub(super) fn cancelled(
        &mut self,
        requests: &Requests,
        conn: Option<Key>,
        ticket: Ticket,
        action: CancelAction,
    ) {
        if let Some(request) = requests.get(ticket) {
            let conn = conn.map(ConnId);
            let event = ClientEvent::CancelRequested(conn, ticket, request.waiter, action);
            self.push(event);
        }
    }
}
