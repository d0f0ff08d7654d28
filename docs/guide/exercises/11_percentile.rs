//! Chapter 11, exercise 1, difficulty 1: the nearest rank.
//!
//! The value that `percent` percent of all do not exceed, and the smallest such value that was seen: of 200 values the 99th percentile is the
//! 198th in order. 100 is the largest, 0 the smallest. No values: `None`. The samples come in any order.

/// A percentile of the samples; `percent` is 0 to 100.
pub fn percentile(samples: &[u64], percent: usize) -> Option<u64> {
    samples.get(samples.len() * percent / 100).copied()
}
