//! Chapter 4, exercise 1: how long may the hub sleep?

use std::time::Duration;

/// What the poll is told. `next_timer` is how long it is until the next timer is due.
pub fn poll_timeout(has_work: bool, next_timer: Option<Duration>) -> i32 {
    match next_timer {
        _ if has_work => 0,
        None => -1,
        Some(rest) => i32::try_from(rest.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX),
    }
}
