//! Chapter 6, exercise 1: where a timer is filed.

/// Level and slot.
pub fn place(now: u64, when: u64) -> (u32, u64) {
    // With its lowest bit set it has a logarithm also where nothing differs.
    let level = (now ^ when | 1).ilog2() / 6;
    (level, when >> (6 * level) & 63)
}
