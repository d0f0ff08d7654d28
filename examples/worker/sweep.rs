//! Brings back what stands in the processing list and is nobody's.
//!
//! When a connection breaks, the server may have moved a job already, and the answer is lost: the job stands in the
//! list, and no taker knows it. After a restart it would be found; a worker that runs for months should not need one. So the
//! list is compared with the jobs that are somebody's, now and then.
//!
//! A job that was moved a moment ago, and whose answer is on its way, looks just like that. It does not the next time: a take is answered
//! within its timeout and its grace, or fails, and a sweep is longer than both. Only what was nobody's *twice* goes back.

use super::crew::{Crew, add};
use super::queue::TAKE;
use bytes::Bytes;
use greenroom::{Config, Hub, Reply, Result, Task, Wait, Wake, secs};
use log::warn;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// The time between two looks.
const SWEEP: Duration = secs(5);

/// See the [module](self).
pub(crate) struct Sweep {
    crew: Rc<Crew>,
    /// What was nobody's at the last look, and how often.
    suspects: HashMap<Bytes, usize>,
}

impl Sweep {
    pub(crate) fn new(crew: Rc<Crew>) -> Sweep {
        debug_assert!(SWEEP > TAKE + Config::default().blocking_grace);
        Sweep {
            crew,
            suspects: HashMap::new(),
        }
    }

    fn look(&mut self, hub: &mut Hub, reply: Reply) -> Result<()> {
        let mut found: HashMap<Bytes, usize> = HashMap::new();
        for job in reply.to::<Vec<Bytes>>()? {
            *found.entry(job).or_default() += 1;
        }
        let before = std::mem::take(&mut self.suspects);
        for (job, count) in found {
            let nobodys = count.saturating_sub(self.crew.holds(&job));
            let twice = nobodys.min(before.get(&job).copied().unwrap_or(0));
            for _ in 0..twice {
                warn!(target: "worker", "A job was nobody's, and goes back to the queue.");
                add(&self.crew.counts.recovered, 1);
                // If it fails, the job is found again.
                let asked = self.crew.queue.give_back(hub, &job)?;
                hub.ignore(asked);
            }
            if nobodys > twice {
                self.suspects.insert(job, nobodys - twice);
            }
        }
        Ok(())
    }
}

impl Task for Sweep {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        match wake {
            Wake::Elapsed => return self.crew.queue.processing(hub),
            Wake::Reply(reply) => {
                if let Err(error) = reply.and_then(|reply| self.look(hub, reply)) {
                    self.crew.complain(hub, &error);
                }
            }
            Wake::Killed => return Ok(Wait::done()),
            _ => {}
        }
        Ok(Wait::sleep(SWEEP))
    }
}
