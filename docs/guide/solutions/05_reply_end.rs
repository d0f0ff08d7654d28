//! Chapter 5, exercise 3: where does a reply end?

/// The length of the reply that `bytes` begin with.
pub fn reply_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    // How many values are still to come, over all levels: whose they are does not matter.
    let mut missing = 1_usize;
    while missing > 0 {
        let rest = &bytes[at..];
        let line = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let number = std::str::from_utf8(&rest[1..line]).ok();
        let number = number.and_then(|digits| digits.parse::<usize>().ok());
        at += line + 2;
        missing -= 1;
        match (rest[0], number) {
            // A null has -1, which is no length.
            (b'$', Some(len)) => at += len + 2,
            (b'*', Some(count)) => missing += count,
            _ => {}
        }
        if at > bytes.len() {
            return None;
        }
    }
    Some(at)
}
