//! What the harness has to know of a command before it sends it: the least that is possible, since
//! who knows what Redis does needs no Redis to compare with.

/// The words of a command as they are sent. None of bytes that are sent as they are: those may be
/// anything.
pub(super) type Asked = Vec<Vec<u8>>;

/// Whether a command by that name can block.
pub(super) fn may_block(words: &[Vec<u8>]) -> bool {
    words.is_empty() || timeout_at(words).is_some()
}

/// Where a blocking command has its timeout.
fn timeout_at(words: &[Vec<u8>]) -> Option<usize> {
    match words.first()?.to_ascii_uppercase().as_slice() {
        b"BLMPOP" => Some(1),
        b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BRPOPLPUSH" => words.len().checked_sub(1),
        _ => None,
    }
}

/// Whether it is a blocking command that times out while a test waits.
pub(super) fn is_short(words: &[Vec<u8>]) -> bool {
    let timeout = timeout_at(words).and_then(|at| words.get(at));
    let text = timeout.and_then(|timeout| std::str::from_utf8(timeout).ok());
    let seconds = text.and_then(|text| text.parse::<f64>().ok());
    seconds.is_some_and(|seconds| 0.0 < seconds && seconds < 1.0)
}

/// Whether a command neither waits, nor serves who does, nor closes anything. If a server thinks
/// otherwise, it is found out after the next one that does.
pub(super) fn is_calm(words: &[Vec<u8>]) -> bool {
    const NAMES: [&[u8]; 20] = [
        b"PING",
        b"ECHO",
        b"SELECT",
        b"HELLO",
        b"AUTH",
        b"CONFIG",
        b"EXISTS",
        b"DEL",
        b"TYPE",
        b"GET",
        b"SET",
        b"INCR",
        b"FLUSHALL",
        b"LPOP",
        b"RPOP",
        b"LLEN",
        b"LRANGE",
        b"LREM",
        b"LMPOP",
        b"MULTI",
    ];
    let name = words.first().map(|word| word.to_ascii_uppercase());
    name.is_some_and(|name| NAMES.contains(&name.as_slice()))
}

/// Whether it is about other connections.
pub(super) fn looks_around(words: &[Vec<u8>]) -> bool {
    is_client(words, b"LIST") || is_client(words, b"KILL")
}

/// Returns true for `CLIENT UNBLOCK`.
pub(super) fn unblocks(words: &[Vec<u8>]) -> bool {
    is_client(words, b"UNBLOCK")
}

/// Whether a command may close a connection that is owed nothing.
pub(super) fn may_close(words: &[Vec<u8>]) -> bool {
    let quits = |word: &Vec<u8>| word.eq_ignore_ascii_case(b"QUIT");
    words.first().is_some_and(quits) || is_client(words, b"KILL")
}

fn is_client(words: &[Vec<u8>], name: &[u8]) -> bool {
    let same = |(word, name): (&Vec<u8>, &[u8])| word.eq_ignore_ascii_case(name);
    words.len() >= 2 && words.iter().zip([b"CLIENT", name]).all(same)
}
