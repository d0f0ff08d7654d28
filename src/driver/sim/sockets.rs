//! Sockets: what a network knows of each end of a connection, and of those who listen.

use super::script::{Run, Script};
use crate::driver::Endpoint;
use crate::time::Time;
use crate::token::{Key, Owner};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};

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

pub(super) fn gone() -> io::Error {
    io::Error::new(ErrorKind::NotConnected, "the socket was closed")
}
