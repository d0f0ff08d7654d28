//! What comes in on a connection: bytes become replies, and replies end requests.

use super::super::backoff::ConnectFailure;
use super::super::cancel::Action;
use super::super::command::ReplyCount;
use super::super::connection::{Event, State};
use super::super::guard::unblock_mode;
use super::super::in_flight::Pending;
use super::super::outgoing::Outgoing;
use super::super::request::{Counted, Place, Ticket};
use super::super::verdict::{Decision, Verdict};
use super::{Clients, Parts};
use crate::error::{Error, ErrorKind, printable};
use crate::resp::Value;
use crate::time::Time;
use crate::timers::Timers;
use crate::token::Key;

impl Clients {
    /// Takes in bytes that were read on a connection. If its end is known to be behind them, no
    /// other request gets it. Returns false when the connection has ended.
    pub(crate) fn on_bytes(
        &mut self,
        key: Key,
        mut bytes: &[u8],
        ending: bool,
        timers: &mut Timers,
    ) -> bool {
        loop {
            let Some(mut parts) = self.parts(key) else {
                return false;
            };
            if parts.conn.on_client_id_alone(bytes) {
                parts.on_first_bytes();
                parts.client.dialer.on_success();
                return true;
            }
            let event = match parts.receive(key, &mut bytes, timers) {
                Some(event) => event,
                None => match parts.at_rest(key, ending, timers) {
                    None => {
                        parts.sync_conn(key, timers);
                        return true;
                    }
                    Some(event) => event,
                },
            };
            if self.on_event(key, event, timers) {
                return self.conns.get(key).is_some();
            }
        }
    }

    /// Handles what does not happen with each reply. Returns true when the bytes are used up.
    #[cold]
    #[inline(never)]
    fn on_event(&mut self, key: Key, event: Event, timers: &mut Timers) -> bool {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return true;
        };
        let client_key = conn.client;
        match event {
            Event::Opened => self.opened(key, timers),
            Event::Info(info) => client.control.mode = unblock_mode(&info),
            Event::Replied(entry, value) => {
                self.on_control_reply(client_key, entry.pending, value, timers);
            }
            Event::Rejected(error, failure) => self.connect_failed(key, &error, failure, timers),
            Event::Failed(error) => self.on_closed(key, &error, timers),
            Event::NotServed => self.close_with(key, &no_longer_served(), timers),
            Event::Rested(action) => {
                self.perform(key, action, timers);
                return true;
            }
            Event::Drained | Event::Answered(..) => {}
        }
        false
    }
}

/// What an answer asks for besides.
enum Followup {
    None,
    /// The client's deadline has changed: a request went back to the queue, or dialing pauses.
    Paused,
    Event(Event),
}

impl Parts<'_> {
    /// Decodes replies and ends their requests. Returns what else is to be done; `None` once all
    /// bytes are decoded.
    #[inline(always)]
    fn receive(&mut self, key: Key, bytes: &mut &[u8], timers: &mut Timers) -> Option<Event> {
        let now = timers.now();
        if !self.conn.has_received {
            self.on_first_bytes();
        }
        loop {
            let Parts { conn, client, .. } = self;
            let server = client.dialer.endpoints.get(conn.endpoint);
            match conn.receive(bytes, &client.config, &client.handshake, server, now) {
                Event::Drained => return None,
                Event::Answered(outgoing, value) => {
                    match self.on_answer(key, outgoing, value, now) {
                        Followup::None => {}
                        Followup::Paused => self.sync_client(timers),
                        Followup::Event(event) => return Some(event),
                    }
                }
                Event::Replied(entry, value) => match entry.pending {
                    Pending::Request(ticket) => {
                        if self.on_shared_reply(key, ticket, entry.sent_at, value, now) {
                            self.sync_client(timers);
                        }
                    }
                    _ => return Some(Event::Replied(entry, value)),
                },
                event @ (Event::Opened
                | Event::Info(_)
                | Event::Rejected(..)
                | Event::Failed(_)
                | Event::NotServed
                | Event::Rested(_)) => return Some(event),
            }
        }
    }

    /// The server is heard for the first time on this connection: it has accepted it, and all that
    /// were dialed before.
    fn on_first_bytes(&mut self) {
        self.conn.has_received = true;
        self.client.dialer.mark_accepted(self.conn.number);
        self.out.queue_dial(self.conn.client, self.client);
    }

    /// All bytes that have come are decoded. Only now is a connection free again: a byte behind the
    /// last reply would be taken for the reply to the next request.
    #[inline(always)]
    fn at_rest(&mut self, key: Key, ending: bool, timers: &mut Timers) -> Option<Event> {
        let conn = &mut *self.conn;
        if !conn.in_flight.is_empty() || !conn.is_up() {
            return None;
        }
        if conn.state == State::Idle {
            return None;
        }
        if conn.must_close && !conn.is_cancelling() {
            return self.not_served();
        }
        if !conn.is_dedicated() || ending || conn.is_value_arriving() {
            return None;
        }
        match &mut conn.cancel {
            None => {
                self.release(key, 0, timers);
                None
            }
            Some(cancel) => match cancel.on_answer() {
                Action::Free if conn.must_close => Some(Event::NotServed),
                action => Some(Event::Rested(action)),
            },
        }
    }

    /// The end of a connection on which the server refuses what it is asked.
    #[cold]
    fn not_served(&mut self) -> Option<Event> {
        // The shared connection serves reads, and refuses writes at once, until it is dialed again.
        if !self.conn.is_dedicated() && self.client.dialer.deadline().is_some() {
            return None;
        }
        self.client.dialer.backoff.suspect();
        Some(Event::NotServed)
    }

    /// Ends a request of the shared connection. Returns true if the client's deadline has changed.
    #[inline]
    fn on_shared_reply(
        &mut self,
        key: Key,
        ticket: Ticket,
        sent_at: Time,
        value: Value,
        now: Time,
    ) -> bool {
        if self.out.events.on {
            let answer = (ticket, &value);
            self.out
                .events
                .answered(self.requests, key, answer, sent_at, now);
        }
        let verdict = Verdict::of_reply(&value);
        if let Some(verdict) = verdict {
            self.on_verdict(verdict, &value, now);
        }
        let counted = self.requests.complete(ticket, value, sent_at, now);
        self.client.counters.dropped += u64::from(counted == Counted::Dropped);
        verdict.is_some_and(Verdict::is_refusal)
    }

    /// Ends the request of a dedicated connection, or sends it again.
    #[inline]
    fn on_answer(&mut self, key: Key, outgoing: Outgoing, value: Value, now: Time) -> Followup {
        let Some(request) = self.requests.get(outgoing.ticket) else {
            self.client.counters.dropped += 1;
            return Followup::None;
        };
        let cancel = request.cancel;
        if request.requeue.is_some_and(|it| !it.fits(&value)) {
            let message = "the answer has not the shape of the command's answer";
            let error = Error::new(ErrorKind::Protocol, message);
            let told = error.clone().after_sending();
            self.requests.fail(outgoing.ticket, told);
            self.client.counters.indeterminate += 1;
            return Followup::Event(Event::Failed(error));
        }
        let verdict = Verdict::of_reply(&value);
        if let Some(verdict) = verdict {
            self.on_verdict(verdict, &value, now);
        }
        match Decision::of(outgoing.repeats, cancel, value.is_null(), verdict) {
            Decision::Deliver => self.deliver(key, &outgoing, value, now),
            Decision::EndCancelled => {
                self.requests.end_cancelled(outgoing.ticket);
                self.client.counters.cancelled += 1;
            }
            Decision::NextSlice => self.send_again(key, outgoing, 0, now),
            Decision::RetryLater => {
                let tries = u32::from(outgoing.tries);
                let pause = self.client.dialer.backoff.pause(tries, &self.client.config);
                let tries = outgoing.tries.saturating_add(1);
                let outgoing = Outgoing { tries, ..outgoing };
                self.conn.hold(outgoing, now + pause);
                self.client.pool.set_state(self.conn, State::Backoff);
                // It is this request's matter, not the connection's.
                self.conn.must_close = false;
            }
            Decision::RequeueLast | Decision::RequeueFirst => {
                let first = verdict.is_some();
                self.requeue(outgoing, first, now);
                return match verdict {
                    Some(Verdict::Full) => Followup::Event(full(&value)),
                    _ => Followup::Paused,
                };
            }
        }
        match verdict {
            Some(Verdict::Full) => Followup::Event(full(&Value::Null)),
            Some(verdict) if verdict.is_refusal() => Followup::Paused,
            _ => Followup::None,
        }
    }

    #[inline]
    fn deliver(&mut self, key: Key, outgoing: &Outgoing, value: Value, now: Time) {
        let (ticket, since) = (outgoing.ticket, outgoing.since);
        if self.out.events.on {
            let answer = (ticket, &value);
            self.out
                .events
                .answered(self.requests, key, answer, since, now);
        }
        let counters = &mut self.client.counters;
        match self.requests.complete(ticket, value, since, now) {
            Counted::Delivered => {}
            Counted::Cancelled => counters.cancelled += 1,
            Counted::Undelivered => counters.undelivered += 1,
            Counted::Dropped => counters.dropped += 1,
        }
    }

    /// Notes what an error reply says of the server.
    #[cold]
    fn on_verdict(&mut self, verdict: Verdict, value: &Value, now: Time) {
        self.conn.must_close |= verdict.ends_connection();
        if let (true, Value::Error(text)) = (verdict.is_refusal(), value) {
            let (number, config) = (self.conn.endpoint, &self.client.config);
            let error = Error::server(text);
            self.client.dialer.on_refusal(number, &error, now, config);
        }
    }

    /// Sends a request again on the connection that has carried it.
    #[cold]
    pub(super) fn send_again(&mut self, key: Key, outgoing: Outgoing, tries: u8, now: Time) {
        self.put(key, Outgoing { tries, ..outgoing }, 0, now);
    }

    /// Returns a request to the queue. It has not been executed.
    #[cold]
    pub(super) fn requeue(&mut self, outgoing: Outgoing, first: bool, now: Time) {
        if let Some(request) = self.requests.get_mut(outgoing.ticket) {
            request.cancel = None;
            request.place = Place::Queued;
        }
        let waiting = &mut self.client.pool.waiting;
        match first {
            true => waiting.push_front(outgoing, now),
            false => waiting.push(outgoing, ReplyCount::One, now),
        }
        self.out.queue_dial(self.conn.client, self.client);
    }
}

/// The error of a connection on which the server refuses what it is asked.
pub(super) fn no_longer_served() -> Error {
    let message = "the server no longer serves this connection";
    Error::new(ErrorKind::Closed, message)
}

/// The end of a connection for which the server has no room.
fn full(value: &Value) -> Event {
    let text = match value {
        Value::Error(text) => printable(text),
        _ => "it has no room for another client".to_owned(),
    };
    let message = format!("the server rejected the connection: {text}");
    Event::Rejected(
        Error::new(ErrorKind::Connect, message),
        ConnectFailure::Full,
    )
}
