//! Chapter 10, exercise 1: where a write is cut.

use greenroom::sim::Random;

/// So many pieces at most are made of one write.
pub const PIECES_MAX: usize = 4;

/// The pieces in which the bytes arrive.
pub fn cut(bytes: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let pairs = bytes.windows(2).enumerate();
    let line_ends: Vec<usize> = pairs
        .filter(|(_, pair)| pair == b"\r\n")
        .map(|(at, _)| at + 1)
        .collect();
    let count = random.index(PIECES_MAX);
    let mut cuts: Vec<usize> = (0..count)
        .map(|_| {
            // Half of them at a line end: some fall together, and count once.
            if !line_ends.is_empty() && random.chance(0.5) {
                line_ends[random.index(line_ends.len())]
            } else {
                1 + random.index(bytes.len())
            }
        })
        .collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let ends = cuts.windows(2);
    ends.map(|ends| bytes[ends[0]..ends[1]].to_vec()).collect()
}
