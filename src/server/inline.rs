//! Inline commands: a line of words, as a person types it.
//!
//! Words are separated by blanks, and the CR in front of the LF is one. Quotes put blanks into a word:
//!
//! - Between double quotes, `\n` `\r` `\t` `\b` `\a` and `\xHH` stand for the bytes that they name, and
//!   `\` before any other byte for that byte.
//! - Between single quotes, `\'` stands for a quote, and every other `\` for itself.
//! - Outside of quotes, `\` stands for itself.
//!
//! A quote may open in the middle of a word, but it closes the word: `a"b c"` is one word of four
//! bytes, `"a"b` is an error, and so is a quote that nothing closes. `""` is a word without bytes.
//!
//! Two sets of bytes are easily taken for one. A word that is not quoted ends at a space, a tab, a
//! CR or an LF. Before a word and behind a quote, vertical tabs and form feeds are blanks too; in
//! the middle of a word they belong to it.

/// A quote that is not closed, or is closed before the end of its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// Takes the next word off the front of `line` and appends what it means to `text`; `false` when
/// no word is left.
pub(super) fn word(line: &mut &[u8], text: &mut Vec<u8>) -> Result<bool, Unbalanced> {
    let blanks = line.iter().take_while(|byte| is_blank(**byte)).count();
    take(line, blanks);
    if line.is_empty() {
        return Ok(false);
    }
    let special = line.iter().position(|byte| ends_plain(*byte));
    text.extend_from_slice(take(line, special.unwrap_or(line.len())));
    match line.first() {
        Some(b'"') => double(line, text)?,
        Some(b'\'') => single(line, text)?,
        _ => {}
    }
    Ok(true)
}

/// Reads from a double quote to the one that closes it.
fn double(line: &mut &[u8], text: &mut Vec<u8>) -> Result<(), Unbalanced> {
    take(line, 1);
    loop {
        let (byte, width) = match **line {
            [] => return Err(Unbalanced),
            [b'"', ..] => return close(line),
            [b'\\', b'x', high, low, ..] if is_hex(high) && is_hex(low) => {
                (hex(high) << 4 | hex(low), 4)
            }
            [b'\\', escaped, ..] => (meaning(escaped), 2),
            // A backslash too, if it is the last byte: nothing is left then that closes the quote.
            [byte, ..] => (byte, 1),
        };
        text.push(byte);
        take(line, width);
    }
}

/// Reads from a single quote to the one that closes it.
fn single(line: &mut &[u8], text: &mut Vec<u8>) -> Result<(), Unbalanced> {
    take(line, 1);
    loop {
        let (byte, width) = match **line {
            [] => return Err(Unbalanced),
            [b'\'', ..] => return close(line),
            [b'\\', b'\'', ..] => (b'\'', 2),
            [byte, ..] => (byte, 1),
        };
        text.push(byte);
        take(line, width);
    }
}

/// Takes the quote that `line` begins with. The word must end there.
fn close(line: &mut &[u8]) -> Result<(), Unbalanced> {
    take(line, 1);
    match line.first() {
        Some(byte) if !is_blank(*byte) => Err(Unbalanced),
        _ => Ok(()),
    }
}

fn take<'a>(line: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = line.split_at(count);
    *line = rest;
    taken
}

fn ends_plain(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn meaning(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn is_hex(digit: u8) -> bool {
    digit.is_ascii_hexdigit()
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a' - 10),
    }
}
