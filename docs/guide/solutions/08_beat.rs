//! Chapter 8, exercise 3: cron as a task.

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
    /// When the next tick is due, once it has started.
    due: Time,
    runs: Rc<RefCell<Vec<Run>>>,
}

impl Beat {
    /// A task that puts its runs into `runs`. The period is not 0.
    pub fn new(period: Duration, runs: Rc<RefCell<Vec<Run>>>) -> Beat {
        Beat {
            period,
            due: Time::ZERO,
            runs,
        }
    }

    fn run(&mut self, now: Time) {
        let late = now.since(self.due);
        let missed = u32::try_from(late.as_nanos() / self.period.as_nanos()).unwrap_or(u32::MAX);
        let due = self.due;
        self.runs.borrow_mut().push(Run { due, late, missed });
        self.due = due + self.period * missed + self.period;
    }
}

impl Task for Beat {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        match wake {
            Wake::Start => self.due = hub.now() + self.period,
            Wake::Elapsed => self.run(hub.now()),
            Wake::Notified => {}
            other => return Err(other.unexpected()),
        }
        Ok(Wait::until(self.due))
    }
}
