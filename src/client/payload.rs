//! The encoded bytes of a request, shared by all requests that are equal.
//!
//! A blocking command keeps its bytes until it is answered: they are sent again for the next slice
//! of a wait without a timeout, they go back to the queue when the server says that it has not
//! executed them, and their key guards the question that ends the wait (`control.rs`). Ten thousand
//! tasks that pop from one list send the same bytes, so these are kept once.

use super::write_buf::WriteBuf;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// See the [module](self).
#[derive(Clone)]
pub(super) struct Payload(Rc<WriteBuf>);

/// The latest payload, for the next request that is equal to it.
#[derive(Debug, Default)]
pub(super) struct PayloadCache(Option<Payload>);

/// Longer payloads are not compared, and not kept for the next request.
const SHARED_BYTES_MAX: usize = 256;

impl PayloadCache {
    /// The payload of these bytes.
    pub(super) fn intern(&mut self, bytes: &[u8]) -> Payload {
        match &self.0 {
            Some(last) if **last == *bytes => return last.clone(),
            _ => {}
        }
        let payload = Payload::new(WriteBuf::new(bytes.to_vec(), 0));
        if bytes.len() <= SHARED_BYTES_MAX {
            self.0 = Some(payload.clone());
        }
        payload
    }
}

impl Payload {
    /// A payload that no other request shares. Takes over the buffer.
    pub(super) fn new(bytes: WriteBuf) -> Payload {
        Payload(Rc::new(bytes))
    }

    /// The bytes, to be sent: without a copy if no other request shares them.
    pub(super) fn into_write_buf(self) -> WriteBuf {
        Rc::try_unwrap(self.0).unwrap_or_else(|shared| WriteBuf::new(shared.unsent().to_vec(), 0))
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.unsent()
    }
}

/// Shows the length only: arguments may be secrets.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_requests_share_their_bytes() {
        let mut cache = PayloadCache::default();
        let [a, b, c] = [b"one".as_slice(), b"one", b"two"].map(|it| cache.intern(it));
        assert!(Rc::ptr_eq(&a.0, &b.0));
        assert!(!Rc::ptr_eq(&b.0, &c.0));
        assert_eq!((&*a, &*c), (b"one".as_slice(), b"two".as_slice()));
    }

    #[test]
    fn a_long_payload_is_freed_with_its_request() {
        let mut cache = PayloadCache::default();
        let long = cache.intern(&[0; SHARED_BYTES_MAX + 1]);
        assert_eq!(Rc::strong_count(&long.0), 1);
    }
}
