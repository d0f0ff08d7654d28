//! Chapter 11, exercise 2, difficulty 1: what does one more cost?
//!
//! A program was run several times, with different numbers of clients; each run is a number of clients and what it took in all. Some numbers
//! of clients were run more than once, and one run in a few was disturbed, which makes it take more, never less. So of the runs with the
//! same number of clients the smallest counts. Compare the fewest clients with the most: what does one more cost, and what does the
//! program cost with none at all?

/// What each client costs, and what the start does.
pub fn slope(runs: &[(u32, u64)]) -> (f64, f64) {
    let (clients, total) = runs[0];
    (total as f64 / f64::from(clients), 0.0)
}
