//! What comes in: bytes become values, and values become events.

use super::super::backoff::ConnectFailure;
use super::super::handshake::{Handshake, StepOutcome, not_redis};
use super::super::in_flight::{InFlight, Popped, too_early, unasked};
use super::{Connection, Event, State};
use crate::config::Config;
use crate::driver::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::resp::Value;
use crate::time::Time;
use log::trace;

impl Connection {
    /// Takes in the answer to `CLIENT ID` where it has come alone: what nearly every connection
    /// receives first, in less than the decoder and the opening take to find out. The timer stays as
    /// it is, armed early. Returns false, and takes in nothing, if anything else has come.
    #[inline]
    pub(in crate::client) fn on_client_id_alone(&mut self, bytes: &[u8]) -> bool {
        if self.has_received || self.cancel.is_some() || !self.is_all_sent() {
            return false;
        }
        let id = self.opening.take_client_id(bytes);
        self.client_id = id;
        id.is_some()
    }

    /// Decodes the next value, and says what has come of it.
    #[inline(always)]
    pub(in crate::client) fn receive(
        &mut self,
        input: &mut &[u8],
        config: &Config,
        handshake: &Handshake,
        server: &Endpoint,
        now: Time,
    ) -> Event {
        while !input.is_empty() {
            let first = *input;
            let value = match self.decoder.decode(input, &config.limits) {
                Ok(Some(value)) => value,
                Ok(None) => return self.on_partial(now),
                Err(error) => return self.not_resp(first, error, server),
            };
            if let Value::Push(_) = value {
                trace!("a push frame, for which there is no listener");
                continue;
            }
            if !self.opening.is_done() {
                match self.on_opening_reply(&value, handshake, server) {
                    Some(event) => return event,
                    None => continue,
                }
            }
            match self.on_reply(value, now) {
                Some(event) => return event,
                None => continue,
            }
        }
        Event::Drained
    }

    /// The rest of a value is still to come. A reply must not begin before its command has left:
    /// it would be taken for the answer once it is whole.
    fn on_partial(&mut self, now: Time) -> Event {
        if !self.is_reply_arriving() {
            return Event::Drained;
        }
        if !self.may_be_answered() {
            let message = "the beginning of a reply that nothing asked for";
            return Event::Failed(Error::new(ErrorKind::Protocol, message));
        }
        self.last_progress = self.last_progress.max(now);
        Event::Drained
    }

    fn on_opening_reply(
        &mut self,
        value: &Value,
        handshake: &Handshake,
        server: &Endpoint,
    ) -> Option<Event> {
        // A server that has no room says so before it is asked anything.
        if !self.is_opening_written() && !matches!(value, Value::Error(_)) {
            return Some(Event::Rejected(too_early(value), ConnectFailure::Rejected));
        }
        match handshake.on_reply(&mut self.opening, value, server) {
            StepOutcome::Failed(error, failure) => return Some(Event::Rejected(error, failure)),
            StepOutcome::ClientId(id) => self.client_id = Some(id),
            StepOutcome::Info(info) => return Some(Event::Info(info)),
            StepOutcome::NoClientId | StepOutcome::Accepted => {}
        }
        self.opening.is_done().then_some(Event::Opened)
    }

    #[inline(always)]
    fn on_reply(&mut self, value: Value, now: Time) -> Option<Event> {
        let (written, is_all_sent) = (self.written(), self.is_all_sent());
        match &mut self.in_flight {
            InFlight::One(slot) => match slot.take() {
                Some(outgoing) if self.state != State::Backoff && is_all_sent => {
                    Some(Event::Answered(outgoing, value))
                }
                Some(outgoing) => {
                    *slot = Some(outgoing);
                    Some(Event::Failed(too_early(&value)))
                }
                None => Some(Event::Failed(unasked(&value))),
            },
            InFlight::Many(queue) => {
                self.last_progress = now;
                match queue.on_reply(value, written) {
                    Popped::Done(entry, value) => Some(Event::Replied(entry, value)),
                    Popped::Partial => None,
                    Popped::TooEarly(value) => Some(Event::Failed(too_early(&value))),
                    Popped::Unasked(value) => Some(Event::Failed(unasked(&value))),
                }
            }
        }
    }

    /// The peer has sent bytes that are not RESP. One that never sent anything else is no Redis
    /// server.
    fn not_resp(&self, first: &[u8], error: Error, server: &Endpoint) -> Event {
        match self.opening.is_done() {
            true => Event::Failed(error),
            false => {
                let error = not_redis(server, first, &error);
                Event::Rejected(error, ConnectFailure::Rejected)
            }
        }
    }
}
