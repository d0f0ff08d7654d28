//! What programs do with tasks: spawn, kill, notify, also from other threads.

use super::failure::Failure;
use super::ids::TaskId;
use super::observe::Event as Told;
use super::remote::{Mailbox, Remote};
use super::task::{Event, Task, Wait, Wake};
use super::tasks::{State, Why};
use super::{Hub, Result};
use crate::error::{Error, ErrorKind};
use std::panic::Location;
use std::sync::Arc;

impl Hub {
    /// Starts a task. It runs for the first time in the next turn, after all that are ready already.
    ///
    /// ```
    /// use greenroom::{Hub, Wait, Wake, ms};
    /// let mut hub = Hub::new()?;
    /// let mut rounds = 0;
    /// let task = hub.spawn(move |_hub, wake| {
    ///     rounds += 1;
    ///     if rounds > 3 { Ok(Wait::done()) } else { Ok(Wait::sleep(ms(1))) }
    /// });
    /// hub.join(task)?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> TaskId
    where
        F: FnMut(&mut Hub, Wake) -> Result<Wait> + 'static,
    {
        self.spawn_at(task, Location::caller())
    }

    /// [`spawn`](Hub::spawn), for a task that is a struct.
    ///
    /// ```
    /// # use greenroom::{Hub, Result, Task, Wait, Wake, ms, sim::Sim};
    /// /// What a greenlet would keep on its stack stands in fields.
    /// struct Countdown(u32);
    ///
    /// impl Task for Countdown {
    ///     fn resume(&mut self, _hub: &mut Hub, _wake: Wake) -> Result<Wait> {
    ///         if self.0 == 0 {
    ///             return Ok(Wait::done());
    ///         }
    ///         self.0 -= 1;
    ///         Ok(Wait::sleep(ms(100)))
    ///     }
    /// }
    ///
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// let task = hub.spawn_task(Countdown(10));
    /// hub.join(task)?;
    /// assert_eq!(hub.now().as_nanos() / 1_000_000, 1000);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_task(&mut self, task: impl Task + 'static) -> TaskId {
        self.spawn_at(task, Location::caller())
    }

    pub(super) fn spawn_at(
        &mut self,
        task: impl Task + 'static,
        spawned_at: &'static Location<'static>,
    ) -> TaskId {
        let home = self.arenas.insert(task);
        let task = TaskId(self.tasks.spawn(home, spawned_at));
        if self.is_observed {
            self.tell(&Told::Spawned { task, spawned_at });
        }
        task
    }

    /// Declares that nobody will join a task. The error of a task that fails is otherwise kept until
    /// somebody does.
    pub fn detach(&mut self, task: TaskId) {
        match self.tasks.get_mut(task.0) {
            Some(slot) => slot.detached = true,
            None => drop(self.tasks.failure(task.0)),
        }
    }

    /// Whether a task has ended.
    pub fn is_ended(&self, task: TaskId) -> bool {
        self.tasks.get(task.0).is_none()
    }

    /// All tasks that have not ended.
    pub fn tasks(&self) -> Vec<TaskId> {
        let alive = self.tasks.alive().filter(|&key| key != self.main);
        alive.map(TaskId).collect()
    }

    /// Ends a task. It is resumed once more, with [`Wake::Killed`], when its turn comes; a task that was never
    /// resumed never will be. A task that kills itself ends when it returns. Killing a task that has ended
    /// does nothing.
    ///
    /// The requests of the task are cancelled. The server is asked to end a blocking pop in flight;
    /// an element that is on its way all the same goes to
    /// [`Redis::on_undelivered`](crate::Redis::on_undelivered), or back. [`drain`](Hub::drain)
    /// waits for that. A command that shares a connection is executed all the same, and its reply
    /// is dropped.
    ///
    /// ```
    /// # use greenroom::{Hub, Wait, Wake, secs, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// let task = hub.spawn(|_hub, wake| match wake {
    ///     Wake::Start => Ok(Wait::sleep(secs(3600))),
    ///     _ => Ok(Wait::done()), // Wake::Killed: the last chance to tidy up
    /// });
    /// hub.sleep(secs(1))?;
    /// hub.kill(task);
    /// hub.join(task)?;
    /// assert_eq!(hub.now().as_nanos() / 1_000_000, 1000);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn kill(&mut self, task: TaskId) {
        let Some(slot) = self.tasks.get_mut(task.0) else {
            return;
        };
        if task.0 == self.main {
            return;
        }
        slot.killed = true;
        // The reply that it is in line for will not be taken.
        slot.loose |= slot.state == State::InLine;
        self.give_up(task.0);
        self.wake(task.0, Why::Killed);
    }

    /// Ends whatever a task waits for, with [`Wake::Notified`]. A task that does not wait right now finds its next
    /// wait ended; any number of notifies before that count as one. False when the task has ended.
    ///
    /// A request is not cancelled: keep its [`ticket`](Wait::ticket) to wait for it again.
    ///
    /// ```
    /// # use greenroom::{Hub, Wait, Wake, secs, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// let sleeper = hub.spawn(|_hub, wake| match wake {
    ///     Wake::Start => Ok(Wait::notified()),
    ///     _ => Ok(Wait::done()),
    /// });
    /// hub.sleep(secs(1))?;
    /// assert!(hub.notify(sleeper));
    /// hub.join(sleeper)?;
    /// assert!(!hub.notify(sleeper), "it has ended");
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn notify(&mut self, task: TaskId) -> bool {
        let Some(slot) = self.tasks.get_mut(task.0) else {
            return false;
        };
        match slot.state {
            State::Waiting(event) => {
                slot.loose |= matches!(event, Event::Reply(_));
                self.leave_join(task.0, event);
                self.wake(task.0, Why::Notified);
            }
            State::InLine | State::Running => slot.notified = true,
        }
        true
    }

    /// Sets the hook that is called for each failed task. By default the failure is logged, with
    /// the place that spawned the task.
    ///
    /// ```
    /// # use greenroom::{Error, ErrorKind, Hub, Wait, sim::Sim};
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// let failed = Rc::new(Cell::new(0));
    /// let count = Rc::clone(&failed);
    /// hub.on_error(move |failure| {
    ///     eprintln!("{failure:?}");
    ///     count.set(count.get() + 1);
    /// });
    /// hub.spawn(|_hub, _wake| Err(Error::new(ErrorKind::Task, "out of luck")));
    /// hub.run()?;
    /// assert_eq!(failed.get(), 1);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn on_error(&mut self, hook: impl FnMut(&Failure) + 'static) {
        self.on_error = Box::new(hook);
    }
}

/// Notifying from other threads.
impl Hub {
    /// A handle with which another thread notifies tasks of this hub.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the driver cannot be woken from outside.
    pub fn remote(&mut self) -> Result<Remote> {
        if let Some(mailbox) = &self.mailbox {
            return Ok(Remote {
                mailbox: Arc::clone(mailbox),
            });
        }
        let error = |error| Error::io(ErrorKind::Io, "cannot make a waker", error);
        let alarm = self.driver.alarm().map_err(error)?;
        let mailbox = Arc::new(Mailbox::new(alarm));
        self.mailbox = Some(Arc::clone(&mailbox));
        Ok(Remote { mailbox })
    }

    /// Notifies the tasks that other threads have named.
    pub(super) fn open_mailbox(&mut self) {
        let Some(mailbox) = &self.mailbox else { return };
        let notified = mailbox.take();
        for task in notified {
            self.notify(task);
        }
    }
}
