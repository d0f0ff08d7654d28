//! Chapter 8, exercise 1: late, or drifting?

/// Lateness of the worst tick, and the drift: negative where the last was more punctual than the first. No runs: no lateness.
pub fn drift(start: u64, period: u64, runs: &[u64]) -> (u64, i64) {
    let due = (1..).map(|number| start + number * period);
    let late: Vec<u64> = runs.iter().zip(due).map(|(run, due)| run - due).collect();
    let worst = late.iter().copied().max().unwrap_or(0);
    match (late.first(), late.last()) {
        (Some(first), Some(last)) => (worst, last.wrapping_sub(*first).cast_signed()),
        _ => (worst, 0),
    }
}
