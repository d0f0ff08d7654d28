//! Chapter 7, exercise 2: who gets which connection.

use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    pub created: usize,
    pub in_use: usize,
    pub available: usize,
}

pub struct Pool {
    most: usize,
    created: usize,
    /// The latest used on top.
    free: Vec<usize>,
    /// The first come in front.
    waiting: VecDeque<u32>,
}

impl Pool {
    /// A pool of `most` connections at most, and at least one.
    pub fn new(most: usize) -> Pool {
        Pool {
            most: most.max(1),
            created: 0,
            free: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// A request wants a connection. `None`: it waits.
    pub fn ask(&mut self, request: u32) -> Option<usize> {
        if let Some(conn) = self.free.pop() {
            return Some(conn);
        }
        if self.created == self.most {
            self.waiting.push_back(request);
            return None;
        }
        self.created += 1;
        Some(self.created - 1)
    }

    /// A connection is given back. `Some(request)`: it belongs to that one now.
    pub fn give_back(&mut self, conn: usize) -> Option<u32> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.free.push(conn);
        }
        next
    }

    /// A request does not wait any longer. False if it did not wait.
    pub fn give_up(&mut self, request: u32) -> bool {
        let place = self.waiting.iter().position(|waits| *waits == request);
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }

    pub fn stats(&self) -> Stats {
        Stats {
            created: self.created,
            in_use: self.created - self.free.len(),
            available: self.free.len(),
        }
    }
}
