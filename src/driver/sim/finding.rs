//! The table of sockets: adds them, finds them, and puts them into the ready list.

use super::network::{BACKLOG, Network};
use super::sockets::{FIRST_PORT, Kind, Listening, Sock, Stream, gone};
use crate::driver::Endpoint;
use crate::token::{Key, Owner};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

impl Network {
    pub(super) fn add(&mut self, owner: Option<Owner>, kind: Kind) -> Key {
        self.sockets.insert(Sock {
            owner,
            is_ready: false,
            watches_writes: false,
            kind,
        })
    }

    /// Something has changed at this end: a script goes on, or the hub has an event.
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
