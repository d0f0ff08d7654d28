//! Chapter 4, exercise 1, difficulty 1: how long may the hub sleep?
//!
//! The kernel's poll takes milliseconds in an `i32`: 0 returns at once, -1 sleeps for ever.
//!
//! If there is work, it must not sleep. If there is a timer, it must not sleep past it by more than a millisecond, but it must not wake
//! before it either: it would find nothing due, and turn in a circle until the rest of the millisecond is over. What is longer than an `i32`
//! can say is cut: waking too soon once in 24 days does no harm.

use std::time::Duration;

/// What the poll is told. `next_timer` is how long it is until the next timer is due.
pub fn poll_timeout(has_work: bool, next_timer: Option<Duration>) -> i32 {
    match next_timer {
        _ if has_work => 0,
        None => -1,
        Some(rest) => rest.as_millis() as i32,
    }
}
