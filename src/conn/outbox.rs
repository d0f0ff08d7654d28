//! Bytes that are to be written.

/// Bytes on their way to a socket, and how many of them the kernel has taken already.
///
/// A connection without unsent bytes holds no buffer at all: [`append`](Outbox::append) to an empty outbox takes over
/// the other's allocation, and [`take_buffer`](Outbox::take_buffer) gives it back once the last byte has been sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

/// An outbox that never runs empty moves its rest to the front when this much is dead in front of it.
const COMPACT_BYTES: usize = 256 * 1024;

impl Outbox {
    /// An outbox whose first `sent` bytes do not count.
    pub(crate) fn new(bytes: Vec<u8>, sent: usize) -> Outbox {
        debug_assert!(sent <= bytes.len());
        Outbox { bytes, sent }
    }

    pub(crate) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Adds the other's unsent bytes behind our own. Returns the buffer that is free now.
    pub(crate) fn append(&mut self, other: Outbox) -> Vec<u8> {
        if self.bytes.capacity() == 0 {
            return std::mem::replace(self, other).bytes;
        }
        self.extend(other.unsent());
        other.bytes
    }

    /// Adds bytes behind our own.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        if self.sent >= COMPACT_BYTES && self.sent >= self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The first `count` bytes have been sent, or are not to be.
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent += count;
        debug_assert!(self.sent <= self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// The buffer, whatever is in it.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// The buffer of an outbox that is empty.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        debug_assert!(self.is_empty());
        std::mem::take(self).bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_comes_out_in_order() {
        let mut outbox = Outbox::default();
        outbox.append(Outbox::new(b"__one".to_vec(), 2));
        outbox.append(Outbox::new(b"two".to_vec(), 0));
        assert_eq!(outbox.unsent(), b"onetwo");
        outbox.advance(4);
        outbox.append(Outbox::new(b"three".to_vec(), 0));
        assert_eq!(outbox.unsent(), b"wothree");
        outbox.advance(7);
        assert!(
            outbox.is_empty() && outbox.bytes.capacity() > 0,
            "kept until it is taken"
        );
    }

    #[test]
    fn an_empty_outbox_gives_its_buffer_back() {
        let mut outbox = Outbox::new(vec![b'x'; 100], 0);
        outbox.advance(100);
        assert_eq!(outbox.take_buffer().capacity(), 100);
        assert_eq!(outbox.bytes.capacity(), 0);
    }

    #[test]
    fn an_outbox_that_never_runs_empty_does_not_grow_for_ever() {
        let mut outbox = Outbox::new(vec![b'x'; 1000], 0);
        for _ in 0..10_000 {
            outbox.append(Outbox::new(vec![b'y'; 1000], 0));
            outbox.advance(1000);
        }
        assert_eq!(outbox.unsent().len(), 1000);
        assert!(
            outbox.bytes.capacity() < 4 * COMPACT_BYTES,
            "{}",
            outbox.bytes.capacity()
        );
    }
}
