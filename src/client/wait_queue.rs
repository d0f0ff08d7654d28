//! Requests that wait for a connection, first come, first served.
//!
//! A request that is cancelled stays in the queue as a tombstone: to remove it at once would move
//! all entries behind it, and ten thousand requests that are cancelled together would move each
//! other. A tombstone is skipped when it comes to the front, and the queue is compacted when
//! tombstones outnumber live entries, so cancelling costs O(1) amortised.

use super::command::ReplyCount;
use super::invariant::ensure;
use super::outgoing::Outgoing;
use super::request::Ticket;
use crate::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// A list keeps this many stale entries, and as many more as it has live ones, before it is
/// compacted.
pub(super) const STALE_MAX: usize = 16;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct WaitQueue {
    entries: VecDeque<Waiting>,
    capacity: usize,
    /// Entries that are no tombstones.
    live: usize,
}

/// One entry.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) outgoing: Outgoing,
    pub(super) replies: ReplyCount,
    /// When it began to wait for a connection.
    queued_at: Time,
}

impl WaitQueue {
    /// An empty queue. It keeps this much memory once it has used it.
    pub(super) fn with_capacity(capacity: usize) -> WaitQueue {
        WaitQueue {
            entries: VecDeque::with_capacity(capacity),
            capacity,
            live: 0,
        }
    }

    /// Requests that wait.
    pub(super) fn live_len(&self) -> usize {
        self.live
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Adds a request at the end.
    pub(super) fn push(&mut self, outgoing: Outgoing, replies: ReplyCount, now: Time) {
        self.live += 1;
        self.entries.push_back(Waiting {
            outgoing,
            replies,
            queued_at: now,
        });
    }

    /// Returns a request to the front: it has waited before, and was not executed.
    pub(super) fn push_front(&mut self, outgoing: Outgoing, now: Time) {
        // The first entry must be the one that has waited longest.
        let queued_at = self.entries.front().map_or(now, |first| first.queued_at);
        self.live += 1;
        self.entries.push_front(Waiting {
            outgoing,
            replies: ReplyCount::One,
            queued_at: queued_at.min(now),
        });
    }

    /// When the first request has waited for `timeout`.
    pub(super) fn deadline(&self, timeout: Duration) -> Option<Time> {
        let first = self.entries.front().filter(|_| self.live > 0)?;
        Some(first.queued_at + timeout)
    }

    /// Turns one entry into a tombstone: `is_live` says which are none.
    pub(super) fn cancel_one(&mut self, is_live: impl Fn(Ticket) -> bool) {
        self.live -= 1;
        if self.entries.len() > 2 * self.live + STALE_MAX {
            self.entries.retain(|entry| is_live(entry.outgoing.ticket));
        }
        self.skip_cancelled(is_live);
    }

    /// Removes the tombstones at the front.
    pub(super) fn skip_cancelled(&mut self, is_live: impl Fn(Ticket) -> bool) {
        while self.entries.len() > self.live {
            match self.entries.front() {
                Some(first) if !is_live(first.outgoing.ticket) => drop(self.entries.pop_front()),
                _ => return,
            }
        }
    }

    /// The first request. Tombstones must have been [skipped](WaitQueue::skip_cancelled).
    pub(super) fn first(&self) -> Option<&Outgoing> {
        self.entries.front().map(|entry| &entry.outgoing)
    }

    /// Removes the first request. Tombstones must have been [skipped](WaitQueue::skip_cancelled).
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        if self.live == 0 {
            return None;
        }
        let first = self.entries.pop_front()?;
        self.live -= 1;
        if self.entries.is_empty() {
            // The memory that a burst needs is not kept.
            self.entries.shrink_to(self.capacity);
        }
        Some(first)
    }

    /// Checks the counter.
    pub(super) fn check(&self, is_live: impl Fn(Ticket) -> bool) -> Result<(), String> {
        let entries = self.entries.iter();
        let found = entries.filter(|it| is_live(it.outgoing.ticket)).count();
        let live = self.live;
        ensure!(found == live, "{found} requests are queued, not {live}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::outgoing::{NO_LIMIT, UNSENT};
    use super::super::payload::Payload;
    use super::super::write_buf::WriteBuf;
    use super::*;
    use crate::time::ms;
    use crate::token::Slots;

    fn outgoing(ticket: Ticket) -> Outgoing {
        Outgoing {
            ticket,
            payload: Payload::new(WriteBuf::default()),
            since: UNSENT,
            timeout_ms: NO_LIMIT,
            repeats: false,
            tries: 0,
        }
    }

    /// A queue with this many requests, one a millisecond.
    fn queue_of(count: usize) -> (WaitQueue, Slots<()>, Vec<Ticket>) {
        let (mut queue, mut slots, mut now) =
            (WaitQueue::with_capacity(0), Slots::default(), Time::ZERO);
        let tickets = (0..count).map(|_| {
            let ticket = Ticket(slots.insert(()));
            queue.push(outgoing(ticket), ReplyCount::One, now);
            now = now + ms(1);
            ticket
        });
        let tickets = tickets.collect();
        (queue, slots, tickets)
    }

    #[test]
    fn first_come_is_first_served_past_cancelled_requests() {
        let (mut queue, mut slots, tickets) = queue_of(100);
        for n in (0..100).filter(|n| n % 10 != 7) {
            slots.remove(tickets[n].0);
            queue.cancel_one(|it| slots.get(it.0).is_some());
            queue.check(|it| slots.get(it.0).is_some()).unwrap();
        }
        for n in (7..100).step_by(10) {
            queue.skip_cancelled(|it| slots.get(it.0).is_some());
            assert_eq!(queue.first().unwrap().ticket, tickets[n]);
            assert_eq!(queue.pop().unwrap().outgoing.ticket, tickets[n]);
        }
        queue.skip_cancelled(|it| slots.get(it.0).is_some());
        assert!(queue.is_empty() && queue.first().is_none());
    }

    #[test]
    fn queue_is_compacted_when_most_requests_are_cancelled() {
        let (mut queue, mut slots, tickets) = queue_of(1000);
        // The first one stays, so that no tombstone comes to the front.
        for ticket in &tickets[1..991] {
            slots.remove(ticket.0);
            queue.cancel_one(|it| slots.get(it.0).is_some());
        }
        assert_eq!(queue.live_len(), 10);
        assert!(queue.entries.len() <= 2 * 10 + STALE_MAX);
    }

    #[test]
    fn returned_request_is_first_and_keeps_the_deadline_of_the_front() {
        let (mut queue, mut slots, tickets) = queue_of(2);
        let returned = Ticket(slots.insert(()));
        let later = Time::ZERO + ms(500);
        queue.push_front(outgoing(returned), later);
        assert_eq!(queue.deadline(ms(20)), Some(Time::ZERO + ms(20)));
        assert_eq!(queue.pop().unwrap().outgoing.ticket, returned);
        assert_eq!(queue.pop().unwrap().outgoing.ticket, tickets[0]);
        queue.pop();
        assert_eq!(queue.deadline(ms(20)), None);
        queue.push_front(outgoing(returned), later);
        assert_eq!(queue.deadline(ms(20)), Some(later + ms(20)));
    }
}
