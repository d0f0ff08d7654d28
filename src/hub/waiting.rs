//! How the main program waits.
//!
//! Main is a task too, with a slot of its own in the table, and waits for the same things as all others. But it has a stack that
//! it does not leave: where a task returns what it waits for, main makes turns until somebody has put down why its wait has
//! ended. A task that did the same would make turns within a turn, and be resumed while it runs; so it is refused.

use super::Hub;
use super::ids::TaskId;
use super::observe::Event as Told;
use super::task::{Wait, Wake};
use crate::error::{Error, ErrorKind, Result};
use std::time::Duration;

impl Hub {
    /// Makes turns until nothing is left to wait for: no task is ready, and neither timer, request, stream nor
    /// [`Remote`](super::Remote) could ever wake one. A cron task never comes to that end; see [`Hub::kill`].
    ///
    /// ```
    /// # use greenroom::{Hub, Wait, Wake, secs, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// for seconds in 1..=3 {
    ///     hub.spawn(move |_hub, wake| match wake {
    ///         Wake::Start => Ok(Wait::sleep(secs(seconds))),
    ///         _ => Ok(Wait::done()),
    ///     });
    /// }
    /// hub.run()?; // until the last of them has ended
    /// assert_eq!(hub.now().as_nanos() / 1_000_000, 3000);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] from inside a task; [`ErrorKind::Io`] when the kernel's poll fails. Tasks that fail
    /// do not end the run: see [`Hub::on_error`].
    pub fn run(&mut self) -> Result<()> {
        self.enter("run")?;
        while !self.is_stuck() {
            self.turn()?;
        }
        if self.is_observed {
            self.tell(&Told::NothingLeft);
        }
        Ok(())
    }

    /// Waits as a task does: makes turns until the wait has ended, and says why it has.
    ///
    /// ```no_run
    /// use greenroom::{Hub, Redis};
    /// let mut hub = Hub::new()?;
    /// let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// let asked = redis.get(&mut hub, "key")?;
    /// let value: Option<String> = hub.wait(asked)?.reply()?.to()?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] from inside a task: a task returns what it waits for. [`ErrorKind::Deadlock`] when nothing is
    /// left that could end the wait. [`ErrorKind::Io`] when the kernel's poll fails.
    pub fn wait(&mut self, wait: Wait) -> Result<Wake> {
        self.enter("wait")?;
        let main = self.tasks.get_mut(self.main);
        match main.is_some_and(|slot| std::mem::take(&mut slot.notified)) {
            true => return Ok(Wake::Notified),
            false => self.begin_wait(self.main, wait),
        }
        loop {
            if let Some(wake) = self.main_wake.take() {
                return Ok(wake);
            }
            let turned = match self.is_stuck() {
                false => self.turn(),
                true => {
                    if self.is_observed {
                        self.tell(&Told::NothingLeft);
                    }
                    let message = "nothing is left that could end this wait";
                    Err(Error::new(ErrorKind::Deadlock, message))
                }
            };
            if let Err(error) = turned {
                self.unwait_main();
                return Err(error);
            }
        }
    }

    /// The task that is being resumed; outside of tasks, [main](Hub::main).
    ///
    /// ```
    /// # use greenroom::{Hub, Wait, Wake, secs, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// assert_eq!(hub.current(), hub.main());
    /// let task = hub.spawn(|hub, wake| match wake {
    ///     Wake::Start => {
    ///         let me = hub.current();
    ///         // Whoever helps knows whom to tell.
    ///         hub.spawn(move |hub, _wake| {
    ///             hub.notify(me);
    ///             Ok(Wait::done())
    ///         });
    ///         Ok(Wait::notified())
    ///     }
    ///     _ => Ok(Wait::done()),
    /// });
    /// hub.join(task)?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn current(&self) -> TaskId {
        TaskId(self.running.unwrap_or(self.main))
    }

    /// The task that stands for the main program: to [notify](Hub::notify) it.
    pub fn main(&self) -> TaskId {
        TaskId(self.main)
    }

    /// Lets all others run for `duration`. Main continues then, or up to one turn later; earlier if a task
    /// [notifies](Hub::notify) it.
    ///
    /// # Errors
    ///
    /// As [`wait`](Hub::wait).
    pub fn sleep(&mut self, duration: Duration) -> Result<()> {
        self.wait(Wait::sleep(duration)).map(drop)
    }

    /// Waits until a task has ended. Joining a task that has ended takes no turn.
    ///
    /// # Errors
    ///
    /// The error with which the task ended, the first time somebody asks for it, and those of [`wait`](Hub::wait). A task
    /// that was killed has not failed.
    pub fn join(&mut self, task: TaskId) -> Result<()> {
        self.enter("join")?;
        self.join_outcome(task)?
    }

    /// Waits until all these tasks have ended.
    ///
    /// ```
    /// # use greenroom::{Error, ErrorKind, Hub, Wait, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// hub.on_error(|_| {});
    /// let good = hub.spawn(|_hub, _wake| Ok(Wait::done()));
    /// let bad = hub.spawn(|_hub, _wake| Err(Error::new(ErrorKind::Task, "out of luck")));
    /// let error = hub.join_all(&[good, bad]).unwrap_err();
    /// assert!(error.to_string().contains("out of luck"));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Task`] when any has failed: it says how many, and how the first of them in the order of `tasks`.
    /// Those of [`wait`](Hub::wait).
    pub fn join_all(&mut self, tasks: &[TaskId]) -> Result<()> {
        self.enter("join_all")?;
        let mut failed = 0;
        let mut first = None;
        for &task in tasks {
            if let Err(error) = self.join_outcome(task)? {
                failed += 1;
                first.get_or_insert(error);
            }
        }
        match first {
            None => Ok(()),
            Some(first) => {
                let message = format!(
                    "{failed} of {} tasks failed, the first: {first}",
                    tasks.len()
                );
                Err(Error::new(ErrorKind::Task, message))
            }
        }
    }

    /// The outer result is the hub's, the inner one the task's.
    fn join_outcome(&mut self, task: TaskId) -> Result<Result<()>> {
        if let Some(outcome) = self.outcome(task.0) {
            return Ok(outcome);
        }
        match self.wait(Wait::join(task))? {
            Wake::Joined(outcome) => Ok(outcome),
            other => Err(other.unexpected()),
        }
    }

    /// Main enters the hub: the clock may have gone on since the last turn.
    pub(crate) fn enter(&mut self, call: &str) -> Result<()> {
        self.refuse_inside_task(call)?;
        let now = self.look_at_clock();
        self.timers.set_now(now);
        Ok(())
    }

    /// A task that makes turns would make them within a turn.
    pub(super) fn refuse_inside_task(&self, call: &str) -> Result<()> {
        if let Some(key) = self.running {
            let task = self.describe(key);
            let message = format!("{task} called Hub::{call}: a task returns what it waits for");
            return Err(Error::new(ErrorKind::Misuse, message));
        }
        Ok(())
    }

    /// Whether nothing is left that could wake anybody.
    fn is_stuck(&self) -> bool {
        self.tasks.in_line() == 0
            && self.main_wake.is_none()
            && self.timers.len() == 0
            && self.clients.pending() == 0
            && self.tasks.waiting_for_io == 0
            && self.mailbox.is_none()
            && !self.has_work()
    }
}
