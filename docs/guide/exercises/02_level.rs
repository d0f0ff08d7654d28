//! Chapter 2, exercise 3, difficulty 2: edges in, a level out.
//!
//! A task wants to ask at any time: *may I read?* The kernel tells only once. So something stands between them, and remembers:
//!
//! - An event says that there may be something to read, and perhaps that the end stands behind it.
//! - After each read it is told what came of it: so many bytes of so much room, or `None` for `WouldBlock`.
//!
//! A read that does not fill its room has drained the socket, unless the end is known to stand behind the bytes: that brings no
//! further event. A read that says `WouldBlock` has drained it in any case: the hint was wrong. A read of 0 bytes is the end: it
//! stays readable, since every further read will say so again.

#[derive(Default)]
pub struct Level {
    readable: bool,
}

impl Level {
    /// The kernel has reported an event.
    pub fn event(&mut self, ended: bool) {
        self.readable = true;
        let _ = ended;
    }

    /// Whether a read may bring something.
    pub fn may_read(&self) -> bool {
        self.readable
    }

    /// A read with so much room was made, and has brought so many bytes; `None` when it would have blocked.
    pub fn did_read(&mut self, room: usize, count: Option<usize>) {
        let _ = (room, count);
        self.readable = false;
    }
}
