//! Bytes that are to be written, and the buffers they use.

/// Bytes on their way to a socket, and how many of them the kernel has taken already.
///
/// [`append`](WriteBuf::append) to an empty buffer takes over the other's allocation, and
/// [`take_buffer`](WriteBuf::take_buffer) returns it once the last byte has been sent.
#[derive(Debug, Default)]
pub(crate) struct WriteBuf {
    bytes: Vec<u8>,
    sent: usize,
}

/// A buffer that never runs empty moves its rest to the front once this many bytes at its front have
/// been sent.
const COMPACT_BYTES: usize = 256 * 1024;

impl WriteBuf {
    /// A buffer whose first `sent` bytes do not count.
    pub(crate) fn new(bytes: Vec<u8>, sent: usize) -> WriteBuf {
        debug_assert!(sent <= bytes.len());
        WriteBuf { bytes, sent }
    }

    pub(crate) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Adds the other's unsent bytes. Returns the buffer that is free now.
    pub(crate) fn append(&mut self, other: WriteBuf) -> Vec<u8> {
        if self.bytes.capacity() == 0 {
            return std::mem::replace(self, other).bytes;
        }
        self.extend(other.unsent());
        other.bytes
    }

    /// Adds bytes at the end.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        if self.sent >= COMPACT_BYTES && self.sent >= self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Marks the first `count` unsent bytes as sent.
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent += count;
        debug_assert!(self.sent <= self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// Removes the last `count` bytes, none of which has been sent.
    pub(crate) fn retract(&mut self, count: usize) {
        debug_assert!(count <= self.unsent().len());
        self.bytes.truncate(self.bytes.len() - count);
    }

    /// The buffer, whatever is in it.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// The buffer of an empty `WriteBuf`.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        debug_assert!(self.is_empty());
        std::mem::take(self).bytes
    }
}

/// Spare buffers for commands, used again and again.
#[derive(Debug, Default)]
pub(super) struct BufferPool(Vec<Vec<u8>>);

/// The pool keeps this many buffers, each of at most this many bytes.
const SPARE_BUFFERS_MAX: usize = 128;
const SPARE_BYTES_MAX: usize = 16 * 1024;

impl BufferPool {
    /// An empty buffer, a spare one if there is any.
    pub(super) fn take(&mut self, capacity: usize) -> Vec<u8> {
        match self.0.pop() {
            Some(mut buffer) => {
                buffer.clear();
                buffer
            }
            None => Vec::with_capacity(capacity),
        }
    }

    /// Keeps a buffer for later, or drops it.
    pub(super) fn put(&mut self, buffer: Vec<u8>) {
        let useful = (1..=SPARE_BYTES_MAX).contains(&buffer.capacity());
        if useful && self.0.len() < SPARE_BUFFERS_MAX {
            self.0.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_bytes_come_out_in_order() {
        let mut buf = WriteBuf::default();
        buf.append(WriteBuf::new(b"__one".to_vec(), 2));
        buf.append(WriteBuf::new(b"two".to_vec(), 0));
        assert_eq!(buf.unsent(), b"onetwo");
        buf.advance(4);
        assert_eq!(buf.unsent(), b"wo");
        buf.extend(b"three");
        buf.retract(4);
        assert_eq!(buf.unsent(), b"wot");
        buf.advance(3);
        assert!(buf.is_empty());
        assert!(buf.take_buffer().capacity() > 0);
    }

    #[test]
    fn an_empty_buffer_takes_over_the_allocation() {
        let mut buf = WriteBuf::default();
        assert_eq!(buf.append(WriteBuf::new(vec![1; 100], 0)).capacity(), 0);
        assert_eq!(buf.append(WriteBuf::new(vec![2; 50], 0)).capacity(), 50);
        assert_eq!(buf.unsent().len(), 150);
    }

    #[test]
    fn a_buffer_that_never_runs_empty_stays_small() {
        let mut buf = WriteBuf::new(vec![b'x'; 1000], 0);
        for _ in 0..10_000 {
            buf.extend(&[b'y'; 1000]);
            buf.advance(1000);
        }
        assert_eq!(buf.unsent().len(), 1000);
        assert!(buf.bytes.capacity() < 4 * COMPACT_BYTES);
    }
}
