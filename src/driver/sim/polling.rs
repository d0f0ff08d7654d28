//! Polling: time passes until something is to be reported, and what is true then is told.

use super::faults::Strike;
use super::network::{Network, POLLS_PER_MOMENT_MAX};
use super::sockets::{Kind, Phase, Sock};
use crate::driver::{EVENTS_PER_POLL_MAX, Event, Polled, Socket};
use crate::token::Key;
use std::io;
use std::time::Duration;

impl Network {
    /// Lets time pass until something is to be reported, or `timeout` is over.
    pub(super) fn poll(
        &mut self,
        timeout: Option<Duration>,
        events: &mut Vec<Event>,
    ) -> io::Result<Polled> {
        if self.random.chance(self.faults.interrupts) {
            self.note(format_args!("a signal interrupts the poll"));
            return Ok(Polled {
                full: true,
                stale: 0,
            });
        }
        if self.random.chance(self.faults.clock_jumps) {
            let jump = self.faults.jump.clone();
            let jump = self.random.duration(&jump);
            self.strike(Strike::JumpClock(jump));
        }
        let began = self.now;
        self.wait(timeout)?;
        self.polls_at_this_moment = match self.now == began {
            true => self.polls_at_this_moment + 1,
            false => 0,
        };
        if self.polls_at_this_moment > POLLS_PER_MOMENT_MAX {
            return Err(io::Error::other("polled for ever without a moment passing"));
        }
        Ok(self.report(events))
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let until = timeout.map(|timeout| self.now + timeout);
        self.pass(self.now);
        loop {
            if !self.ready.is_empty() || std::mem::take(&mut self.alarm) {
                return Ok(());
            }
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let at = match (next, until) {
                (_, Some(until)) if until <= self.now => return Ok(()),
                (Some(next), Some(until)) => next.min(until),
                (Some(next), None) => next,
                (None, Some(until)) => until,
                (None, None) => return Err(io::Error::other("nothing will ever happen again")),
            };
            self.pass(at);
        }
    }

    fn report(&mut self, events: &mut Vec<Event>) -> Polled {
        let mut polled = Polled::default();
        while events.len() < EVENTS_PER_POLL_MAX {
            let Some(key) = self.ready.pop_front() else {
                break;
            };
            match self.event(key) {
                Some(event) => events.push(event),
                None => polled.stale += 1,
            }
        }
        polled.full = events.len() == EVENTS_PER_POLL_MAX;
        if self.random.chance(self.faults.spurious) {
            events.extend(self.spurious());
        }
        for event in &*events {
            let (key, readable, writable) = (event.socket.0, event.readable, event.writable);
            let ended = event.ended;
            let line = format_args!("{key:?} is ready: {readable} {writable} {ended}");
            self.trace.note(self.now, line);
        }
        polled
    }

    /// What is true of a socket that stood in the ready list.
    fn event(&mut self, key: Key) -> Option<Event> {
        let sock = self.sockets.get_mut(key)?;
        sock.is_ready = false;
        let owner = sock.owner?;
        let (readable, writable, ended) = match &sock.kind {
            Kind::Listener { backlog, .. } => (!backlog.is_empty(), false, false),
            Kind::Stream(stream) => {
                let failed = matches!(stream.phase, Phase::Failed(_));
                let ended = failed || stream.has_ended();
                let open = stream.phase == Phase::Open;
                let (other, watches) = (stream.other, sock.watches_writes);
                let readable = ended || !stream.inbox.is_empty();
                let room = other.is_none_or(|other| self.room_at(other) > 0);
                (readable, watches && (failed || open && room), ended)
            }
        };
        Some(Event {
            socket: Socket(key),
            owner,
            readable,
            writable,
            ended,
        })
    }

    /// An event of which nothing need be true.
    fn spurious(&mut self) -> Option<Event> {
        let of_hub = |(key, sock): (Key, &Sock)| sock.owner.map(|owner| (key, owner));
        let all: Vec<_> = self.sockets.iter().filter_map(of_hub).collect();
        let (key, owner) = *all.get(self.random.index(all.len()))?;
        Some(Event {
            socket: Socket(key),
            owner,
            readable: true,
            writable: true,
            ended: false,
        })
    }
}
