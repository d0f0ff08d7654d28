//! Chapter 11, exercise 3, difficulty 2: coordinated omission.
//!
//! A server does one thing at a time. Users come at a steady pace: number n (from 0) comes at n * `period`, and is served when all before have
//! been. `took` is how long the server took for each. How long did each user wait, from coming to being served?
//!
//! What stands here is what a generator measures that sends the next request when the last was answered.

/// How long each user waited.
pub fn omission(period: u64, took: &[u64]) -> Vec<u64> {
    let _ = period;
    took.to_vec()
}
