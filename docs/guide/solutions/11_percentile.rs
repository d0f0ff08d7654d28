//! Chapter 11, exercise 1: the nearest rank.

/// A percentile of the samples; `percent` is 0 to 100.
pub fn percentile(samples: &[u64], percent: usize) -> Option<u64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}
