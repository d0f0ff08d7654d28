//! Chapter 3, exercise 3: closing waits for the end of the batch.

#[derive(Default)]
pub struct Table {
    places: Vec<Option<&'static str>>,
    free: Vec<usize>,
    /// Empty places that the batch under way may still name.
    closed: Vec<usize>,
    in_batch: bool,
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
            match self.in_batch {
                true => self.closed.push(index),
                false => self.free.push(index),
            }
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
    table.in_batch = true;
    for &index in events {
        match table.socket(index) {
            Some(socket) => handle(table, index, socket),
            None => stale += 1,
        }
    }
    table.in_batch = false;
    let closed = std::mem::take(&mut table.closed);
    table.free.extend(closed);
    stale
}
