//! Chapter 2, exercise 3: edges in, a level out.

#[derive(Default)]
pub struct Level {
    readable: bool,
    /// The end stands behind what is still to be read.
    ended: bool,
}

impl Level {
    /// The kernel has reported an event.
    pub fn event(&mut self, ended: bool) {
        self.readable = true;
        self.ended |= ended;
    }

    /// Whether a read may bring something.
    pub fn may_read(&self) -> bool {
        self.readable
    }

    /// A read with so much room was made, and has brought so many bytes; `None` when it would have blocked.
    pub fn did_read(&mut self, room: usize, count: Option<usize>) {
        self.readable = match count {
            None => false,
            Some(0) => true,
            Some(count) => count == room || self.ended,
        };
    }
}
