//! Chapter 9, exercise 1, difficulty 1: pauses that double.
//!
//! Before the first repetition (`tries` is 0) the pause is 1 ms, then 2, 4, 8 and so on; but never more than 64 ms, however often it
//! was tried.

use std::time::Duration;

/// How long to wait before it is tried again.
pub fn pause(tries: u32) -> Duration {
    Duration::from_millis(1 << tries)
}
