//! The watchdog: names the task that holds the hub.
//!
//! Tasks are resumed one after the other, on one thread. One that computes, or that calls something which blocks, holds
//! up everybody, and nobody could tell who it was: the others are only late. So the hub watches how long its tasks
//! take, and says which one took too long, and where it was spawned.
//!
//! **Reading the clock is what costs.** It takes 25 ns, and resuming a task that does little takes 300. So in a turn
//! the clock is read before the first resumption, after each of the first four, from then on after every sixteenth,
//! and after the last:
//!
//! ```text
//!   resumptions     1   2   3   4   5 . . . . . . . . . . . . . .  20  21 . . . . . 30
//!   clock         ▲   ▲   ▲   ▲   ▲                                ▲                ▲
//!   batches         1   1   1   1   └──────────── 16 ─────────────┘ └───── 10 ─────┘
//! ```
//!
//! What lies between two readings is a *batch*. A hub with little to do has batches of one task, and knows the culprit. In
//! a batch of more that took too long it was one of them, or several together: the watchdog says so, and looks closely
//! for the next ten seconds, at one task after the other. A culprit that comes again is then named alone.
//!
//! **What it cannot tell.** It looks afterwards: a task that never returns is never named. A task that was interrupted,
//! because the process was stopped or others had the processor, seems to have held the hub itself. And the main program
//! is not watched while it does something else than to wait.

use super::ids::TaskId;
use crate::time::{Time, ms, nanos, secs};
use crate::token::Key;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::time::Duration;

/// How long a task may hold the hub, unless told otherwise. Half the period of a fast cron task; a turn with full budgets
/// takes some milliseconds.
const LIMIT: Duration = ms(100);

/// So many batches of a turn have one task.
const SINGLE_BATCHES: u32 = 4;

/// How many tasks a batch has at most. The clock then costs each task 1.5 ns.
const BATCH_MAX: usize = 16;

/// How long every task is looked at by itself after a batch that took too long: several rounds of a cron task that has
/// a period of seconds.
const CLOSE_LOOK: Duration = secs(10);

/// Who holds the hub most often does so all the time.
const TOLD_EVERY: Duration = secs(1);

/// So many places of a batch are named.
const PLACES_MAX: usize = 4;

/// The hub was held for too long: what the hook of the [watchdog](crate::Hub::set_watchdog) is told. It displays as a line for
/// a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// The task that held it; `None` where it is one of several.
    pub task: Option<TaskId>,
    /// One of how many tasks it is, or several of them together: 1 where it is known, 16 at most.
    pub one_of: usize,
    /// Where it was spawned; where it is one of several, the places of all of them, each once and 4 at most.
    pub spawned_at: Vec<&'static Location<'static>>,
    /// For how long.
    pub held: Duration,
    /// How many times the hub was held since the last that was told.
    pub untold: u64,
}

/// See the [module](self).
pub(super) struct Watchdog {
    /// What it is to do from the next turn on.
    pub(super) limit: Option<Duration>,
    pub(super) hook: Box<dyn FnMut(&Hold)>,
    /// What it does in this turn: whether it watches, and how many nanoseconds a batch may take.
    pub(super) is_watching: bool,
    nanos_max: u64,
    /// Where those were spawned who were resumed since the clock was read, and the last of them.
    batch: [Option<&'static Location<'static>>; BATCH_MAX],
    last: Key,
    len: usize,
    /// How many make this batch full.
    pub(super) full: usize,
    /// So many batches this turn has had.
    batches: u32,
    pub(super) read_at: Time,
    /// Until when it looks closely.
    close_until: Time,
    told_at: Option<Time>,
    untold: u64,
}

impl Watchdog {
    pub(super) fn new(nobody: Key) -> Watchdog {
        Watchdog {
            limit: Some(LIMIT),
            hook: Box::new(log_hold),
            is_watching: false,
            nanos_max: u64::MAX,
            batch: [None; BATCH_MAX],
            last: nobody,
            len: 0,
            full: usize::MAX,
            batches: 0,
            read_at: Time::ZERO,
            close_until: Time::ZERO,
            told_at: None,
            untold: 0,
        }
    }

    /// Whether somebody watches in this turn.
    pub(super) fn start(&mut self) -> bool {
        self.batches = 0;
        self.is_watching = self.limit.is_some();
        self.nanos_max = self.limit.map_or(u64::MAX, nanos);
        self.full = if self.is_watching { 1 } else { usize::MAX };
        self.len = 0;
        self.is_watching
    }

    /// A task is about to be resumed. (It may not be there any more afterwards.)
    #[inline]
    pub(super) fn resumes(&mut self, task: Key, spawned_at: &'static Location<'static>) {
        self.last = task;
        // Where nobody watches, a batch is longer, and this goes round in circles.
        self.batch[self.len % BATCH_MAX] = Some(spawned_at);
        self.len += 1;
    }

    /// The clock has been read. True when the hub was held for too long.
    pub(super) fn end_batch(&mut self, now: Time) -> bool {
        let nanos = now.as_nanos().saturating_sub(self.read_at.as_nanos());
        // Main runs nothing when it learns that its wait has ended: a batch may have no task at all.
        let is_hold = nanos > self.nanos_max && self.len > 0;
        if is_hold {
            self.tell(Duration::from_nanos(nanos), now);
        }
        self.read_at = now;
        self.batches += 1;
        let alone = self.batches < SINGLE_BATCHES || now < self.close_until;
        self.full = if alone { 1 } else { BATCH_MAX };
        self.len = 0;
        is_hold
    }

    #[cold]
    fn tell(&mut self, held: Duration, now: Time) {
        if self.len > 1 {
            self.close_until = now + CLOSE_LOOK;
        }
        if self.told_at.is_some_and(|at| now.since(at) < TOLD_EVERY) {
            self.untold += 1;
            return;
        }
        self.told_at = Some(now);
        let hold = Hold {
            task: (self.len == 1).then_some(TaskId(self.last)),
            one_of: self.len,
            spawned_at: self.places(),
            held,
            untold: std::mem::take(&mut self.untold),
        };
        if catch_unwind(AssertUnwindSafe(|| (self.hook)(&hold))).is_err() {
            log::error!("the hook of the watchdog panicked at this: {hold}");
        }
    }

    /// Where the tasks of this batch were spawned.
    fn places(&self) -> Vec<&'static Location<'static>> {
        let mut places = Vec::new();
        for place in self.batch.iter().take(self.len).copied().flatten() {
            if places.len() < PLACES_MAX && !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }
}

/// What is done about a hold unless told otherwise.
fn log_hold(hold: &Hold) {
    log::warn!(target: "greenroom::watchdog", "{hold}");
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Some(task) => write!(f, "{task:?}")?,
            None => write!(f, "one of {} tasks, or several together", self.one_of)?,
        }
        f.write_str(", spawned at ")?;
        for (index, place) in self.spawned_at.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            write!(f, "{separator}{place}")?;
        }
        write!(f, ", held the hub for {:.1?}", self.held)?;
        if self.untold > 0 {
            write!(f, " (and {} times before that were not told)", self.untold)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Slots;

    #[test]
    fn a_batch_without_a_task_holds_nothing() {
        let key = Slots::new().insert(());
        let mut watchdog = Watchdog::new(key);
        assert!(watchdog.start());
        assert!(!watchdog.end_batch(Time::ZERO + secs(1)));
        watchdog.resumes(key, Location::caller());
        assert!(watchdog.end_batch(Time::ZERO + secs(2)));
    }
}
