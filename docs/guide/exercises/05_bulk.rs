//! Chapter 5, exercise 2, difficulty 3: bulk strings out of pieces.
//!
//! The stream has bulk strings (`$3\r\nfoo\r\n`) and nulls (`$-1\r\n`), cut anywhere. `feed` returns those that are complete now, a
//! null as `None`. A string is bytes: it may have a CR LF in it.
//!
//! Wrong are: any other first byte, a length that is no number of 1 to 9 digits (`-1` aside), a length over `BULK_BYTES_MAX`, anything
//! but CR LF behind a length or a string. Who is wrong is told as soon as the line or the string is complete, at the latest, and from
//! then on every time.
//!
//! `held` is how many bytes of memory the half-read string has. It must follow what came, never what was announced: twice as much and
//! 64 bytes, at most.

/// A string has so many bytes at most.
pub const BULK_BYTES_MAX: usize = 512 << 20;

/// These bytes are no bulk strings.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong;

#[derive(Default)]
pub struct Bulks {}

impl Bulks {
    /// The strings that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Option<Vec<u8>>>, Wrong> {
        todo!("take in {} bytes", bytes.len())
    }

    /// What is kept of the string under way, with what is reserved for it.
    pub fn held(&self) -> usize {
        0
    }
}
