//! What runs now, and how long it will still take: one line on stderr, if that is a terminal.

use super::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// How often the line is drawn anew. Drawing takes processor time from what is measured.
const DRAWN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// How long the step that runs now was expected to take.
    step_ms: u64,
}

impl Progress {
    pub(crate) fn new(expected: Duration) -> Result<Progress> {
        let bar = ProgressBar::new(millis(expected));
        bar.set_style(ProgressStyle::with_template("{bar:24} {eta} left: {msg}")?);
        bar.enable_steady_tick(DRAWN);
        Ok(Progress { bar, step_ms: 0 })
    }

    /// Begins a step; the one before it is done.
    pub(crate) fn step(&mut self, what: String, expected: Duration) {
        self.bar.inc(self.step_ms);
        self.step_ms = millis(expected);
        self.bar.set_message(what);
    }

    /// Prints on stdout, above the line.
    pub(crate) fn print(&self, text: &str) {
        self.bar.suspend(|| print!("{text}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
