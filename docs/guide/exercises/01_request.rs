//! Chapter 1, exercise 1, difficulty 1: a command as bytes.
//!
//! Write `*`, the number of words and CR LF; then for each word `$`, its length in bytes, CR LF, the word, CR LF. A word is bytes: it
//! may be empty, or have a CR LF in it.
//!
//! What stands here are *inline commands*, which Redis also reads. Which words do they destroy?

/// The command with these words, as it goes over the wire.
pub fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut line = words.join(&b' ');
    line.extend_from_slice(b"\r\n");
    line
}
