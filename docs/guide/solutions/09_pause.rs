//! Chapter 9, exercise 1: pauses that double.

use std::time::Duration;

/// 2^6 ms is 64.
const DOUBLINGS_MAX: u32 = 6;

/// How long to wait before it is tried again.
pub fn pause(tries: u32) -> Duration {
    Duration::from_millis(1 << tries.min(DOUBLINGS_MAX))
}
