//! Those who wait for a connection, in the order they came.
//!
//! Somebody who gives up leaves a gap: to take it out at once would move all behind it, and ten thousand who give up
//! together would move each other. A gap is passed over when it comes to the front, and all gaps are closed when there are
//! more of them than people. So giving up costs the same however many wait.

use super::invariant::must;
use super::outbox::Outbox;
use super::request::Ticket;
use crate::timers::Timers;
use crate::token::ROOM;
use crate::wheel::Timer;
use std::collections::VecDeque;

/// A list keeps so many entries that mean nothing any more, and as many more as it has others, before it is
/// cleaned up.
pub(super) const STALE_MAX: usize = 16;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Line {
    /// The first come in front, each with the length of what it will send. Some may have given up.
    places: VecDeque<(Ticket, usize)>,
    /// What they will send, one behind the other in the same order: ten thousand small buffers of their own
    /// would take twice the memory.
    bytes: Outbox,
    /// How many of `places` have not given up.
    alive: usize,
    /// When the first has waited too long. It is off when nobody waits.
    pub(super) timer: Option<Timer>,
}

impl Line {
    pub(super) fn new() -> Line {
        Line {
            places: VecDeque::with_capacity(ROOM),
            bytes: Outbox::default(),
            alive: 0,
            timer: None,
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.alive
    }

    /// Those who stand there, the first in front, with some who have given up among them.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.places.iter().map(|&(ticket, _)| ticket)
    }

    /// Adds a request, and what it will send.
    pub(super) fn push(&mut self, ticket: Ticket, bytes: &[u8]) {
        self.places.push_back((ticket, bytes.len()));
        self.bytes.extend(bytes);
        self.alive += 1;
    }

    /// One of those that wait has given up, and is not wanted any more.
    pub(super) fn give_up_one(&mut self, is_wanted: impl Fn(Ticket) -> bool, timers: &mut Timers) {
        self.leave(timers);
        if self.places.len() <= 2 * self.alive + STALE_MAX {
            return;
        }
        let mut bytes = self.bytes.unsent();
        let mut kept = Vec::new();
        self.places.retain(|&(ticket, len)| {
            let (command, rest) = bytes.split_at(len);
            bytes = rest;
            let wanted = is_wanted(ticket);
            if wanted {
                kept.extend_from_slice(command);
            }
            wanted
        });
        self.bytes = Outbox::new(kept, 0);
    }

    /// Forgets those at the front who have given up, up to the first who has not.
    pub(super) fn pass_over(&mut self, is_stale: impl Fn(Ticket) -> bool) {
        while self.places.len() > self.alive {
            match self.places.front() {
                Some(&(ticket, _)) if is_stale(ticket) => self.drop_first(),
                _ => return,
            }
        }
    }

    /// The first, and what it will send. Those that have given up must have been [passed over](Line::pass_over).
    pub(super) fn first(&self) -> Option<(Ticket, &[u8])> {
        let &(ticket, len) = self.places.front()?;
        Some((ticket, &self.bytes.unsent()[..len]))
    }

    /// Takes the first out of the line. The same holds.
    pub(super) fn pop(&mut self, timers: &mut Timers) -> Option<Ticket> {
        let &(ticket, _) = self.places.front()?;
        self.drop_first();
        self.leave(timers);
        Some(ticket)
    }

    fn leave(&mut self, timers: &mut Timers) {
        self.alive -= 1;
        if self.alive == 0 {
            timers.disarm(&mut self.timer);
        }
    }

    fn drop_first(&mut self) {
        let Some((_, len)) = self.places.pop_front() else {
            return;
        };
        self.bytes.advance(len);
        if self.places.is_empty() {
            // What a burst has needed is not kept for ever.
            drop(self.bytes.take_buffer());
            self.places.shrink_to(ROOM);
        }
    }

    /// What must be true: those who are counted stand there, with their bytes, and do not wait for ever.
    pub(super) fn verify(&self) -> Result<(), String> {
        let (there, alive) = (self.places.len(), self.alive);
        must!(
            there >= alive,
            "{alive} wait, and {there} stand in the line"
        );
        let bytes: usize = self.places.iter().map(|(_, len)| len).sum();
        let kept = self.bytes.unsent().len();
        must!(
            bytes == kept,
            "those who wait have {bytes} bytes, and {kept} are kept"
        );
        must!(
            alive == 0 || self.timer.is_some(),
            "those who wait for a connection wait for ever"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Time, ms};
    use crate::token::{Owner, Slots};

    /// A line in which so many wait, each with a command of its own, and their tickets.
    fn line_of(count: usize) -> (Line, Timers, Slots<usize>, Vec<Ticket>) {
        let (mut line, mut timers, mut slots) = (Line::new(), Timers::default(), Slots::default());
        let tickets: Vec<_> = (0..count).map(|n| Ticket(slots.insert(n))).collect();
        for (n, &ticket) in tickets.iter().enumerate() {
            line.push(ticket, format!("command {n}").as_bytes());
        }
        line.timer = Some(timers.arm(Time::ZERO + ms(5), Owner::Pool(tickets[0].0)));
        (line, timers, slots, tickets)
    }

    #[test]
    fn who_comes_first_is_served_first_with_the_bytes_that_are_theirs() {
        let (mut line, mut timers, mut slots, tickets) = line_of(100);
        for n in (0..100).filter(|n| n % 10 != 7) {
            slots.remove(tickets[n].0);
            line.give_up_one(|it| slots.get(it.0).is_some(), &mut timers);
            line.verify().expect("in order");
        }
        for n in (7..100).step_by(10) {
            line.pass_over(|it| slots.get(it.0).is_none());
            let command = format!("command {n}");
            assert_eq!(line.first(), Some((tickets[n], command.as_bytes())));
            assert_eq!(line.pop(&mut timers), Some(tickets[n]));
        }
        line.pass_over(|it| slots.get(it.0).is_none());
        assert_eq!((line.len(), line.first()), (0, None));
    }

    #[test]
    fn the_ranks_are_closed_when_most_have_given_up() {
        let (mut line, mut timers, mut slots, tickets) = line_of(1000);
        for ticket in &tickets[..990] {
            slots.remove(ticket.0);
            line.give_up_one(|it| slots.get(it.0).is_some(), &mut timers);
        }
        assert_eq!(line.len(), 10);
        assert!(line.tickets().count() <= 2 * 10 + STALE_MAX);
    }

    #[test]
    fn nobody_is_timed_when_nobody_waits() {
        let (mut line, mut timers, _, _) = line_of(2);
        line.pop(&mut timers);
        assert!(line.timer.is_some());
        line.give_up_one(|_| false, &mut timers);
        assert!(line.timer.is_none());
    }
}
