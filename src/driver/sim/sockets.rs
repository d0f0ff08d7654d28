//! Sockets: what a network knows of each end of a connection, and of those who listen.

use super::network::{BACKLOG, Network};
use super::script::{Run, Script};
use crate::driver::Endpoint;
use crate::time::Time;
use crate::token::{Key, Owner};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// The first of the ports that the kernel gives to who connects.
pub(super) const FIRST_PORT: u16 = 32_768;

/// Who takes connections at an address.
#[derive(Debug)]
pub(super) enum Listening {
    /// A socket of the hub.
    Socket(Key),
    /// Peers that do as they are told, one for each connection.
    Scripts(VecDeque<Script>),
}

#[derive(Debug)]
pub(super) struct Sock {
    /// Whom events are for. Nobody's are the other ends: until they are accepted, or for ever where a script acts.
    pub(super) owner: Option<Owner>,
    /// Whether it stands in the ready list.
    pub(super) is_ready: bool,
    pub(super) watches_writes: bool,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Listener {
        at: Endpoint,
        backlog: VecDeque<Key>,
    },
    Stream(Stream),
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) here: Endpoint,
    pub(super) there: Endpoint,
    pub(super) phase: Phase,
    /// The other end. It may be gone, which nobody here knows.
    pub(super) other: Option<Key>,
    pub(super) inbox: VecDeque<u8>,
    /// How much is on its way here, and when the last of it arrives.
    pub(super) in_flight: usize,
    pub(super) arrives: Time,
    /// The other end has said that nothing follows.
    pub(super) finished: bool,
    /// A reset has come: it is told once, behind the bytes.
    pub(super) reset: Option<ErrorKind>,
    /// A write did not fit: room will be an edge.
    pub(super) starved: bool,
    /// What is sent from here, or to here, goes nowhere.
    pub(super) silent: bool,
    /// What arrives here is never seen.
    pub(super) deaf: bool,
    /// The end was sent from here: nothing can follow.
    pub(super) said_all: bool,
    pub(super) script: Option<Box<Run>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    Open,
    Failed(ErrorKind),
}

impl Stream {
    pub(super) fn new(here: Endpoint, there: Endpoint, phase: Phase, other: Option<Key>) -> Stream {
        Stream {
            here,
            there,
            phase,
            other,
            inbox: VecDeque::new(),
            in_flight: 0,
            arrives: Time::ZERO,
            finished: false,
            reset: None,
            starved: false,
            silent: false,
            deaf: false,
            said_all: false,
            script: None,
        }
    }

    /// Whether the other end has closed or reset the connection.
    pub(super) fn has_ended(&self) -> bool {
        self.finished || self.reset.is_some()
    }

    /// What a read brings when there are no bytes.
    pub(super) fn end_of_inbox(&mut self) -> io::Result<usize> {
        match (self.phase, self.reset) {
            (Phase::Failed(kind), _) => Err(kind.into()),
            (_, Some(kind)) => {
                // Told once; then it is an end like any other.
                self.finished = true;
                self.reset = None;
                Err(kind.into())
            }
            _ if self.finished => Ok(0),
            _ => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Network {
    pub(super) fn add(&mut self, owner: Option<Owner>, kind: Kind) -> Key {
        self.sockets.insert(Sock {
            owner,
            is_ready: false,
            watches_writes: false,
            kind,
        })
    }

    /// Something has changed at this end: a script goes on, or the hub is told.
    pub(super) fn changed(&mut self, key: Key) {
        match self.peek(key).is_ok_and(|stream| stream.script.is_some()) {
            true => self.run_script(key),
            false => self.edge(key),
        }
    }

    /// Puts a socket of the hub into the ready list.
    pub(super) fn edge(&mut self, key: Key) {
        let Some(sock) = self.sockets.get_mut(key) else {
            return;
        };
        if sock.owner.is_some() && !sock.is_ready {
            sock.is_ready = true;
            self.ready.push_back(key);
        }
    }

    /// How many sockets are the hub's: accepted, or made by it.
    pub(super) fn sockets_of_hub(&self) -> usize {
        let all = self.sockets.iter();
        all.filter(|(_, sock)| sock.owner.is_some()).count()
    }

    pub(super) fn streams(&self) -> Vec<Key> {
        let is_stream = |(key, sock): (Key, &Sock)| match sock.kind {
            Kind::Stream(_) => Some(key),
            Kind::Listener { .. } => None,
        };
        self.sockets.iter().filter_map(is_stream).collect()
    }

    /// Whether the backlog at an address is full.
    pub(super) fn is_busy(&self, at: &Endpoint) -> bool {
        self.listeners.iter().any(|(there, by)| match by {
            Listening::Socket(key) if there == at => match self.sockets.get(*key) {
                Some(Sock {
                    kind: Kind::Listener { backlog, .. },
                    ..
                }) => backlog.len() >= BACKLOG,
                _ => false,
            },
            _ => false,
        })
    }

    pub(super) fn with_port(&mut self, at: &Endpoint) -> Endpoint {
        match at {
            Endpoint::Tcp(address) if address.port() == 0 => {
                self.port = self.port.checked_add(1).unwrap_or(FIRST_PORT);
                Endpoint::Tcp(SocketAddr::new(address.ip(), self.port))
            }
            other => other.clone(),
        }
    }

    pub(super) fn sock(&mut self, key: Key) -> io::Result<&mut Sock> {
        self.sockets.get_mut(key).ok_or_else(gone)
    }

    pub(super) fn kind(&mut self, key: Key) -> Option<&mut Kind> {
        self.sockets.get_mut(key).map(|sock| &mut sock.kind)
    }

    pub(super) fn stream(&mut self, key: Key) -> io::Result<&mut Stream> {
        match &mut self.sock(key)?.kind {
            Kind::Stream(stream) => Ok(stream),
            Kind::Listener { .. } => Err(ErrorKind::InvalidInput.into()),
        }
    }

    pub(super) fn peek(&self, key: Key) -> io::Result<&Stream> {
        match &self.sockets.get(key).ok_or_else(gone)?.kind {
            Kind::Stream(stream) => Ok(stream),
            Kind::Listener { .. } => Err(ErrorKind::InvalidInput.into()),
        }
    }
}

pub(super) fn gone() -> io::Error {
    io::Error::new(ErrorKind::NotConnected, "the socket was closed")
}
