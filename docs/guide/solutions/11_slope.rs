//! Chapter 11, exercise 2: what does one more cost?

/// What each client costs, and what the start does.
pub fn slope(runs: &[(u32, u64)]) -> (f64, f64) {
    let least = |clients: u32| {
        let same = runs.iter().filter(|(other, _)| *other == clients);
        same.map(|(_, total)| *total).min().unwrap_or(0) as f64
    };
    let clients = || runs.iter().map(|(clients, _)| *clients);
    let (few, many) = (clients().min().unwrap_or(0), clients().max().unwrap_or(0));
    let each = (least(many) - least(few)) / f64::from(many - few);
    (each, least(few) - each * f64::from(few))
}
