//! Chapter 5, exercise 1: lines out of pieces.

/// A line has so many bytes at most.
pub const LINE_BYTES_MAX: usize = 64;

/// These bytes are no lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong;

#[derive(Default)]
pub struct Lines {
    line: Vec<u8>,
    /// Its CR has come, and the LF is missing.
    cr: bool,
    failed: bool,
}

impl Lines {
    /// The lines that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Wrong> {
        let mut lines = Vec::new();
        for &byte in bytes {
            match (byte, self.cr) {
                (b'\n', true) => {
                    self.cr = false;
                    lines.push(std::mem::take(&mut self.line));
                }
                (_, true) | (b'\n', false) => self.failed = true,
                (b'\r', false) => self.cr = true,
                (byte, false) if self.line.len() < LINE_BYTES_MAX => self.line.push(byte),
                _ => self.failed = true,
            }
            if self.failed {
                break;
            }
        }
        match self.failed {
            true => Err(Wrong),
            false => Ok(lines),
        }
    }
}
