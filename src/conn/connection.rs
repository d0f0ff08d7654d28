//! One connection.
//!
//! ```text
//!              dial            first writable event           all replies of the handshake
//!  (new) ──► Dialing ──► Connecting ──────────────► Handshake ───────────────────────────► Ready
//!               ▲             │  no handshake to be said │                                   ▲ │
//!               │             └──────────────────────────┼───────────────────────────────────┘ │
//!               │ another address is left to try         │                                     │
//!               └───────────────┬────────────────────────┘                                     │
//!                               │ refused, rejected, too late                                  │
//!                               ▼                                                              ▼
//!                             (gone) ◄──────────────── the end, an error, too late, bytes that are not RESP
//! ```
//!
//! A connection in `Ready` has requests *in flight*: a connection of the own lane one at most, the shared one
//! any number. Replies belong to them in order, because the server answers in order; that is the
//! whole protocol. A reply that nothing in flight waits for means that both sides no longer agree, and
//! the connection ends.

use super::cancel::{Cancel, Next};
use super::outbox::Outbox;
use super::request::{Expect, Ticket};
use super::round::Rounds;
use crate::address::Protocol;
use crate::driver::Socket;
use crate::resp::Decoder;
use crate::time::Time;
use crate::token::Key;
use crate::wheel::Timer;
use std::collections::VecDeque;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) pool: Key,
    pub(crate) socket: Option<Socket>,
    pub(crate) state: State,
    pub(crate) lane: InFlight,
    /// Which dial of its pool it is. The server accepts in this order.
    pub(crate) number: u64,
    /// Which of its pool's addresses it goes to.
    pub(crate) endpoint: u8,
    /// When it was dialed; once it is ready, when that was or when the last reply came.
    pub(crate) since: Time,
    pub(crate) timer: Option<Timer>,
    pub(crate) out: Outbox,
    /// How many bytes were ever put into `out`.
    pub(crate) queued: u64,
    pub(crate) decoder: Decoder,
    /// Whether it stands in the list of connections to be flushed.
    pub(crate) dirty: bool,
    /// Whether it stands in its pool's list of idle connections.
    pub(crate) idle: bool,
    /// Whether the server has ever said anything.
    pub(crate) answered: bool,
    /// Whether some of the last command has left for the kernel.
    pub(crate) begun: bool,
    /// Whether the server has said that it is of no more use.
    pub(super) spoiled: bool,
    /// What is known for taking back what is in flight, once that was wanted.
    pub(super) cancel: Option<Box<Cancel>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waits for its turn to be connected.
    Dialing,
    Connecting,
    Handshake {
        /// The version of RESP that it says hello in.
        protocol: Protocol,
        /// How many replies have come.
        done: u8,
        /// How many are to come in all.
        of: u8,
        /// The server does not know RESP3: start again when the rest has come.
        falls_back: bool,
    },
    Ready,
}

/// The requests whose replies are to come, oldest first.
#[derive(Debug)]
pub(crate) enum InFlight {
    /// A connection of the own lane.
    Own(Option<Ticket>),
    /// The shared connection.
    Shared(Box<Shared>),
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// A pipeline of n commands stands here n times.
    tickets: VecDeque<Ticket>,
    /// Commands that wait for the end of the handshake.
    pub(crate) held: Outbox,
    held_bytes: u64,
    /// How many of them were dropped, with those who had waited too long.
    dropped_bytes: u64,
}

impl Shared {
    /// Keeps bytes until the handshake is over. Returns where they will end, counted from then, and a buffer
    /// that is free now.
    pub(crate) fn hold(&mut self, bytes: Outbox) -> (u64, Vec<u8>) {
        self.held_bytes += bytes.unsent().len() as u64;
        (self.held_bytes, self.held.append(bytes))
    }

    /// Takes what is held, to be sent behind `before` bytes of the stream. Returns also by how much the ends move.
    pub(super) fn take_held(&mut self, before: u64) -> (Outbox, u64) {
        let shift = before.wrapping_sub(self.dropped_bytes);
        (self.held_bytes, self.dropped_bytes) = (0, 0);
        (std::mem::take(&mut self.held), shift)
    }
}

impl Conn {
    pub(crate) fn new(pool: Key, lane: InFlight, now: Time) -> Conn {
        Conn {
            pool,
            socket: None,
            state: State::Dialing,
            lane,
            number: 0,
            endpoint: 0,
            since: now,
            timer: None,
            out: Outbox::default(),
            queued: 0,
            decoder: Decoder::new(),
            dirty: false,
            idle: false,
            answered: false,
            begun: false,
            spoiled: false,
            cancel: None,
        }
    }

    pub(crate) fn enter(&mut self, state: State, now: Time) {
        self.state = state;
        self.since = now;
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.lane, InFlight::Shared(_))
    }

    /// Puts bytes at the end of what is to be written. Returns where they end in the stream, and a buffer that
    /// is free now.
    pub(crate) fn send(&mut self, bytes: Outbox) -> (u64, Vec<u8>) {
        self.queued += bytes.unsent().len() as u64;
        (self.queued, self.out.append(bytes))
    }

    /// The same, where the first `written` of the bytes have left already. The rest needs a buffer.
    pub(crate) fn put(&mut self, bytes: &[u8], written: usize, buffer: impl FnOnce() -> Vec<u8>) {
        self.queued += bytes.len() as u64;
        let rest = &bytes[written..];
        if !rest.is_empty() {
            self.out.append(Outbox::new(buffer(), 0));
            self.out.extend(rest);
        }
    }

    /// So many bytes that were sent or held last, if none of them has left yet.
    pub(super) fn last_bytes(&self, len: u64) -> &[u8] {
        let bytes = match &self.lane {
            InFlight::Shared(shared) if self.state != State::Ready => shared.held.unsent(),
            _ => self.out.unsent(),
        };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        &bytes[bytes.len().saturating_sub(len)..]
    }

    /// Takes back what was put there last and of which nothing was written. Returns a buffer that is free now.
    pub(super) fn unsend(&mut self) -> Vec<u8> {
        let unsent = self.out.unsent().len();
        self.queued -= unsent as u64;
        self.out.advance(unsent);
        self.out.take_buffer()
    }

    /// What is asked round by round. It shares a box with what few connections have.
    pub(super) fn rounds(&self) -> Option<&Rounds> {
        self.cancel.as_ref()?.rounds.as_ref()
    }

    pub(super) fn take_rounds(&mut self) -> Option<Rounds> {
        self.cancel.as_mut()?.rounds.take()
    }

    /// Whether something is being taken back.
    pub(super) fn cancels(&self) -> bool {
        self.cancel.as_ref().is_some_and(|it| it.is_under_way())
    }

    /// What was in flight is answered: what is to become of the connection.
    pub(super) fn settle(&mut self) -> Next {
        self.cancel.as_mut().map_or(Next::Free, |it| it.answered())
    }

    /// How many bytes of the stream the kernel has taken.
    pub(crate) fn written(&self) -> u64 {
        self.queued - self.out.unsent().len() as u64
    }
}

impl InFlight {
    pub(crate) fn front(&self) -> Option<Ticket> {
        match self {
            InFlight::Own(ticket) => *ticket,
            InFlight::Shared(shared) => shared.tickets.front().copied(),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Ticket> {
        match self {
            InFlight::Own(ticket) => ticket.take(),
            InFlight::Shared(shared) => shared.tickets.pop_front(),
        }
    }

    pub(crate) fn push(&mut self, ticket: Ticket, replies: Expect) {
        match (self, replies) {
            (InFlight::Own(place), _) => {
                debug_assert!(place.is_none(), "one request has this connection");
                *place = Some(ticket);
            }
            (InFlight::Shared(shared), Expect::One) => shared.tickets.push_back(ticket),
            (InFlight::Shared(shared), Expect::Many(count)) => {
                shared.tickets.extend((0..count).map(|_| ticket));
            }
        }
    }

    /// Forgets this request, which ends at `end` of what is held, and all before it.
    pub(super) fn drop_until(&mut self, ticket: Ticket, end: u64) {
        let InFlight::Shared(shared) = self else {
            return;
        };
        let count = end - shared.dropped_bytes;
        shared
            .held
            .advance(usize::try_from(count).unwrap_or(usize::MAX));
        shared.dropped_bytes = end;
        let last = shared.tickets.iter().rposition(|it| *it == ticket);
        shared.tickets.drain(..last.map_or(0, |last| last + 1));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.front().is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Ticket> {
        let (own, shared) = match self {
            InFlight::Own(ticket) => (*ticket, None),
            InFlight::Shared(shared) => (None, Some(shared.tickets.iter().copied())),
        };
        own.into_iter().chain(shared.into_iter().flatten())
    }
}
