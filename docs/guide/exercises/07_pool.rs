//! Chapter 7, exercise 2, difficulty 2: who gets which connection.
//!
//! Connections are numbered from 0 as they are made. A request asks: it gets the free connection that was used last; if none is free, a new one;
//! if there are `most` already, it waits. A connection that is given back goes to the request that has waited longest; if none waits, it
//! is free. A request that waits may give up: it loses its place. `stats` are exact: created is in use and available.
//!
//! What stands here has no limit and no memory.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    pub created: usize,
    pub in_use: usize,
    pub available: usize,
}

pub struct Pool {
    most: usize,
    created: usize,
}

impl Pool {
    /// A pool of `most` connections at most, and at least one.
    pub fn new(most: usize) -> Pool {
        Pool { most, created: 0 }
    }

    /// A request wants a connection. `None`: it waits.
    pub fn ask(&mut self, request: u32) -> Option<usize> {
        self.created += 1;
        Some(self.created - 1)
    }

    /// A connection is given back. `Some(request)`: it belongs to that one now.
    pub fn give_back(&mut self, conn: usize) -> Option<u32> {
        None
    }

    /// A request does not wait any longer. False if it did not wait.
    pub fn give_up(&mut self, request: u32) -> bool {
        false
    }

    pub fn stats(&self) -> Stats {
        Stats {
            created: self.created,
            in_use: self.created,
            available: 0,
        }
    }
}
