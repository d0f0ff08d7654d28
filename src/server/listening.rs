//! The tasks besides the sessions: one for each listener, and one that sees to the end.

use super::clients::End;
use super::refusal::Refusal;
use super::session::Session;
use super::state::Shared;
use crate::driver::Endpoint;
use crate::error::Result;
use crate::hub::{Hub, Listener, Stream, Task, TaskId, Wait, Wake};
use crate::time::{Time, ms};
use std::rc::Rc;
use std::time::Duration;

/// Connections that are accepted in a turn: with its session, one takes about 15 µs.
const ACCEPTS_PER_TURN_MAX: usize = 64;

/// How long to leave a connection waiting that cannot be accepted, for want of descriptors most likely.
const ACCEPT_PAUSE: Duration = ms(50);

/// Accepts connections, and gives each a session.
#[derive(Debug)]
pub(super) struct Acceptor {
    server: Shared,
    listener: Listener,
    local: Rc<str>,
    /// The last accept failed: it was told.
    fails: bool,
}

impl Acceptor {
    pub(super) fn new(server: Shared, listener: Listener, local: &Endpoint) -> Acceptor {
        let local = match local {
            Endpoint::Tcp(address) => address.to_string(),
            // As Redis spells it in CLIENT LIST.
            Endpoint::Unix(path) => format!("{}:0", path.display()),
        };
        Acceptor {
            server,
            listener,
            local: local.into(),
            fails: false,
        }
    }

    fn welcome(&self, hub: &mut Hub, stream: Stream) -> Result<()> {
        // Both only say less or go slower when they fail: the peer may be gone already.
        let _ = hub.no_delay(stream);
        let peer = hub.peer(stream).unwrap_or(Endpoint::Unix("".into()));
        let mut state = self.server.borrow_mut();
        state.keyspace.now = hub.now();
        let Some(client) = state.connect(peer, Rc::clone(&self.local)) else {
            let text = [b"-", &*Refusal::FULL.text(), b"\r\n"].concat();
            let _ = hub.write(stream, &text);
            hub.close_stream(stream);
            return Ok(());
        };
        let task = hub.spawn_task(Session::new(Rc::clone(&self.server), client, stream));
        hub.detach(task);
        if let Some(client) = state.clients.get_mut(client) {
            client.task = Some(task);
        }
        hub.hand_over(stream, task)
    }
}

impl Task for Acceptor {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        if let Wake::Killed = wake {
            return Ok(Wait::done());
        }
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            match hub.accept(self.listener) {
                Ok(Some(stream)) => self.welcome(hub, stream)?,
                Ok(None) => break,
                Err(error) => {
                    if !std::mem::replace(&mut self.fails, true) {
                        log::warn!("{} does not accept: {error}", self.local);
                    }
                    return Ok(Wait::sleep(ACCEPT_PAUSE));
                }
            }
            self.fails = false;
        }
        Ok(Wait::acceptable(self.listener))
    }
}

/// Waits for the end of the server, and sees to it.
#[derive(Debug)]
pub(super) struct Keeper {
    server: Shared,
    /// When patience with the peers ends, once the end has begun.
    until: Option<Time>,
}

impl Keeper {
    pub(super) fn new(server: Shared) -> Keeper {
        Keeper {
            server,
            until: None,
        }
    }

    /// Stops listening, and has every session end when its output is sent.
    fn begin_to_end(&mut self, hub: &mut Hub) -> Time {
        let mut state = self.server.borrow_mut();
        for acceptor in std::mem::take(&mut state.acceptors) {
            hub.kill(acceptor);
        }
        let clients: Vec<_> = state.clients.keys().collect();
        for client in clients {
            state.end(client, End::AfterReply);
        }
        for task in state.woken.drain(..) {
            hub.notify(task);
        }
        hub.now() + state.config.drain
    }

    /// A session that has not ended.
    fn remaining(&self) -> Option<TaskId> {
        self.server.borrow().clients.sessions().next()
    }
}

impl Task for Keeper {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        if let Wake::Killed = wake {
            self.server.borrow_mut().is_stopping = true;
        }
        if !self.server.borrow().is_stopping {
            return Ok(Wait::notified());
        }
        let until = match self.until {
            Some(until) => until,
            None => self.begin_to_end(hub),
        };
        self.until = Some(until);
        if let Wake::Deadline | Wake::Killed = wake {
            let state = self.server.borrow();
            state
                .clients
                .sessions()
                .for_each(|session| hub.kill(session));
        }
        Ok(match self.remaining() {
            Some(session) => Wait::join(session).within(until.since(hub.now())),
            None => Wait::done(),
        })
    }
}
