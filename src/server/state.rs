//! The server without its input and output: bytes and the time in, bytes out.
//!
//! A session tells what its peer has sent ([`State::receive`]), or that it is its turn again
//! ([`State::go_on`]). Commands are executed one after the other until the bytes end, the client waits
//! or is to be closed, or the budget of this turn is used up. What they mean for *other* clients (an
//! element that one of them has waited for, a kill) is in those clients' entries when the call returns,
//! and their tasks are in
//! [`woken`](State::woken) for the session to notify.
//!
//! A command that came whole is executed where it lies in the session's buffer. Only what is not
//! complete, or stands behind a command that waits, is copied and kept.

use super::ServerStats;
use super::blocked::{Blocked, Pop, Waiting};
use super::clients::{Clients, End, Input};
use super::config::Config;
use super::dispatch::dispatch;
use super::keyspace::{DATABASES, Keyspace, Side};
use super::refusal::{Refusal, Refuses};
use super::reply::Reply;
use super::request::{Limits, Parsed, Parser};
use crate::driver::Endpoint;
use crate::hub::TaskId;
use crate::time::Time;
use crate::token::Key;
use std::rc::Rc;

/// Commands of one client that are executed in a turn: about half a millisecond. The rest waits for the
/// next one.
const COMMANDS_PER_TURN_MAX: usize = 1024;

/// When so many bytes have been answered in a turn, they are written before the next command is
/// executed. While more are unsent, commands that came earlier wait: who asks for much and reads it is
/// served at its own pace. Who goes on asking without reading is served until it is at its limit, and
/// closed.
const OUTPUT_PER_TURN_MAX: usize = 1 << 20;

/// All that a server knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: Config,
    pub(super) clients: Clients,
    pub(super) keyspace: Keyspace,
    pub(super) blocked: Blocked,
    pub(super) started: Time,
    pub(super) is_stopping: bool,
    pub(super) keeper: Option<TaskId>,
    pub(super) acceptors: Vec<TaskId>,
    pub(super) listens_at: Vec<Endpoint>,
    /// What is to be refused, by order of the program.
    pub(super) refuses: Refuses,
    /// Tasks to be notified: something has changed for them.
    pub(super) woken: Vec<TaskId>,
    pub(super) connections: u64,
    pub(super) rejected: u64,
    pub(super) commands: u64,
    /// For commands that come whole: one for all clients.
    parser: Parser,
    /// What sessions read into, see [`take_buffer`](State::take_buffer).
    pub(super) buffer: Box<[u8]>,
    /// The buffer of the next reply.
    pub(super) spare: Vec<u8>,
}

/// One read takes this much at most.
const READ_BYTES: usize = 64 * 1024;

impl State {
    pub(super) fn new(config: Config, now: Time) -> State {
        State {
            config,
            clients: Clients::default(),
            keyspace: Keyspace::new(now),
            blocked: Blocked::new(DATABASES),
            started: now,
            is_stopping: false,
            keeper: None,
            acceptors: Vec::new(),
            listens_at: Vec::new(),
            refuses: Refuses::default(),
            woken: Vec::new(),
            connections: 0,
            rejected: 0,
            commands: 0,
            parser: Parser::default(),
            buffer: Box::default(),
            spare: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Time {
        self.keyspace.now
    }

    /// What to read into, to be given back. A session that has panicked took it along: then it is made
    /// anew.
    pub(super) fn take_buffer(&mut self) -> Box<[u8]> {
        match std::mem::take(&mut self.buffer) {
            lost if lost.is_empty() => vec![0; READ_BYTES].into_boxed_slice(),
            buffer => buffer,
        }
    }

    pub(super) fn stats(&self) -> ServerStats {
        ServerStats {
            clients: self.clients.len(),
            blocked: self.blocked.count(),
            connections: self.connections,
            rejected: self.rejected,
            commands: self.commands,
        }
    }

    /// The TCP port that it listens at; 0 when at none.
    pub(super) fn port(&self) -> u16 {
        let port = |at: &Endpoint| match at {
            Endpoint::Tcp(address) => Some(address.port()),
            Endpoint::Unix(_) => None,
        };
        self.listens_at.iter().find_map(port).unwrap_or(0)
    }

    /// Somebody has connected. `None` when there is no room: whoever it is is to be told
    /// [`Refusal::FULL`].
    pub(super) fn connect(&mut self, peer: Endpoint, local: Rc<str>) -> Option<Key> {
        if self.clients.len() >= self.config.max_clients {
            self.rejected += 1;
            return None;
        }
        self.connections += 1;
        let key = self.clients.add(peer, local, self.now());
        if let Some(client) = self.clients.get_mut(key) {
            client.signed_in = self.config.password.is_none();
        }
        Some(key)
    }

    /// The connection is gone: a blocked client takes nothing from now on.
    pub(super) fn disconnect(&mut self, key: Key) {
        self.unblock(key);
        self.clients.remove(key);
    }

    /// A client has sent bytes.
    pub(super) fn receive(&mut self, key: Key, bytes: &[u8]) {
        let now = self.now();
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        client.heard_at = now;
        if let Some(input) = &mut client.input {
            input.add(bytes);
            self.execute_held(key);
        } else {
            let mut parser = std::mem::take(&mut self.parser);
            let done = match client.waiting {
                None => self.execute(key, bytes, &mut parser),
                Some(_) => 0,
            };
            self.hold(key, &bytes[done..], parser);
        }
        self.check_input(key);
    }

    /// Executes what a client has sent earlier, unless much is still unsent to it.
    pub(super) fn go_on(&mut self, key: Key) {
        let client = self.clients.get(key);
        let unsent = client.map_or(0, |client| client.output.unsent().len());
        if unsent <= OUTPUT_PER_TURN_MAX {
            self.execute_held(key);
        }
    }

    fn execute_held(&mut self, key: Key) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if client.waiting.is_some() || client.end != End::Open {
            return;
        }
        let Some(mut input) = client.input.take() else {
            return;
        };
        let (rest, parser) = input.rest();
        let done = self.execute(key, rest, parser);
        input.executed(done);
        match self.clients.get_mut(key) {
            Some(client) if input.len() > 0 && client.end == End::Open => {
                client.input = Some(input);
            }
            _ => {}
        }
    }

    /// Keeps what was not executed, with where the parser stands in it.
    fn hold(&mut self, key: Key, rest: &[u8], mut parser: Parser) {
        match self.clients.get_mut(key) {
            Some(client) if !rest.is_empty() && client.end == End::Open => {
                client.input = Some(Box::new(Input::new(rest, parser)));
            }
            _ => {
                parser.reset();
                self.parser = parser;
            }
        }
    }

    fn check_input(&mut self, key: Key) {
        let limit = self.config.query_bytes_max;
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let held = client.input.as_ref().map_or(0, |input| input.len());
        let queued = client.transaction.as_ref().map_or(0, |open| open.bytes);
        if held + queued > limit {
            let count = held + queued;
            log::warn!(
                "client {} is closed: it sent {count} bytes ahead",
                client.id
            );
            self.end(key, End::Now);
        }
    }

    /// Executes the commands at the front of `bytes`; says how many bytes they took.
    ///
    /// The caller's output is taken out meanwhile, so that a command can have the whole state to
    /// itself. Nobody else writes to it: what others cause is written to clients that wait, and the
    /// caller does not.
    fn execute(&mut self, key: Key, bytes: &[u8], parser: &mut Parser) -> usize {
        let Some(client) = self.clients.get_mut(key) else {
            return 0;
        };
        let mut reply = std::mem::take(&mut client.output);
        reply.take_up(&mut self.spare);
        let before = reply.unsent().len();
        let mut done = 0;
        let mut budget = COMMANDS_PER_TURN_MAX;
        while budget > 0 {
            budget -= 1;
            let Some(limits) = self.may_go_on(key) else {
                break;
            };
            match parser.parse(&bytes[done..], &limits) {
                Ok(Parsed::More) => break,
                Ok(Parsed::Nothing) => {}
                Ok(Parsed::Command) => {
                    let args = parser.args(&bytes[done..]);
                    self.commands += 1;
                    dispatch(self, key, args, &mut reply);
                    self.serve_signalled();
                }
                Err(refusal) => {
                    reply.refusal(&refusal);
                    self.end(key, End::AfterReply);
                    done = bytes.len();
                    break;
                }
            }
            done += parser.consumed();
            parser.reset();
            if reply.unsent().len() - before > OUTPUT_PER_TURN_MAX {
                budget = 0;
            }
        }
        if let Some(client) = self.clients.get_mut(key) {
            client.output = reply;
            let may_go_on = client.end == End::Open && client.waiting.is_none();
            client.is_behind = may_go_on && budget == 0 && done < bytes.len();
        }
        done
    }

    /// What the next command of a client may demand; `None` when there is to be none now.
    fn may_go_on(&self, key: Key) -> Option<Limits> {
        let client = self.clients.get(key)?;
        let is_open = client.end == End::Open && client.waiting.is_none();
        is_open.then_some(Limits {
            bulk_bytes: self.config.bulk_bytes_max,
            signed_in: client.signed_in,
        })
    }

    /// As much was written as the peer would take.
    pub(super) fn check_output(&mut self, key: Key) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        client.output.give_back(&mut self.spare);
        let unsent = client.output.unsent().len();
        if unsent > self.config.output_bytes_max {
            log::warn!(
                "client {} is closed: it left {unsent} bytes unread",
                client.id
            );
            self.end(key, End::Now);
        }
    }

    /// Closes a connection, now or soon.
    pub(super) fn end(&mut self, key: Key, end: End) {
        self.unblock(key);
        if let Some(client) = self.clients.get_mut(key) {
            client.end = end;
            client.input = None;
            self.woken.extend(client.task);
        }
        if end == End::Now {
            self.clients.strike(key);
        }
    }

    /// A client waits from now on.
    pub(super) fn block<'k>(
        &mut self,
        key: Key,
        db: usize,
        keys: impl Iterator<Item = &'k [u8]>,
        pop: Pop,
        until: Option<Time>,
    ) {
        if let Some(client) = self.clients.get_mut(key) {
            debug_assert!(client.waiting.is_none(), "who waits asks nothing");
            client.waiting = Some(self.blocked.enter(key, db, keys, pop, until));
        }
    }

    /// A client waits no longer, if it did.
    fn unblock(&mut self, key: Key) -> Option<Box<Waiting>> {
        let waiting = self.clients.get_mut(key)?.waiting.take()?;
        self.blocked.leave(&waiting);
        Some(waiting)
    }

    /// Answers a client that has waited as long as it wanted to.
    pub(super) fn time_out(&mut self, key: Key) {
        let client = self.clients.get(key);
        let until = client.and_then(|client| client.waiting.as_ref()?.until);
        if until.is_some_and(|until| until <= self.now()) {
            self.answer(key, None);
        }
    }

    /// Ends the wait of a client with this reply. False when it did not wait.
    pub(super) fn answer(&mut self, key: Key, refusal: Option<&Refusal>) -> bool {
        if self.unblock(key).is_none() {
            return false;
        }
        if let Some(client) = self.clients.get_mut(key) {
            match refusal {
                None => client.output.null_array(),
                Some(refusal) => client.output.refusal(refusal),
            }
            self.woken.extend(client.task);
        }
        true
    }

    /// Gives the elements that have come to those who have waited for them.
    fn serve_signalled(&mut self) {
        while let Some((db, key)) = self.blocked.next_signalled() {
            while let (Some(client), Ok(Some(_))) =
                (self.blocked.first(db, &key), self.keyspace.list(db, &key))
            {
                self.serve(client, db, &key);
            }
        }
    }

    fn serve(&mut self, client: Key, db: usize, key: &[u8]) {
        let Some(waiting) = self.unblock(client) else {
            return;
        };
        let Some(entry) = self.clients.get_mut(client) else {
            return;
        };
        self.woken.extend(entry.task);
        let mut reply = std::mem::take(&mut entry.output);
        if let Err(refusal) = self.pop(db, key, &waiting.pop, &mut reply) {
            reply.refusal(&refusal);
        }
        if let Some(entry) = self.clients.get_mut(client) {
            entry.output = reply;
        }
    }

    /// Pops from a list that is there, as it was asked for, and replies.
    pub(super) fn pop(
        &mut self,
        db: usize,
        key: &[u8],
        pop: &Pop,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        match pop {
            Pop::One(side) => {
                let element = self.keyspace.pop(db, key, *side)?.unwrap_or_default();
                reply.array(2);
                reply.bulk(key);
                reply.bulk(element);
            }
            Pop::Many(side, count) => {
                let length = self.keyspace.list(db, key)?.map_or(0, |list| list.len());
                let count = length.min(*count);
                reply.array(2);
                reply.bulk(key);
                reply.array(count);
                self.pop_each(db, key, *side, count, reply)?;
            }
            Pop::Move { from, to, target } => {
                self.keyspace.list(db, target)?;
                let element = self.keyspace.pop(db, key, *from)?.unwrap_or_default();
                reply.bulk(&element);
                self.push(db, target, *to, std::iter::once(element))?;
            }
        }
        Ok(())
    }

    /// Pops `count` elements of a list that has as many.
    pub(super) fn pop_each(
        &mut self,
        db: usize,
        key: &[u8],
        side: Side,
        count: usize,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        for _ in 0..count {
            reply.bulk(self.keyspace.pop(db, key, side)?.unwrap_or_default());
        }
        Ok(())
    }

    /// Adds elements to a list; says how long it is now. A list that comes into being is news to those
    /// who wait for it.
    pub(super) fn push(
        &mut self,
        db: usize,
        key: &[u8],
        side: Side,
        elements: impl Iterator<Item = Box<[u8]>>,
    ) -> Result<usize, Refusal> {
        let (length, is_new) = self.keyspace.push(db, key, side, elements)?;
        if is_new {
            self.blocked.signal(db, key);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
