//! Chapter 10, exercise 2, difficulty 2: a clock that jumps.
//!
//! `plan` puts something on the agenda, for a moment; one that has passed already means now. `poll` waits: the clock jumps to the next thing
//! on the agenda, and that is returned; or, if nothing is due within `timeout` (counted from now), to the end of it, and `None` is returned. A thing
//! that is due exactly at the end of the timeout is returned. Things for the same moment come in the order in which they were planned.
//! With nothing on the agenda and no timeout, nothing will ever happen again: that is `Err(Stuck)`.

/// Nothing will ever happen again.
#[derive(Debug, PartialEq, Eq)]
pub struct Stuck;

pub struct Agenda<T> {
    now: u64,
    things: Vec<(u64, T)>,
}

impl<T> Agenda<T> {
    /// Nothing is planned, and it is 0 o'clock.
    pub fn new() -> Agenda<T> {
        Agenda {
            now: 0,
            things: Vec::new(),
        }
    }

    pub fn now(&self) -> u64 {
        self.now
    }

    /// Plans something.
    pub fn plan(&mut self, at: u64, what: T) {
        self.things.push((at, what));
    }

    /// Lets time pass until something happens.
    pub fn poll(&mut self, timeout: Option<u64>) -> Result<Option<T>, Stuck> {
        let places = 0..self.things.len();
        let Some(first) = places.min_by_key(|place| self.things[*place].0) else {
            return Ok(None);
        };
        let (at, what) = self.things.swap_remove(first);
        self.now = at;
        Ok(Some(what))
    }
}
