//! Chapter 3, exercise 3, difficulty 2: closing waits for the end of the batch.
//!
//! A poll has brought a batch of events: indices into a table of sockets. Each is handed to `handle`, which is given the table, the
//! index and what stands there. It may open sockets (`open`), and it may close some, also others than its own (`close`).
//!
//! The tokens here are bare indices. So a place must not be used again while the batch may still name it: a socket that was closed
//! gets no more events, and its place stays empty until `dispatch` is over; from then on `open` may take it. What stands here frees the place
//! at once.

#[derive(Default)]
pub struct Table {
    places: Vec<Option<&'static str>>,
    free: Vec<usize>,
}

impl Table {
    /// Puts a socket into a free place, the latest freed first, or into a new one.
    pub fn open(&mut self, socket: &'static str) -> usize {
        let index = self.free.pop().unwrap_or(self.places.len());
        if index == self.places.len() {
            self.places.push(None);
        }
        self.places[index] = Some(socket);
        index
    }

    /// Closes a socket. Nothing happens when it is closed already.
    pub fn close(&mut self, index: usize) {
        if self.places[index].take().is_some() {
            self.free.push(index);
        }
    }

    /// What stands at an index.
    pub fn socket(&self, index: usize) -> Option<&'static str> {
        self.places[index]
    }
}

/// Hands out a batch of events. Returns how many were stale: their sockets had been closed before it was their turn.
pub fn dispatch(
    table: &mut Table,
    events: &[usize],
    mut handle: impl FnMut(&mut Table, usize, &'static str),
) -> usize {
    let mut stale = 0;
    for &index in events {
        match table.socket(index) {
            Some(socket) => handle(table, index, socket),
            None => stale += 1,
        }
    }
    stale
}
