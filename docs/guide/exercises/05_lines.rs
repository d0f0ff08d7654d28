//! Chapter 5, exercise 1, difficulty 2: lines out of pieces.
//!
//! `feed` takes the next bytes of a stream, cut anywhere, and returns the lines that they complete, without their CR LF. What is not
//! complete is kept for the next call. Wrong are: a CR without an LF behind it, an LF without a CR before it, and a line of more
//! than `LINE_BYTES_MAX` bytes, the line end not counted. Who is wrong is told as soon as it is certain, and from then on every time.

/// A line has so many bytes at most.
pub const LINE_BYTES_MAX: usize = 64;

/// These bytes are no lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong;

#[derive(Default)]
pub struct Lines {}

impl Lines {
    /// The lines that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Wrong> {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.split_terminator("\r\n");
        Ok(lines.map(|line| line.as_bytes().to_vec()).collect())
    }
}
