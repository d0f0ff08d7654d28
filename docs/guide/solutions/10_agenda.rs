//! Chapter 10, exercise 2: a clock that jumps.

use std::collections::BTreeMap;

/// Nothing will ever happen again.
#[derive(Debug, PartialEq, Eq)]
pub struct Stuck;

pub struct Agenda<T> {
    now: u64,
    /// By moment, and by a number that grows: what comes first within a moment is no accident.
    things: BTreeMap<(u64, u64), T>,
    numbers: u64,
}

impl<T> Agenda<T> {
    /// Nothing is planned, and it is 0 o'clock.
    pub fn new() -> Agenda<T> {
        Agenda {
            now: 0,
            things: BTreeMap::new(),
            numbers: 0,
        }
    }

    pub fn now(&self) -> u64 {
        self.now
    }

    /// Plans something.
    pub fn plan(&mut self, at: u64, what: T) {
        self.numbers += 1;
        self.things.insert((at.max(self.now), self.numbers), what);
    }

    /// Lets time pass until something happens.
    pub fn poll(&mut self, timeout: Option<u64>) -> Result<Option<T>, Stuck> {
        let until = timeout.map(|timeout| self.now.saturating_add(timeout));
        let first = self.things.first_entry();
        match (first, until) {
            (None, None) => Err(Stuck),
            (Some(first), until) if until.is_none_or(|until| first.key().0 <= until) => {
                self.now = first.key().0;
                Ok(Some(first.remove()))
            }
            (_, until) => {
                self.now = until.unwrap_or(self.now);
                Ok(None)
            }
        }
    }
}
