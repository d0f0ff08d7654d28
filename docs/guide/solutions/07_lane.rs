//! Chapter 7, exercise 1: which lane?

const BLOCKING: [&str; 9] = [
    "BRPOP",
    "BLPOP",
    "BLMOVE",
    "BRPOPLPUSH",
    "BLMPOP",
    "BZPOPMIN",
    "BZPOPMAX",
    "BZMPOP",
    "WAIT",
];

/// Whether the command needs a connection of its own.
pub fn needs_its_own(words: &[&[u8]]) -> bool {
    let Some((name, args)) = words.split_first() else {
        return false;
    };
    let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    let blocks = || args.iter().any(|arg| arg.eq_ignore_ascii_case(b"BLOCK"));
    BLOCKING.into_iter().any(is) || (is("XREAD") || is("XREADGROUP")) && blocks()
}
