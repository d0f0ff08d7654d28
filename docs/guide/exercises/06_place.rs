//! Chapter 6, exercise 1, difficulty 1: where a timer is filed.
//!
//! Ticks are written in base 64. A timer that is due at `when` is filed, at the tick `now`, under the highest digit in which the two
//! differ: the number of that digit is its level (0 for the lowest), the value of the digit in `when` its slot. Where nothing differs: level
//! 0. `when` is never before `now`.
//!
//! What stands here goes by the distance. When is that something else?

/// Level and slot.
pub fn place(now: u64, when: u64) -> (u32, u64) {
    let mut distance = when - now;
    let mut level = 0;
    while distance >= 64 {
        distance /= 64;
        level += 1;
    }
    (level, when >> (6 * level) & 63)
}
