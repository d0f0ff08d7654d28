//! What the tasks of the worker share. They run one at a time, so that a `Cell` is all the locking there is.

use super::options::Options;
use super::queue::Queue;
use bytes::Bytes;
use greenroom::sim::Random;
use greenroom::{Error, Hub, Shutdown, TaskId, Time, ms, secs};
use log::warn;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A pause before a job's last retry is no longer than this, but for the share that chance adds.
const BACKOFF_MAX: Duration = secs(60);

/// The pause after the first of several failed requests, and after the last.
const FIRST_PAUSE: Duration = ms(10);
const LAST_PAUSE: Duration = secs(1);

/// See the [module](self).
pub(crate) struct Crew {
    pub(crate) queue: Queue,
    pub(crate) shutdown: Shutdown,
    pub(crate) counts: Counts,
    max_retries: u32,
    backoff: Duration,
    random: RefCell<Random>,
    held: RefCell<HashMap<Bytes, usize>>,
    retries: RefCell<Vec<TaskId>>,
    complained: Cell<Option<Time>>,
}

/// What has happened so far; `running` is what happens now.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) done: Cell<u64>,
    /// Attempts that failed.
    pub(crate) failed: Cell<u64>,
    pub(crate) retried: Cell<u64>,
    pub(crate) dead: Cell<u64>,
    /// Jobs that nobody looked after any more, and that are in the queue again.
    pub(crate) recovered: Cell<u64>,
    pub(crate) running: Cell<u64>,
}

impl Crew {
    pub(crate) fn new(queue: Queue, shutdown: Shutdown, options: &Options) -> Crew {
        Crew {
            queue,
            shutdown,
            counts: Counts::default(),
            max_retries: options.max_retries,
            backoff: options.backoff,
            random: RefCell::new(Random::new(RandomState::new().hash_one(()))),
            held: RefCell::default(),
            retries: RefCell::default(),
            complained: Cell::new(None),
        }
    }

    /// How long a job waits that has failed so often; `None` when it will not be tried again. Up to a quarter is chance:
    /// what failed at the same moment, since something was down that all needed, must not all come back in one.
    pub(crate) fn delay(&self, attempts: u32) -> Option<Duration> {
        let doublings = attempts.saturating_sub(1).min(16);
        let delay = self.backoff.saturating_mul(1 << doublings);
        let delay = delay.min(BACKOFF_MAX);
        let mut random = self.random.borrow_mut();
        (attempts <= self.max_retries).then(|| random.duration(&(delay..=delay + delay / 4)))
    }

    /// A job that stands in the processing list is somebody's from now on.
    pub(crate) fn hold(&self, job: &Bytes) {
        *self.held.borrow_mut().entry(job.clone()).or_default() += 1;
    }

    /// It is nobody's any more.
    pub(crate) fn release(&self, job: &Bytes) {
        let mut held = self.held.borrow_mut();
        if let Some(count) = held.get_mut(job) {
            *count -= 1;
            if *count == 0 {
                held.remove(job);
            }
        }
    }

    /// How many equal jobs are somebody's.
    pub(crate) fn holds(&self, job: &Bytes) -> usize {
        self.held.borrow().get(job).copied().unwrap_or(0)
    }

    /// A task that brings a job back to the queue, and should not be left behind.
    pub(crate) fn add_retry(&self, hub: &mut Hub, task: TaskId) {
        let mut retries = self.retries.borrow_mut();
        if retries.len() == retries.capacity() {
            retries.retain(|&task| !hub.is_ended(task));
            let alive = retries.len();
            retries.reserve(alive + 16);
        }
        retries.push(task);
    }

    /// All of these that may not have ended.
    pub(crate) fn retries(&self) -> Vec<TaskId> {
        self.retries.borrow().clone()
    }

    /// Tells the log, once a second at most: when a server is lost, everybody says the same.
    pub(crate) fn complain(&self, hub: &Hub, error: &Error) {
        let now = hub.now();
        let last = self.complained.get();
        if last.is_none_or(|last| now.since(last) >= secs(1)) {
            self.complained.set(Some(now));
            warn!(target: "worker", "{error}");
        }
    }
}

/// Pauses between requests that fail one after the other.
#[derive(Debug)]
pub(crate) struct Pause(Duration);

impl Pause {
    pub(crate) fn new() -> Pause {
        Pause(FIRST_PAUSE)
    }

    /// The next one is twice as long.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LAST_PAUSE);
        pause
    }
}

pub(crate) fn add(counter: &Cell<u64>, number: u64) {
    counter.set(counter.get() + number);
}
