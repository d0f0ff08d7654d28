//! What happens, once its moment has come: connects, bytes, ends and resets arrive, and faults strike.

use super::faults::Strike;
use super::network::{Happening, Network};
use super::sockets::{Kind, Listening, Phase, Stream};
use super::trace::Digest;
use crate::time::{Time, secs};
use crate::token::Key;
use std::io::ErrorKind;

impl Network {
    /// Time goes on to then, and all that is due until then happens, each thing at its moment. Else what is sent afterwards and
    /// arrives at once would overtake what has been under way for long.
    pub(super) fn pass(&mut self, until: Time) {
        while let Some(next) = self
            .agenda
            .first_entry()
            .filter(|next| next.key().0 <= until)
        {
            let ((at, _), what) = next.remove_entry();
            self.now = self.now.max(at);
            self.happen(what);
        }
        self.now = self.now.max(until);
    }

    pub(super) fn happen(&mut self, what: Happening) {
        match what {
            Happening::Syn { from, attempt } => self.syn(from, attempt),
            Happening::Answered { to, with } => self.answered(to, with),
            Happening::Bytes { from, to, bytes } => self.arrive(from, to, &bytes),
            Happening::Finish { to } => {
                let hears = self.stream(to).ok().filter(|stream| !stream.deaf);
                if let Some(stream) = hears {
                    stream.finished = true;
                    self.note(format_args!("{to:?} gets the end"));
                    self.changed(to);
                }
            }
            Happening::Reset { to } => self.reset(to),
            Happening::Room { at } => self.edge(at),
            Happening::GoOn { at } => self.script_goes_on(at),
            Happening::Strike(strike) => self.strike(strike),
        }
    }

    /// A connect arrives where somebody may listen.
    pub(super) fn syn(&mut self, from: Key, attempt: u32) {
        let Ok(stream) = self.peek(from) else {
            return;
        };
        let (here, there) = (stream.here.clone(), stream.there.clone());
        let refuses = self.now < self.refuses_until || self.random.chance(self.faults.refused);
        let at = self.listeners.iter().position(|(at, _)| *at == there);
        let Some(at) = at.filter(|_| !refuses) else {
            let with = Err(ErrorKind::ConnectionRefused);
            return self.answer(from, with);
        };
        if self.random.chance(self.faults.lost_syns) || self.is_busy(&there) {
            self.note(format_args!("the SYN of {from:?} is lost"));
            let again = self.now + secs(1 << attempt.min(6));
            let attempt = attempt + 1;
            return self.plan(again, Happening::Syn { from, attempt });
        }
        let mut stream = Stream::new(there, here, Phase::Open, Some(from));
        let listener = match &mut self.listeners[at].1 {
            Listening::Socket(listener) => Some(*listener),
            Listening::Scripts(scripts) => {
                let Some(script) = scripts.pop_front() else {
                    let with = Err(ErrorKind::ConnectionRefused);
                    return self.answer(from, with);
                };
                stream.script = Some(Box::new(script.start()));
                None
            }
        };
        let key = self.add(None, Kind::Stream(stream));
        if let Ok(stream) = self.stream(from) {
            stream.other = Some(key);
        }
        self.answer(from, Ok(()));
        match listener {
            None => self.run_script(key),
            Some(listener) => {
                if let Some(Kind::Listener { backlog, .. }) = self.kind(listener) {
                    backlog.push_back(key);
                }
                self.edge(listener);
            }
        }
    }

    pub(super) fn answer(&mut self, to: Key, with: Result<(), ErrorKind>) {
        let at = self.arrival();
        match at == self.now {
            true => self.answered(to, with),
            false => self.plan(at, Happening::Answered { to, with }),
        }
    }

    pub(super) fn answered(&mut self, to: Key, with: Result<(), ErrorKind>) {
        let Ok(stream) = self.stream(to) else {
            return;
        };
        stream.phase = match with {
            Ok(()) => Phase::Open,
            Err(kind) => Phase::Failed(kind),
        };
        self.note(format_args!("{to:?} is connected: {with:?}"));
        // Who has not been told that it is under way needs no event.
        if self.sock(to).is_ok_and(|sock| sock.watches_writes) {
            self.edge(to);
        }
    }

    pub(super) fn arrive(&mut self, from: Key, to: Key, bytes: &[u8]) {
        let Ok(stream) = self.stream(to) else {
            // Nobody is there any more, and the kernel says so.
            let at = self.arrival_at(from);
            return self.plan(at, Happening::Reset { to: from });
        };
        if stream.deaf {
            // They stay in flight, and take the room of others.
            return;
        }
        stream.in_flight -= bytes.len();
        if stream.silent {
            return;
        }
        stream.inbox.extend(bytes);
        self.note(format_args!("{to:?} gets {}", Digest(bytes)));
        self.changed(to);
    }

    pub(super) fn reset(&mut self, to: Key) {
        let Ok(stream) = self.stream(to) else {
            return;
        };
        if stream.silent || stream.reset.is_some() {
            return;
        }
        stream.reset = Some(ErrorKind::ConnectionReset);
        stream.other = None;
        self.note(format_args!("{to:?} gets a reset"));
        self.changed(to);
    }

    pub(super) fn strike(&mut self, strike: Strike) {
        self.note(format_args!("{strike:?} strikes"));
        match strike {
            Strike::ResetAll => {
                for key in self.streams() {
                    self.break_off(key);
                }
            }
            Strike::VanishAll => {
                for key in self.streams() {
                    self.vanish(key);
                }
            }
            Strike::Refuse(time) => self.refuses_until = self.now + time,
            Strike::Stall(time) => self.stalls_until = self.now + time,
            Strike::ErrorReplies(text, time) => self.answers_with = Some((text, self.now + time)),
            Strike::JumpClock(time) => self.pass(self.now + time),
            Strike::Change(faults) => self.faults = *faults,
        }
    }
}
