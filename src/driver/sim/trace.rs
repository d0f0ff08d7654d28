//! What happened in a run, in order, as a number.

use crate::time::Time;
use std::fmt::{self, Write};

/// A hash over every line of a run, and the last of those lines if somebody wants to read them.
///
/// The hash is FNV-1a of 64 bits: it is made to tell two runs apart, not to resist anybody.
#[derive(Debug)]
pub(super) struct Trace {
    hash: Fnv,
    lines: u64,
    kept: Vec<String>,
    keeps: usize,
}

#[derive(Clone, Copy, Debug)]
struct Fnv(u64);

impl Fnv {
    const fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text.as_bytes());
        Ok(())
    }
}

impl Trace {
    pub(super) fn new() -> Trace {
        Trace {
            hash: Fnv::new(),
            lines: 0,
            kept: Vec::new(),
            keeps: 0,
        }
    }

    /// Takes down one line.
    pub(super) fn note(&mut self, now: Time, what: fmt::Arguments<'_>) {
        self.lines += 1;
        self.hash.add(&now.as_nanos().to_le_bytes());
        // Hashing never fails.
        let _ = self.hash.write_fmt(what);
        self.hash.add(b"\n");
        if self.keeps > 0 {
            if self.kept.len() == 2 * self.keeps {
                self.kept.drain(..self.keeps);
            }
            let seconds = now.as_nanos() / 1_000_000_000;
            let nanos = now.as_nanos() % 1_000_000_000;
            self.kept.push(format!("{seconds}.{nanos:09} {what}"));
        }
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash.0
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn keep(&mut self, lines: usize) {
        self.keeps = lines;
    }

    pub(super) fn kept(&self) -> &[String] {
        &self.kept[self.kept.len().saturating_sub(self.keeps)..]
    }
}

/// Bytes for a line: how many, and a hash of them.
pub(super) struct Digest<'a>(pub(super) &'a [u8]);

impl fmt::Display for Digest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hash = Fnv::new();
        hash.add(self.0);
        write!(f, "{} bytes #{:08x}", self.0.len(), hash.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Fnv::new();
        hash.add(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_last_lines_are_kept_and_all_are_hashed() {
        let (mut one, mut other) = (Trace::new(), Trace::new());
        one.keep(2);
        for line in 0..10 {
            one.note(Time::from_nanos(line), format_args!("line {line}"));
            other.note(Time::from_nanos(line), format_args!("line {line}"));
        }
        assert_eq!(one.kept(), ["0.000000008 line 8", "0.000000009 line 9"]);
        assert_eq!((one.hash(), one.lines()), (other.hash(), 10));
        other.note(Time::ZERO, format_args!("line 10"));
        assert_ne!(one.hash(), other.hash());
    }
}
