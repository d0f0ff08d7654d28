//! Chapter 10, exercise 1, difficulty 2: where a write is cut.
//!
//! Cut `bytes` into 1 to `PIECES_MAX` pieces, none of them empty, in their order; what is empty itself has no pieces. Where, and how many, is
//! drawn from `random` and from nothing else. Every number of pieces and every place to cut must be possible; and of all cuts of the
//! same bytes, at least one in four must go between a CR and its LF, where there is one.

use greenroom::sim::Random;

/// So many pieces at most are made of one write.
pub const PIECES_MAX: usize = 4;

/// The pieces in which the bytes arrive.
pub fn cut(bytes: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let _ = random.index(bytes.len());
    vec![bytes.to_vec()]
}
