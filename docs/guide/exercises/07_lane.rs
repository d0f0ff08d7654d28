//! Chapter 7, exercise 1, difficulty 1: which lane?
//!
//! A command that may wait in the server needs a connection of its own: `BRPOP`, `BLPOP`, `BLMOVE`, `BRPOPLPUSH`, `BLMPOP`, `BZPOPMIN`,
//! `BZPOPMAX`, `BZMPOP` and `WAIT`, always; `XREAD` and `XREADGROUP`, if one of their arguments is `BLOCK`. Redis does not care about the case of names and
//! of such words. `words` are the command's name and its arguments; there may be none at all.

/// Whether the command needs a connection of its own.
pub fn needs_its_own(words: &[&[u8]]) -> bool {
    words[0] == b"BRPOP"
}
