//! Chapter 6, exercise 2: timers in a heap.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    /// The numbers of those that are armed. Others in the heap are dead.
    armed: BTreeSet<u64>,
    numbers: u64,
}

impl Timers {
    /// Arms a timer.
    pub fn arm(&mut self, when: u64) -> u64 {
        self.numbers += 1;
        self.heap.push(Reverse((when, self.numbers)));
        self.armed.insert(self.numbers);
        self.numbers
    }

    /// Takes a timer back.
    pub fn cancel(&mut self, number: u64) -> bool {
        let was_armed = self.armed.remove(&number);
        // Sweeping costs as much as it removes: each cancel pays for one.
        if self.heap.len() > 2 * self.armed.len() + 64 {
            let armed = &self.armed;
            self.heap.retain(|Reverse((_, it))| armed.contains(it));
        }
        was_armed
    }

    /// When the earliest armed timer is due.
    pub fn next(&mut self) -> Option<u64> {
        while let Some(Reverse((when, number))) = self.heap.peek() {
            if self.armed.contains(number) {
                return Some(*when);
            }
            self.heap.pop();
        }
        None
    }

    /// Those that are due.
    pub fn advance(&mut self, now: u64) -> Vec<u64> {
        let mut due = Vec::new();
        while self.next().is_some_and(|when| when <= now) {
            due.extend(self.heap.pop().map(|Reverse((_, number))| number));
        }
        for number in &due {
            self.armed.remove(number);
        }
        due
    }

    /// How many entries the heap has.
    pub fn entries(&self) -> usize {
        self.heap.len()
    }
}
