//! Chapter 8, exercise 3, difficulty 3: cron as a task.
//!
//! The task runs one `period` after it has started, and each period after that, for ever. It takes down each run: when it was due, how late it
//! ran, and how many ticks were left out between this one and the next. Ticks that cannot run in time are left out, and the phase is
//! kept, as with `Skip` in exercise 2.
//!
//! Somebody may notify it. That is not a tick: it goes on waiting for the same moment. Any other wake than that, `Start` and
//! `Elapsed` ends it with [`Wake::unexpected`].
//!
//! `Time` has what you need: `time + duration`, `time.since(earlier)`, and [`Wait::until`] takes one.

use greenroom::{Hub, Result, Task, Time, Wait, Wake};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub due: Time,
    pub late: Duration,
    pub missed: u32,
}

pub struct Beat {
    period: Duration,
    runs: Rc<RefCell<Vec<Run>>>,
}

impl Beat {
    /// A task that puts its runs into `runs`. The period is not 0.
    pub fn new(period: Duration, runs: Rc<RefCell<Vec<Run>>>) -> Beat {
        Beat { period, runs }
    }
}

impl Task for Beat {
    fn resume(&mut self, hub: &mut Hub, _wake: Wake) -> Result<Wait> {
        self.runs.borrow_mut().push(Run {
            due: hub.now(),
            late: Duration::ZERO,
            missed: 0,
        });
        Ok(Wait::sleep(self.period))
    }
}
