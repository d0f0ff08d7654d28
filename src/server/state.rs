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

use super::blocked::Blocked;
use super::clients::{Clients, End, Input};
use super::config::Config;
use super::dispatch::dispatch;
use super::keyspace::{DATABASES, Keyspace};
use super::mode::{Faults, Pause, Role};
use super::request::{Limits, Parsed, Parser};
use crate::driver::Endpoint;
use crate::hub::TaskId;
use crate::time::Time;
use crate::token::Key;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Commands of one client that are executed in a turn: about half a millisecond. The rest waits for the
/// next one.
const COMMANDS_PER_TURN_MAX: usize = 1024;

/// When so many bytes have been answered in a turn, they are written before the next command is
/// executed. While more are unsent, commands that came earlier wait: who asks for much and reads it is
/// served at its own pace. Who goes on asking without reading is served until it is at its limit, and
/// closed.
const OUTPUT_PER_TURN_MAX: usize = 1 << 20;

/// What the tasks of one server share. They run one at a time, and none keeps it borrowed while it
/// waits.
pub(super) type Shared = Rc<RefCell<State>>;

/// What a server has done and holds, for people and tests. `INFO` tells more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Clients that are connected now.
    pub clients: usize,
    /// Those of them that wait in a blocking command.
    pub blocked: usize,
    /// Connections that were accepted so far.
    pub connections: u64,
    /// Connections that were turned away because there were `max_clients`.
    pub rejected: u64,
    /// Commands that came so far, those that were refused included.
    pub commands: u64,
}

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
    /// Faults that the program injects.
    pub(super) faults: Faults,
    pub(super) role: Role,
    /// When an injected demotion ends.
    pub(super) promoted_at: Option<Time>,
    /// What is paused, and until when.
    pub(super) pause: Option<(Pause, Time)>,
    /// Clients that wait no longer and have sent more meanwhile, in order.
    pub(super) unblocked: VecDeque<Key>,
    /// The reason for which the server has crashed, in Redis' words.
    pub(super) crash: Option<&'static str>,
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
            faults: Faults::default(),
            role: Role::Master,
            promoted_at: None,
            pause: None,
            unblocked: VecDeque::new(),
            crash: None,
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
    /// [`Refusal::FULL`](super::refusal::Refusal::FULL).
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
                    if !dispatch(self, key, args, &mut reply) {
                        // It stays in the input, to be dispatched again.
                        self.commands -= 1;
                        parser.reset();
                        break;
                    }
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
}

#[cfg(test)]
mod tests;
