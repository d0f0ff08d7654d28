//! One run of a cron task, and the policies for runs that come too late.

use crate::time::Time;
use std::time::Duration;

/// What a cron task does about ticks that it could not run in time.
///
/// With a period of 200 ms, and a tick due at 400 that runs only at 900:
///
/// | policy | runs at | next due at |
/// |---|---|---|
/// | `Skip` | 900, for 400; 600 and 800 are skipped and counted | 1000: the phase is kept |
/// | `Burst` | 900, 900 and 900, for 400, 600 and 800 | 1000: the number of ticks is kept |
/// | `Delay` | 900, for 400 | 1100: the distance is kept, the phase is lost |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// Leaves them out, and keeps its phase.
    #[default]
    Skip,
    /// Runs them one after the other until it has caught up.
    Burst,
    /// Runs once, and starts its phase anew.
    Delay,
}

/// One run of a cron task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// Which run it is, from 1.
    pub number: u64,
    /// When it was due.
    pub due: Time,
    /// How much later than that it runs.
    pub late: Duration,
    /// How many ticks were left out just before the next one.
    pub missed: u64,
}
