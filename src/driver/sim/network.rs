//! The network in memory: sockets, what is on its way between them, and when it arrives.
//!
//! Everything that is to happen stands in the *agenda*, in the order of its moment and, within one moment, in the
//! order in which it was put there. Time passes only when a poll takes the next thing from it.
//!
//! ```text
//!    write ──► in flight (the agenda) ──► inbox ──► read
//!                                           │
//!                                           └──► edge ──► the ready list ──► poll
//! ```
//!
//! **Edges, exactly as epoll's.** A socket comes to the ready list when something changes: bytes arrive (also behind
//! others that were not read), an end, a reset, the end of a connect, a connection in a backlog, or room where a
//! write did not fit. When it is reported, the event says what is true *then*, all of it. A socket to which nothing
//! happens is never reported again, whatever lies in its inbox.

use super::faults::{Faults, Strike};
use super::script::Script;
use super::sockets::{FIRST_PORT, Kind, Listening, Phase, Sock, Stream, gone};
use super::trace::{Digest, Trace};
use crate::driver::{Connect, Endpoint, Socket};
use crate::random::Random;
use crate::time::Time;
use crate::token::{Key, Owner, Slots};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Bytes under way to one end and not read there yet, at most.
pub(super) const WINDOW_BYTES: usize = 1024 * 1024;

/// Connections that were not accepted yet, at most: what Redis asks for.
pub(super) const BACKLOG: usize = 511;

/// `EMFILE`.
const NO_DESCRIPTORS: i32 = 24;

/// After so many polls without a moment passing, whoever polls is going round in circles.
pub(super) const POLLS_PER_MOMENT_MAX: u32 = 100_000;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Network {
    pub(super) now: Time,
    pub(super) faults: Faults,
    pub(super) trace: Trace,
    pub(super) failures: Vec<String>,
    pub(super) alarm: bool,
    pub(super) random: Random,
    pub(super) sockets: Slots<Sock>,
    pub(super) listeners: Vec<(Endpoint, Listening)>,
    pub(super) agenda: BTreeMap<(Time, u64), Happening>,
    numbers: u64,
    pub(super) ready: VecDeque<Key>,
    pub(super) port: u16,
    pub(super) refuses_until: Time,
    pub(super) stalls_until: Time,
    pub(super) answers_with: Option<(String, Time)>,
    pub(super) polls_at_this_moment: u32,
}

/// What is on the agenda.
#[derive(Debug)]
pub(super) enum Happening {
    /// A connect arrives, for so manieth time.
    Syn {
        from: Key,
        attempt: u32,
    },
    /// A connect is answered.
    Answered {
        to: Key,
        with: Result<(), ErrorKind>,
    },
    Bytes {
        from: Key,
        to: Key,
        bytes: Vec<u8>,
    },
    Finish {
        to: Key,
    },
    Reset {
        to: Key,
    },
    /// A write that did not fit may be tried again.
    Room {
        at: Key,
    },
    /// A script goes on.
    GoOn {
        at: Key,
    },
    Strike(Strike),
}

impl Network {
    pub(super) fn new(seed: u64) -> Network {
        Network {
            now: Time::ZERO,
            faults: Faults::none(),
            trace: Trace::new(),
            failures: Vec::new(),
            alarm: false,
            random: Random::new(seed),
            sockets: Slots::new(),
            listeners: Vec::new(),
            agenda: BTreeMap::new(),
            numbers: 0,
            ready: VecDeque::new(),
            port: FIRST_PORT,
            refuses_until: Time::ZERO,
            stalls_until: Time::ZERO,
            answers_with: None,
            polls_at_this_moment: 0,
        }
    }

    pub(super) fn strike_at(&mut self, at: Time, strike: Strike) {
        self.plan(at, Happening::Strike(strike));
    }

    pub(super) fn wake_script_at(&mut self, at: Time, script: Key) {
        self.plan(at, Happening::GoOn { at: script });
    }

    pub(super) fn plan(&mut self, at: Time, what: Happening) {
        self.numbers += 1;
        self.agenda.insert((at.max(self.now), self.numbers), what);
    }

    pub(super) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.note(self.now, what);
    }

    // What the driver is asked.

    pub(super) fn listen(&mut self, at: &Endpoint, owner: Owner) -> io::Result<Socket> {
        let at = self.with_port(at);
        if self.listeners.iter().any(|(taken, _)| *taken == at) {
            return Err(ErrorKind::AddrInUse.into());
        }
        let backlog = VecDeque::new();
        let key = self.add(
            Some(owner),
            Kind::Listener {
                at: at.clone(),
                backlog,
            },
        );
        self.note(format_args!("{key:?} listens at {at}"));
        self.listeners.push((at, Listening::Socket(key)));
        Ok(Socket(key))
    }

    pub(super) fn listen_with(&mut self, at: &Endpoint, scripts: VecDeque<Script>) {
        let at = self.with_port(at);
        self.listeners.push((at, Listening::Scripts(scripts)));
    }

    pub(super) fn connect(
        &mut self,
        there: &Endpoint,
        owner: Owner,
        first: &[u8],
    ) -> io::Result<Connect> {
        if self.random.chance(self.faults.no_descriptors) {
            self.note(format_args!("no descriptor is left"));
            return Err(io::Error::from_raw_os_error(NO_DESCRIPTORS));
        }
        let is_unix = matches!(there, Endpoint::Unix(_));
        if is_unix && self.is_busy(there) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let here = match there {
            Endpoint::Tcp(_) => self.with_port(&Endpoint::Tcp((Ipv4Addr::LOCALHOST, 0).into())),
            Endpoint::Unix(_) => Endpoint::Unix(Default::default()),
        };
        let stream = Stream::new(here, there.clone(), Phase::Connecting, None);
        let key = self.add(Some(owner), Kind::Stream(stream));
        self.note(format_args!("{key:?} connects to {there}"));
        if !self.random.chance(self.faults.hanging) {
            let at = self.arrival();
            let syn = Happening::Syn {
                from: key,
                attempt: 0,
            };
            match at == self.now {
                true => self.happen(syn),
                false => self.plan(at, syn),
            }
        }
        match self.stream(key)?.phase {
            Phase::Open => self.connected_at_once(key, first),
            Phase::Failed(kind) => {
                self.close(Socket(key));
                Err(kind.into())
            }
            Phase::Connecting => {
                self.sock(key)?.watches_writes = true;
                Ok(Connect::Started(Socket(key)))
            }
        }
    }

    fn connected_at_once(&mut self, key: Key, first: &[u8]) -> io::Result<Connect> {
        let written = match first {
            [] => 0,
            first => self.write(Socket(key), first).unwrap_or(0),
        };
        Ok(Connect::Done(Socket(key), written))
    }

    pub(super) fn connected(&self, socket: Socket) -> io::Result<bool> {
        match self.peek(socket.0)?.phase {
            Phase::Open => Ok(true),
            Phase::Connecting => Ok(false),
            Phase::Failed(kind) => Err(kind.into()),
        }
    }

    pub(super) fn accept(&mut self, listener: Socket, owner: Owner) -> io::Result<Socket> {
        if self.random.chance(self.faults.no_descriptors) {
            self.note(format_args!("no descriptor is left to accept with"));
            // The connection stays in the backlog, and no edge will tell of it again.
            return Err(io::Error::from_raw_os_error(NO_DESCRIPTORS));
        }
        let Kind::Listener { backlog, .. } = &mut self.sock(listener.0)?.kind else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let key = backlog.pop_front().ok_or(ErrorKind::WouldBlock)?;
        self.sock(key)?.owner = Some(owner);
        self.note(format_args!("{key:?} is accepted"));
        self.edge(key);
        Ok(Socket(key))
    }

    pub(super) fn read(&mut self, socket: Socket, into: &mut [u8]) -> io::Result<usize> {
        let short = self.random.chance(self.faults.short_reads);
        let cut = self.random.any();
        let stream = self.stream(socket.0)?;
        let there = stream.inbox.len().min(into.len());
        if there == 0 {
            return stream.end_of_inbox();
        }
        // The rest counts as not arrived yet: a reader may take a short read for the last.
        let count = match short && there > 1 {
            true => 1 + usize::try_from(cut % (there as u64 - 1)).unwrap_or(0),
            false => there,
        };
        for (place, byte) in into.iter_mut().zip(stream.inbox.drain(..count)) {
            *place = byte;
        }
        self.note(format_args!(
            "{:?} reads {}",
            socket.0,
            Digest(&into[..count])
        ));
        if count < there {
            self.edge(socket.0);
        }
        self.make_room(socket.0);
        Ok(count)
    }

    pub(super) fn write(&mut self, socket: Socket, bytes: &[u8]) -> io::Result<usize> {
        let key = socket.0;
        let stream = self.peek(key)?;
        match (stream.phase, stream.reset) {
            (Phase::Connecting, _) => return Err(ErrorKind::WouldBlock.into()),
            (Phase::Failed(kind), _) => return Err(kind.into()),
            (Phase::Open, Some(_)) => return Err(ErrorKind::BrokenPipe.into()),
            (Phase::Open, None) if stream.said_all => return Err(ErrorKind::BrokenPipe.into()),
            (Phase::Open, None) => {}
        }
        let room = stream
            .other
            .map_or(WINDOW_BYTES, |other| self.room_at(other));
        let mut count = bytes.len().min(room);
        if count > 1 && self.random.chance(self.faults.short_writes) {
            count = 1 + self.random.index(count - 1);
            let at = self.now + Duration::from_micros(100);
            self.plan(at, Happening::Room { at: key });
        }
        if count < bytes.len() {
            self.stream(key)?.starved = true;
            self.sock(key)?.watches_writes = true;
        }
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.note(format_args!("{key:?} writes {}", Digest(&bytes[..count])));
        self.send(key, &bytes[..count]);
        Ok(count)
    }

    pub(super) fn close(&mut self, socket: Socket) {
        let Some(sock) = self.sockets.remove(socket.0) else {
            return;
        };
        self.note(format_args!("{:?} is closed", socket.0));
        match sock.kind {
            Kind::Listener { at, backlog } => {
                self.listeners.retain(|(taken, _)| *taken != at);
                for key in backlog {
                    self.break_off(key);
                }
            }
            Kind::Stream(stream) => self.end(stream),
        }
    }

    /// What the other end of a stream that is closed gets to know.
    fn end(&mut self, stream: Stream) {
        let Some(to) = stream.other.filter(|_| !stream.silent) else {
            return;
        };
        if stream.said_all && stream.inbox.is_empty() {
            return;
        }
        let at = self.arrival_at(to);
        // Who closes without having read all that has come resets the connection.
        let unread = !stream.inbox.is_empty();
        match unread {
            true => self.plan(at, Happening::Reset { to }),
            false => self.plan(at, Happening::Finish { to }),
        }
    }

    pub(super) fn local(&self, socket: Socket) -> io::Result<Endpoint> {
        match &self.sockets.get(socket.0).ok_or_else(gone)?.kind {
            Kind::Listener { at, .. } => Ok(at.clone()),
            Kind::Stream(stream) => Ok(stream.here.clone()),
        }
    }

    pub(super) fn peer(&self, socket: Socket) -> io::Result<Endpoint> {
        Ok(self.peek(socket.0)?.there.clone())
    }

    pub(super) fn set_owner(&mut self, socket: Socket, owner: Owner) {
        if let Some(sock) = self.sockets.get_mut(socket.0) {
            sock.owner = Some(owner);
        }
    }
}
