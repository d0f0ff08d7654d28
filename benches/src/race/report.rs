//! All that a race has found.

use super::machine::Machine;
use super::table::Table;

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) tables: Vec<Table>,
    /// Programs that did not run at all, and why.
    pub(crate) missing: Vec<(String, String)>,
}

impl Report {
    /// A line for each program that did not run.
    pub(crate) fn not_run(&self) -> impl Iterator<Item = String> {
        let missing = self.missing.iter();
        missing.map(|(name, why)| format!("not run: {name} ({why})"))
    }
}
