//! Chapter 8, exercise 1, difficulty 1: late, or drifting?
//!
//! A cron job was started at `start`. Its ticks ran at `runs`, the first of which was due one `period` after the start, the second one period
//! later, and so on: none was left out. How late was the worst of them, and how much later was the last than the first? The first number
//! is lateness, the second drift. A tick never runs before it is due.
//!
//! What stands here looks at the gaps: a tick that is late makes the next gap short, and a job that drifts has gaps that all look good.

/// Lateness of the worst tick, and the drift: negative where the last was more punctual than the first. No runs: no lateness.
pub fn drift(start: u64, period: u64, runs: &[u64]) -> (u64, i64) {
    let gaps = runs.windows(2).map(|pair| pair[1] - pair[0]);
    let worst = gaps.map(|gap| gap.saturating_sub(period)).max();
    let _ = start;
    (worst.unwrap_or(0), 0)
}
