//! What happened to connections and requests, for who watches.
//!
//! Nothing here is told to anybody: connections know no hub, and must not call programs from the middle of a change. So it is taken
//! down, in order, and the hub fetches it before it tells of anything else. While nobody watches, each place costs one look
//! at one flag, and the list stays empty.

use super::clients::Clients;
use super::connection::State;
use super::events::{Answered, CommandName, ConnId, Given, Heard, Log, Seen, Sent};
use super::request::{Progress, Replies, Ticket};
use super::work::{Answer, Work};
use crate::time::Time;
use crate::token::Key;
use std::time::Duration;

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
