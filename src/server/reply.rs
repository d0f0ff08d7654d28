//! What a client is still to be sent: replies in its protocol, and how far they have been written.

use super::refusal::Refusal;
use crate::resp::encode::{self, Protocol};

/// A buffer that has grown larger than this for one reply is not kept for the next.
const SPARE_BYTES_MAX: usize = 64 * 1024;

/// The output of one client.
#[derive(Debug, Default)]
pub(super) struct Reply {
    bytes: Vec<u8>,
    /// How many of `bytes` the kernel has taken.
    sent: usize,
    pub(super) protocol: Protocol,
}

impl Reply {
    pub(super) fn ok(&mut self) {
        self.bytes.extend_from_slice(b"+OK\r\n");
    }

    pub(super) fn simple(&mut self, text: &str) {
        encode::simple(&mut self.bytes, text.as_bytes());
    }

    pub(super) fn int(&mut self, number: i64) {
        encode::int(&mut self.bytes, number);
    }

    /// How many there are of something. Nothing that fits into memory exceeds an `i64`.
    pub(super) fn count(&mut self, count: usize) {
        self.int(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn bulk(&mut self, text: impl AsRef<[u8]>) {
        encode::bulk(&mut self.bytes, text.as_ref());
    }

    /// A text for people: in RESP3 it says so.
    pub(super) fn verbatim(&mut self, text: &str) {
        encode::verbatim(&mut self.bytes, *b"txt", text.as_bytes(), self.protocol);
    }

    pub(super) fn null(&mut self) {
        encode::null(&mut self.bytes, self.protocol);
    }

    /// A null where there would have been an array. RESP3 knows only one null.
    pub(super) fn null_array(&mut self) {
        match self.protocol {
            Protocol::Resp2 => encode::null_array(&mut self.bytes),
            Protocol::Resp3 => self.null(),
        }
    }

    /// The header of an array; its elements are to follow.
    pub(super) fn array(&mut self, count: usize) {
        encode::array_header(&mut self.bytes, count);
    }

    /// The header of a map; its keys and values are to follow by turns.
    pub(super) fn map(&mut self, pairs: usize) {
        encode::map_header(&mut self.bytes, pairs, self.protocol);
    }

    /// The header of a set; its elements are to follow.
    pub(super) fn set(&mut self, count: usize) {
        encode::set_header(&mut self.bytes, count, self.protocol);
    }

    pub(super) fn refusal(&mut self, refusal: &Refusal) {
        encode::error(&mut self.bytes, &refusal.text());
    }

    pub(super) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// The kernel has taken `count` bytes. The rest is moved to the front when it is the smaller half,
    /// or a peer that is always a little behind would have all that it was ever sent be kept.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Where all is sent, gives the buffer to the next who needs one: a client that waits holds none.
    pub(super) fn give_back(&mut self, spare: &mut Vec<u8>) {
        if self.is_empty() {
            self.sent = 0;
            self.bytes.clear();
            let buffer = std::mem::take(&mut self.bytes);
            if buffer.capacity() <= SPARE_BYTES_MAX {
                *spare = buffer;
            }
        }
    }

    /// Takes over a buffer, if there is none.
    pub(super) fn take_up(&mut self, spare: &mut Vec<u8>) {
        if self.bytes.capacity() == 0 {
            self.bytes = std::mem::take(spare);
        }
    }
}
