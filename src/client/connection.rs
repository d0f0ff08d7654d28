//! One connection: bytes and the time in, replies out. No input, no output, no clock of its own.
//!
//! ```text
//!             connected, and the opening waits            its last reply
//!  Connecting ──────────────────────────────► Handshake ─────────────────► Idle ◄──┐
//!      │                                                                    │ ▲    │
//!      │ connected, and a request follows the opening                       │ │    │ the answer
//!      └───────────────────────────────────────────────────────────► Busy ◄─┘ │    │
//!                                                                    │ │ ▲ ───┘    │
//!                          the server is not ready for the request   │ │ │ a pause │
//!                                                           Backoff ◄┘ └─┼─────► Cancelling
//!                                                                └───────┘
//! ```
//!
//! A connection owns its decoder, its write buffer, what is in flight on it, its state and its
//! deadline. Its owner reports what the kernel did (`on_connected`, `receive`, `on_written`), and
//! handles the [`Event`]s. It never arms a timer: [`deadline`](Connection::deadline) says when
//! [`on_deadline`](Connection::on_deadline) has something to say.
//!
//! **A reply finds its request by its position in the stream**, nothing else. A connection whose
//! position is in doubt is never used again: it is closed. For the same reason a connection is free
//! only once all bytes that have come are decoded: a byte behind the last reply would be taken for
//! the reply to the next request.
//!
//! **Deadlines see progress.** A request's deadline counts from when it was put on the connection.
//! While its reply arrives, it counts from the last bytes instead: a long reply through a slow link
//! is not late, and a reply that has begun proves that there is nothing to cancel. What a reply may
//! measure in all is bounded by its [`Limits`](crate::resp::Limits). On the shared connection a late
//! request fails alone as long as the server still sends something; only silence closes the
//! connection.

mod deadlines;
mod receiving;

pub(super) use self::deadlines::Overdue;

use super::backoff::ConnectFailure;
use super::cancel::{Action, Cancel};
use super::command::ReplyCount;
use super::handshake::Opening;
use super::in_flight::{Entry, InFlight, Pending, Queue};
use super::outgoing::{Outgoing, UNSENT};
use super::write_buf::{BufferPool, WriteBuf};
use crate::driver::Socket;
use crate::error::Error;
use crate::resp::{Decoder, Value};
use crate::time::Time;
use crate::token::Key;
use crate::wheel::Timer;
use std::num::NonZeroU64;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: Key,
    pub(super) socket: Option<Socket>,
    /// Armed for its deadline, or earlier.
    pub(super) timer: Option<Timer>,
    /// Which dial of its client it is. The server accepts in this order.
    pub(super) number: u64,
    /// Which of its client's addresses it goes to.
    pub(super) endpoint: u8,
    /// True while it is in the queue of connections to be written to.
    pub(super) write_queued: bool,
    /// True if the server has refused to serve it any longer.
    pub(super) must_close: bool,
    /// True once the server was heard.
    pub(super) has_received: bool,
    pub(super) state: State,
    opening: Opening,
    pub(super) in_flight: InFlight,
    /// Bytes that have not left yet; none is kept for a connection that only waits.
    write: Option<Box<WriteBuf>>,
    /// How many bytes were ever put into `write`.
    enqueued: u64,
    decoder: Decoder,
    /// From when its deadline counts: when its state, its request or its reply last moved on.
    pub(super) last_progress: Time,
    /// What the server calls this connection.
    pub(super) client_id: Option<NonZeroU64>,
    pub(super) cancel: Option<Box<Cancel>>,
}

/// The state of a connection. The pool counts its connections by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Connecting,
    /// Waits for the replies to its opening.
    Handshake,
    /// Carries nothing.
    Idle,
    Busy,
    /// Sends its request again when a pause is over.
    Backoff,
    /// Something is cancelled on it.
    Cancelling,
}

const _: () = assert!(size_of::<Connection>() <= 128, "each blocked pop has one");

impl State {
    pub(super) const COUNT: usize = 6;
}

/// What has come of the bytes.
pub(super) enum Event {
    /// All bytes are decoded.
    Drained,
    /// The server's `INFO server`.
    Info(Vec<u8>),
    /// The last reply to the opening has come.
    Opened,
    /// The request of a dedicated connection was answered.
    Answered(Outgoing, Value),
    /// The oldest entry of a queue was answered.
    Replied(Entry, Value),
    /// The opening has failed.
    Rejected(Error, ConnectFailure),
    /// The connection is of no more use.
    Failed(Error),
    /// The server refuses whatever it is asked here.
    NotServed,
    /// The request was answered that was to be cancelled.
    Rested(Action),
}

impl Connection {
    pub(super) fn new(client: Key, in_flight: InFlight, now: Time) -> Connection {
        Connection {
            client,
            socket: None,
            timer: None,
            number: 0,
            endpoint: 0,
            write_queued: false,
            must_close: false,
            has_received: false,
            state: State::Connecting,
            opening: Opening::none(),
            in_flight,
            write: None,
            enqueued: 0,
            decoder: Decoder::new(),
            last_progress: now,
            client_id: None,
            cancel: None,
        }
    }

    pub(super) fn is_dedicated(&self) -> bool {
        matches!(self.in_flight, InFlight::One(_))
    }

    /// True once it may carry requests.
    pub(super) fn is_up(&self) -> bool {
        !matches!(self.state, State::Connecting | State::Handshake)
    }

    pub(super) fn opening(&self) -> &Opening {
        &self.opening
    }

    /// True while something is cancelled.
    pub(super) fn is_cancelling(&self) -> bool {
        self.state == State::Cancelling
    }

    /// True if a reply has begun to arrive.
    pub(super) fn is_reply_arriving(&self) -> bool {
        self.opening.is_done() && self.decoder.is_partial_reply()
    }

    /// True if a value has begun to arrive, be it a reply or a push.
    pub(super) fn is_value_arriving(&self) -> bool {
        self.decoder.is_partial()
    }

    /// How much of a reply has come, in words.
    pub(super) fn reply_progress(&self) -> Option<String> {
        self.decoder.progress().map(|progress| progress.to_string())
    }

    /// Bytes that are to be written.
    pub(super) fn unsent(&self) -> &[u8] {
        self.write.as_ref().map_or(&[], |write| write.unsent())
    }

    /// True if all bytes have left.
    fn is_all_sent(&self) -> bool {
        self.write.as_ref().is_none_or(|write| write.is_empty())
    }

    /// Bytes of the stream that the kernel has taken.
    pub(super) fn written(&self) -> u64 {
        self.enqueued - self.unsent().len() as u64
    }

    /// The connect has finished. `opening` and its bytes are what it sends first, of which the
    /// kernel has taken `written` already.
    pub(super) fn on_connected(
        &mut self,
        opening: Opening,
        bytes: &[u8],
        written: usize,
        buffers: &mut BufferPool,
        now: Time,
    ) {
        self.opening = opening;
        self.last_progress = now;
        self.send(bytes, written, buffers);
    }

    /// Puts bytes into the stream, the first `written` of which have left already.
    pub(super) fn send(&mut self, bytes: &[u8], written: usize, buffers: &mut BufferPool) {
        self.enqueued += bytes.len() as u64;
        let rest = &bytes[written..];
        if rest.is_empty() {
            return;
        }
        let write = self.write.get_or_insert_with(|| {
            let buffer = buffers.take(rest.len());
            Box::new(WriteBuf::new(buffer, 0))
        });
        write.extend(rest);
    }

    /// Puts bytes into the stream. Returns the buffer that is free now.
    pub(super) fn send_buf(&mut self, bytes: WriteBuf) -> Vec<u8> {
        self.enqueued += bytes.unsent().len() as u64;
        self.write.get_or_insert_default().append(bytes)
    }

    /// Carries a request, the first `written` bytes of which have left already.
    #[inline]
    pub(super) fn put(
        &mut self,
        mut outgoing: Outgoing,
        written: usize,
        buffers: &mut BufferPool,
        now: Time,
    ) {
        self.send(&outgoing.payload, written, buffers);
        if outgoing.since == UNSENT {
            outgoing.since = now;
        }
        self.last_progress = now;
        if let InFlight::One(slot) = &mut self.in_flight {
            debug_assert!(slot.is_none(), "a dedicated connection carries one request");
            *slot = Some(outgoing);
        }
    }

    /// Carries an entry of a queue, whose bytes were put into the stream.
    pub(super) fn push(&mut self, pending: Pending, replies: ReplyCount, len: u64, now: Time) {
        let entry = Entry::new(pending, replies, len, self.enqueued, now);
        if let InFlight::Many(queue) = &mut self.in_flight {
            queue.push(entry);
        }
    }

    /// Keeps a request that the server was not ready for, to send it again at `resume_at`.
    pub(super) fn hold(&mut self, outgoing: Outgoing, resume_at: Time) {
        self.last_progress = resume_at;
        self.in_flight = InFlight::One(Some(outgoing));
    }

    /// The request of a dedicated connection, if it carries one.
    pub(super) fn request(&self) -> Option<&Outgoing> {
        match &self.in_flight {
            InFlight::One(slot) => slot.as_ref(),
            InFlight::Many(_) => None,
        }
    }

    /// Takes the request of a dedicated connection off it.
    pub(super) fn take_request(&mut self) -> Option<Outgoing> {
        match &mut self.in_flight {
            InFlight::One(slot) => slot.take(),
            InFlight::Many(_) => None,
        }
    }

    /// The entries of the shared or the control connection.
    pub(super) fn queue_mut(&mut self) -> Option<&mut Queue> {
        match &mut self.in_flight {
            InFlight::One(_) => None,
            InFlight::Many(queue) => Some(queue),
        }
    }

    /// Bytes of the stream before its request.
    fn before_request(&self) -> u64 {
        let payload = self.request().map_or(0, |it| it.payload.len() as u64);
        self.enqueued - payload
    }

    /// True if all bytes of its opening have left.
    fn is_opening_written(&self) -> bool {
        self.written() >= self.before_request()
    }

    /// True if some bytes of its request have left for the server.
    pub(super) fn is_request_begun(&self) -> bool {
        self.state != State::Backoff && self.written() > self.before_request()
    }

    /// True if all bytes of its request have left: it may have been executed.
    pub(super) fn is_request_written(&self) -> bool {
        self.state != State::Backoff && self.is_all_sent()
    }

    /// True if the next reply may begin: what it answers has left.
    fn may_be_answered(&self) -> bool {
        match &self.in_flight {
            InFlight::One(slot) => slot.is_some() && self.is_request_written(),
            InFlight::Many(queue) => queue.may_be_answered(self.written()),
        }
    }

    /// Takes back a request none of whose bytes has left. Returns it.
    pub(super) fn withdraw(&mut self) -> Option<Outgoing> {
        let outgoing = self.take_request()?;
        if self.state != State::Backoff {
            self.enqueued -= outgoing.payload.len() as u64;
            if let Some(write) = &mut self.write {
                write.retract(outgoing.payload.len());
            }
        }
        Some(outgoing)
    }

    /// The kernel has taken `count` bytes. Returns a buffer that is free now.
    pub(super) fn on_written(&mut self, count: usize) -> Option<Vec<u8>> {
        let write = self.write.as_mut()?;
        write.advance(count);
        if !write.is_empty() {
            return None;
        }
        let buffer = write.take_buffer();
        if self.is_dedicated() {
            self.write = None;
        }
        Some(buffer)
    }

    /// Starts the opening again.
    pub(super) fn reopen(&mut self, opening: Opening, now: Time) {
        self.opening = opening;
        self.last_progress = now;
    }
}

#[cfg(test)]
mod tests;
