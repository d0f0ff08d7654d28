//! A job that has failed and waits to be tried again.
//!
//! It waits in the processing list, not in the memory of this program: who restarts the worker finds it there. Meanwhile a task
//! sleeps for it, and its taker has long taken another one. When the worker stops, it does not wait any longer.

use super::crew::Crew;
use super::settling::{End, Settling};
use bytes::Bytes;
use greenroom::{Hub, Result, Task, Wait, Wake};
use std::rc::Rc;
use std::time::Duration;

/// See the [module](self).
pub(crate) struct Retry {
    delay: Duration,
    settling: Settling,
}

impl Retry {
    /// Brings a job back to the queue after `delay`.
    pub(crate) fn spawn(hub: &mut Hub, crew: &Rc<Crew>, job: Bytes, end: End, delay: Duration) {
        let settling = Settling::new(Rc::clone(crew), job, end);
        let task = hub.spawn_task(Retry { delay, settling });
        hub.detach(task);
        crew.shutdown.tell(hub, task);
        crew.add_retry(hub, task);
    }
}

impl Task for Retry {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        match wake {
            Wake::Start => Ok(Wait::sleep(self.delay)),
            Wake::Killed => Ok(Wait::done()),
            wake => {
                let wait = self.settling.resume(hub, wake)?;
                Ok(wait.unwrap_or(Wait::done()))
            }
        }
    }
}
