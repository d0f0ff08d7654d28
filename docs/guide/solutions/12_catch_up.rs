//! Chapter 12, exercise 2: catching up with so many at most.

/// When the next tick is due, and how many are left out.
pub fn catch_up(most: u64, period: u64, due: u64, now: u64) -> (u64, u64) {
    let behind = (now - due) / period;
    let left_out = behind.saturating_sub(most);
    (due + (left_out + 1) * period, left_out)
}
