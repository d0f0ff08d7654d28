//! How far a reply has come, for whoever must say why it never will.

use std::fmt;

/// How far a half-read value has come, as [`Decoder::progress`](super::Decoder::progress) tells it.
/// Displays as one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the value.
    pub(super) read: usize,
    /// Elements of the outermost aggregate: read, and in all.
    pub(super) elements: Option<(usize, usize)>,
    /// Bytes of the token: read, and in all where that is known.
    pub(super) bytes: Option<(usize, Option<usize>)>,
}

impl Progress {
    /// Returns the number of bytes of the value that have come. It grows with every piece that
    /// does not complete the value.
    pub fn read_bytes(&self) -> usize {
        self.read
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((read, total)) = self.elements {
            write!(f, "{read} of {total} elements came")?;
        }
        let (and, came) = match self.elements {
            Some(_) => (", and ", ""),
            None => ("", " came"),
        };
        match self.bytes {
            Some((read, Some(len))) => write!(f, "{and}{read} of {len} bytes of a string{came}"),
            Some((read, None)) => write!(f, "{and}{read} bytes of a line{came}"),
            // Only an attribute can stand alone, read to its end, and be no value yet.
            None if self.elements.is_none() => f.write_str("an attribute came, and no value"),
            None => Ok(()),
        }
    }
}
