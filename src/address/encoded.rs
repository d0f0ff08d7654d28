//! Percent-encodes the parts of a URL.

use std::fmt;

/// Bytes as they stand in a URL: all but letters, digits, `-._~` and the bytes to keep are escaped.
pub(super) struct Encoded<'a>(pub(super) &'a [u8], pub(super) &'static [u8]);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || self.1.contains(byte) {
                write!(f, "{}", char::from(*byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
