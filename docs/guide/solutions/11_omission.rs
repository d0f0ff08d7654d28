//! Chapter 11, exercise 3: coordinated omission.

/// How long each user waited.
pub fn omission(period: u64, took: &[u64]) -> Vec<u64> {
    let mut free_from = 0;
    let comes = (0..).map(|number| number * period);
    let waited = took.iter().zip(comes).map(|(took, comes)| {
        free_from = comes.max(free_from) + took;
        free_from - comes
    });
    waited.collect()
}
