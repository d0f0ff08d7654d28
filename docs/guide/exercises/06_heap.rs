//! Chapter 6, exercise 2, difficulty 2: timers in a heap.
//!
//! `arm` returns a number that no other timer ever has. `cancel` takes a timer back: true if it was armed. `next` is the tick at which
//! the earliest armed timer is due, exactly. `advance` removes all that are due at `now` or before and returns their numbers, the earliest
//! first; of those that are due at the same tick, the one that was armed first.
//!
//! A cancelled timer may stay in the heap for a while. But a program that arms and cancels for ever must not grow: `entries`, what the
//! heap has in all, is never more than twice the armed ones and 64.
//!
//! What stands here cancels nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    numbers: u64,
}

impl Timers {
    /// Arms a timer.
    pub fn arm(&mut self, when: u64) -> u64 {
        self.numbers += 1;
        self.heap.push(Reverse((when, self.numbers)));
        self.numbers
    }

    /// Takes a timer back.
    pub fn cancel(&mut self, number: u64) -> bool {
        number <= self.numbers
    }

    /// When the earliest armed timer is due.
    pub fn next(&mut self) -> Option<u64> {
        self.heap.peek().map(|Reverse((when, _))| *when)
    }

    /// Those that are due.
    pub fn advance(&mut self, now: u64) -> Vec<u64> {
        let mut due = Vec::new();
        while self.next().is_some_and(|when| when <= now) {
            due.extend(self.heap.pop().map(|Reverse((_, number))| number));
        }
        due
    }

    /// How many entries the heap has.
    pub fn entries(&self) -> usize {
        self.heap.len()
    }
}
