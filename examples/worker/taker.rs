//! One of those who take a job, have it done and settle it, one after the other.
//!
//! ```text
//!   start ─► Taking ─── a job ───► Working ─┬─ done, or failed for the last time ─► Settling ─┐
//!            ▲ ▲  │                         └─ failed: a Retry settles it later ─┐            │ over
//!            │ └──┤ nil                                                          │            │
//!            │    └─ error ─► Pausing ─┐                                         │            │
//!            └─────────────────────────┴─────────────────────────────────────────┴────────────┘
//! ```
//!
//! When the worker stops, a taker ends where it has no job. A take that is blocked then is cancelled,
//! and if it moves a job all the same, the job is in the processing list, from where main brings it
//! back.

use super::crew::{Crew, Pause, add};
use super::job::Job;
use super::retry::Retry;
use super::settling::{End, Settling};
use super::work::work;
use bytes::Bytes;
use greenroom::{Error, Hub, Result, Task, TaskId, Wait, Wake};
use log::{debug, info, warn};
use std::rc::Rc;

/// Tasks that are spawned in this file are attempts at jobs, whose failures are told here.
pub(crate) const FILE: &str = file!();

/// See the [module](self).
pub(crate) struct Taker {
    crew: Rc<Crew>,
    doing: Doing,
    pause: Pause,
}

#[derive(Default)]
enum Doing {
    #[default]
    Nothing,
    Taking,
    Pausing,
    Working(Attempt),
    Settling(Settling),
}

/// A job that is being done.
struct Attempt {
    /// As it stands in the processing list.
    payload: Bytes,
    job: Rc<Job>,
    task: TaskId,
}

impl Taker {
    pub(crate) fn new(crew: Rc<Crew>) -> Taker {
        Taker {
            crew,
            doing: Doing::Nothing,
            pause: Pause::new(),
        }
    }

    fn take(&mut self, hub: &mut Hub) -> Result<Wait> {
        if self.crew.shutdown.is_requested() {
            return Ok(Wait::done());
        }
        self.doing = Doing::Taking;
        self.crew.queue.take(hub)
    }

    fn taken(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        if self.crew.shutdown.is_requested() {
            return Ok(Wait::done());
        }
        match wake.reply().and_then(|reply| reply.to()) {
            Ok(Some(payload)) => self.begin(hub, payload),
            Ok(None) => self.take(hub),
            Err(error) => {
                self.crew.complain(hub, &error);
                self.doing = Doing::Pausing;
                Ok(Wait::sleep(self.pause.next()))
            }
        }
    }

    fn begin(&mut self, hub: &mut Hub, payload: Bytes) -> Result<Wait> {
        self.pause = Pause::new();
        self.crew.hold(&payload);
        let Some(job) = Job::read(&payload) else {
            warn!(target: "worker", "A job is no text, and goes to the dead.");
            add(&self.crew.counts.dead, 1);
            let end = End::Dead(payload.clone());
            return self.settle(hub, payload, end);
        };
        let job = Rc::new(job);
        let its_job = Rc::clone(&job);
        // A task of its own: whatever it waits for, and a panic, stay with it.
        let task = hub.spawn(move |hub, wake| work(hub, &its_job, wake));
        add(&self.crew.counts.running, 1);
        self.doing = Doing::Working(Attempt { payload, job, task });
        Ok(Wait::join(task))
    }

    fn worked(
        &mut self,
        hub: &mut Hub,
        Attempt { payload, job, .. }: Attempt,
        outcome: Result<()>,
    ) -> Result<Wait> {
        let counts = &self.crew.counts;
        counts.running.set(counts.running.get() - 1);
        match outcome {
            Ok(()) => {
                add(&counts.done, 1);
                debug!(target: "job", "{} is done.", job.label());
                self.settle(hub, payload, End::Done)
            }
            Err(error) => {
                // The task has ended, and this is the last one who knows it.
                let job = Rc::try_unwrap(job).unwrap_or_else(|job| job.as_ref().clone());
                self.failed(hub, payload, job.failed(&error), &error)
            }
        }
    }

    fn failed(&mut self, hub: &mut Hub, payload: Bytes, job: Job, error: &Error) -> Result<Wait> {
        let (label, attempts) = (job.label(), job.attempts);
        let after = Bytes::from(job.payload());
        add(&self.crew.counts.failed, 1);
        let Some(delay) = self.crew.delay(attempts) else {
            warn!(target: "job", "{label}: attempt {attempts} failed, and was the last: {error}");
            add(&self.crew.counts.dead, 1);
            return self.settle(hub, payload, End::Dead(after));
        };
        add(&self.crew.counts.retried, 1);
        let end = End::Again(after);
        if self.crew.shutdown.is_requested() {
            info!(target: "job", "{label}: attempt {attempts} failed, the next is left to others: {error}");
            return self.settle(hub, payload, end);
        }
        info!(target: "job", "{label}: attempt {attempts} failed, the next is in {delay:.1?}: {error}");
        Retry::spawn(hub, &self.crew, payload, end, delay);
        self.take(hub)
    }

    fn settle(&mut self, hub: &mut Hub, payload: Bytes, end: End) -> Result<Wait> {
        let settling = Settling::new(Rc::clone(&self.crew), payload, end);
        self.go_on_settling(hub, settling, Wake::Start)
    }

    fn go_on_settling(
        &mut self,
        hub: &mut Hub,
        mut settling: Settling,
        wake: Wake,
    ) -> Result<Wait> {
        match settling.resume(hub, wake)? {
            Some(wait) => {
                self.doing = Doing::Settling(settling);
                Ok(wait)
            }
            None => self.take(hub),
        }
    }
}

impl Task for Taker {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        match (std::mem::take(&mut self.doing), wake) {
            // The grace is over. What it has stands in the processing list.
            (Doing::Working(attempt), Wake::Killed) => {
                hub.kill(attempt.task);
                Ok(Wait::done())
            }
            (_, Wake::Killed) => Ok(Wait::done()),
            (Doing::Nothing | Doing::Pausing, _) => self.take(hub),
            (Doing::Taking, wake) => self.taken(hub, wake),
            (Doing::Working(attempt), Wake::Joined(outcome)) => self.worked(hub, attempt, outcome),
            // The worker stops, but a job that was begun has its grace.
            (Doing::Working(attempt), _) => {
                let task = attempt.task;
                self.doing = Doing::Working(attempt);
                Ok(Wait::join(task))
            }
            (Doing::Settling(settling), wake) => self.go_on_settling(hub, settling, wake),
        }
    }
}
