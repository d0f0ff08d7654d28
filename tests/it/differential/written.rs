//! Scripts written by hand: what chance finds too seldom, and what must never be broken again.
//!
//! A row is a script and the reason for which it is there. None says what is right: Redis does.

mod closing;
mod connections;
mod lists;
mod nonsense;
mod passwords;
mod pauses;
mod roles;
mod transactions;
mod waiters;
mod wakes;

use super::host::Host;
use super::pair::Pair;
use super::script::Script;

type Row = (&'static str, &'static str);

/// Runs all rows, and shows all that differ.
fn check(start: fn() -> Option<[Host; 2]>, rows: &[Row]) {
    let Some(mut pair) = Pair::start(start) else {
        return;
    };
    let run = |(why, text): &Row| {
        let report = pair.run(&Script::parse(text)).err()?;
        Some(format!(
            "{why}: the servers differ in the last step\n{report}"
        ))
    };
    let reports: Vec<String> = rows.iter().filter_map(run).collect();
    assert!(reports.is_empty(), "{}", reports.join("\n"));
}
