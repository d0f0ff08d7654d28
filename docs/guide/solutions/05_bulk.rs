//! Chapter 5, exercise 2: bulk strings out of pieces.

/// A string has so many bytes at most.
pub const BULK_BYTES_MAX: usize = 512 << 20;

/// The longest header: `$`, nine digits and CR LF.
const HEADER_BYTES_MAX: usize = 12;

/// These bytes are no bulk strings.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong;

#[derive(Default)]
pub struct Bulks {
    /// The header, or the string with the CR LF behind it, as far as it has come.
    text: Vec<u8>,
    /// The length of the string, once its header is complete.
    len: Option<usize>,
    failed: bool,
}

impl Bulks {
    /// The strings that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Option<Vec<u8>>>, Wrong> {
        let mut strings = Vec::new();
        for &byte in bytes {
            if self.failed {
                break;
            }
            self.text.push(byte);
            match self.len {
                None if byte == b'\n' => match header(&std::mem::take(&mut self.text)) {
                    Some(None) => strings.push(None),
                    Some(len) => self.len = len,
                    None => self.failed = true,
                },
                None => self.failed = self.text.len() > HEADER_BYTES_MAX,
                Some(len) if self.text.len() == len + 2 => {
                    let mut text = std::mem::take(&mut self.text);
                    self.failed = !text.ends_with(b"\r\n");
                    text.truncate(len);
                    strings.push(Some(text));
                    self.len = None;
                }
                Some(_) => {}
            }
        }
        match self.failed {
            true => Err(Wrong),
            false => Ok(strings),
        }
    }

    /// What is kept of the string under way, with what is reserved for it.
    pub fn held(&self) -> usize {
        self.text.capacity()
    }
}

/// The length in a header, `Some(None)` for a null.
fn header(line: &[u8]) -> Option<Option<usize>> {
    let digits = line.strip_prefix(b"$")?.strip_suffix(b"\r\n")?;
    if digits == b"-1" {
        return Some(None);
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let len = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (len <= BULK_BYTES_MAX).then_some(Some(len))
}
