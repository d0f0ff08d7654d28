//! Spawn, kill and notify, and how a wait begins and ends.

use super::task::{Direction, Event, Task, TaskId, Until, Wait, Wake};
use super::tasks::{Slot, State, Why};
use super::{Hub, Result};
use crate::error::{Error, ErrorKind};
use crate::time::Time;
use crate::token::{Key, Owner};
use std::any::Any;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

/// A task that ended with an error or a panic: what the hub's error hook is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The task.
    pub task: TaskId,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// Its error; of kind [`ErrorKind::Task`] if it panicked.
    pub error: Error,
}

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
        self.spawn_at(Box::new(task), Location::caller())
    }

    /// [`spawn`](Hub::spawn), for a task that is a struct.
    #[track_caller]
    pub fn spawn_task(&mut self, task: impl Task + 'static) -> TaskId {
        self.spawn_at(Box::new(task), Location::caller())
    }

    pub(super) fn spawn_at(
        &mut self,
        task: Box<dyn Task>,
        spawned_at: &'static Location<'static>,
    ) -> TaskId {
        let key = self.tasks.add(Some(task), spawned_at);
        self.tasks.wake(key, Why::Start);
        TaskId(key)
    }

    /// Declares that nobody will join a task. The error of a task that fails is otherwise kept until
    /// somebody does.
    pub fn detach(&mut self, task: TaskId) {
        match self.tasks.get_mut(task.0) {
            Some(Slot {
                state: State::Failed(_),
                ..
            }) => drop(self.tasks.remove(task.0)),
            Some(slot) => slot.detached = true,
            None => {}
        }
    }

    /// Whether a task has ended.
    pub fn is_ended(&self, task: TaskId) -> bool {
        self.tasks
            .get(task.0)
            .is_none_or(|slot| matches!(slot.state, State::Failed(_)))
    }

    /// All tasks that have not ended.
    pub fn tasks(&self) -> Vec<TaskId> {
        self.tasks.ids()
    }

    /// Ends a task. It is resumed once more, with [`Wake::Killed`], when its turn comes; a task that was never
    /// resumed never will be. A task that kills itself ends when it returns. Killing a task that has ended
    /// does nothing.
    ///
    /// What the task has asked of a server is given up. A blocking pop that is in flight ends with its
    /// connection: the server takes that for the end of the wait, and the element stays where it is. Only an
    /// element that is on its way at that very moment is lost.
    pub fn kill(&mut self, task: TaskId) {
        let Some(slot) = self.tasks.get_mut(task.0) else {
            return;
        };
        if task.0 == self.main || matches!(slot.state, State::Failed(_)) {
            return;
        }
        slot.killed = true;
        if matches!(slot.state, State::Waiting(_)) {
            self.interrupt_wait(task.0);
            self.tasks.wake(task.0, Why::Killed);
        }
    }

    /// Ends whatever a task waits for, with [`Wake::Notified`]. A task that does not wait right now finds its next
    /// wait ended; any number of notifies before that count as one. False when the task has ended.
    ///
    /// A request is not given up: keep its [`ticket`](Wait::ticket) to wait for it again.
    pub fn notify(&mut self, task: TaskId) -> bool {
        let Some(slot) = self.tasks.get_mut(task.0) else {
            return false;
        };
        match slot.state {
            State::Waiting(_) => self.wake(task.0, Why::Notified),
            State::InLine | State::Running => slot.notified = true,
            State::Failed(_) => return false,
        }
        true
    }

    /// Sets what is told of each task that fails. By default it is logged, with the place that spawned it.
    pub fn on_error(&mut self, hook: impl FnMut(&Failure) + 'static) {
        self.on_error = Box::new(hook);
    }

    /// Begins a wait of a task that runs, or puts the task in line when the wait has ended already.
    pub(super) fn begin_wait(&mut self, key: Key, wait: Wait) {
        let Some(slot) = self.tasks.get_mut(key) else {
            return;
        };
        slot.state = State::Running;
        if std::mem::take(&mut slot.notified) {
            return self.tasks.wake(key, Why::Notified);
        }
        let now = self.timers.now();
        let deadline = wait.deadline.map(|until| until.time(now));
        let (event, at) = match wait.event {
            Event::Sleep(until) => {
                let at = until.time(now);
                match deadline {
                    Some(deadline) if deadline < at => (Event::Notify, Some(deadline)),
                    _ => (wait.event, Some(at)),
                }
            }
            event => (event, deadline),
        };
        if let Some(why) = self.ended_already(key, event, now) {
            return self.tasks.wake(key, why);
        }
        if let Some(slot) = self.tasks.get_mut(key) {
            slot.timer = at.map(|at| self.timers.arm(at, Owner::Task(key)));
        }
        self.tasks.wait(key, event);
    }

    /// Why a wait would end at once, if it would.
    fn ended_already(&mut self, key: Key, event: Event, now: Time) -> Option<Why> {
        match event {
            Event::Sleep(until) => (until.time(now) <= now).then_some(Why::Elapsed),
            Event::Reply(ticket) => {
                let over = self.clients.is_done(ticket) || self.clients.asker(ticket).is_none();
                over.then_some(Why::Reply(ticket))
            }
            Event::Stream(stream, direction) => self
                .port_is_ready(stream.key(), direction, key)
                .then_some(Why::Ready),
            Event::Accept(listener) => self
                .port_is_ready(listener.key(), Direction::Read, key)
                .then_some(Why::Ready),
            Event::Join(task) => match self.outcome(task.0) {
                Some(outcome) => Some(Why::Joined(outcome.err())),
                None => {
                    let slot = self.tasks.get_mut(task.0)?;
                    slot.joiners.get_or_insert_default().push(key);
                    None
                }
            },
            Event::Notify | Event::Done => None,
        }
    }

    /// Ends a wait because what it waits for has happened.
    pub(super) fn wake(&mut self, key: Key, why: Why) {
        if let Some(slot) = self.tasks.get_mut(key) {
            self.timers.disarm(&mut slot.timer);
        }
        self.tasks.wake(key, why);
    }

    /// Takes back everything that a waiting task has set up to be woken. It is *running* afterwards.
    pub(super) fn interrupt_wait(&mut self, key: Key) {
        let Some(event) = self.tasks.waits_for(key) else {
            return;
        };
        if let Some(slot) = self.tasks.get_mut(key) {
            self.timers.disarm(&mut slot.timer);
        }
        match event {
            Event::Reply(ticket) => {
                self.clients.abandon(ticket, &mut self.timers);
                if let Some(slot) = self.tasks.get_mut(key) {
                    slot.requests -= 1;
                }
            }
            Event::Join(task) => {
                if let Some(joiners) = self
                    .tasks
                    .get_mut(task.0)
                    .and_then(|slot| slot.joiners.as_mut())
                {
                    joiners.retain(|&joiner| joiner != key);
                }
            }
            _ => {}
        }
        self.tasks.stop_waiting(key);
    }

    /// The timer of a task has fired: its sleep is over, or its wait has lasted too long.
    pub(super) fn task_due(&mut self, key: Key) {
        if let Some(slot) = self.tasks.get_mut(key) {
            slot.timer = None;
        }
        match self.tasks.waits_for(key) {
            Some(Event::Sleep(_)) => self.tasks.wake(key, Why::Elapsed),
            Some(_) => {
                self.interrupt_wait(key);
                self.tasks.wake(key, Why::Deadline);
            }
            None => {}
        }
    }

    /// Resumes a task whose turn has come.
    pub(super) fn resume(&mut self, key: Key, why: Why) {
        let Some(slot) = self.tasks.get_mut(key) else {
            return;
        };
        slot.state = State::Running;
        let started = !matches!(why, Why::Start);
        let killed = slot.killed;
        let Some(mut task) = slot.task.take() else {
            self.main_wake = Some(self.wake_for(key, why));
            return;
        };
        if killed && !started {
            return self.end(key, Ok(()));
        }
        let wake = self.wake_for(key, if killed { Why::Killed } else { why });
        self.stats.resumptions += 1;
        self.running = Some(key);
        let result = catch_unwind(AssertUnwindSafe(|| task.resume(self, wake)));
        self.running = None;
        let result = result.unwrap_or_else(|panic| Err(panicked(&*panic)));
        let Some(slot) = self.tasks.get_mut(key) else {
            return;
        };
        match result {
            _ if killed => self.end(key, Ok(())),
            Err(error) => self.end(key, Err(error)),
            Ok(_) if slot.killed => self.end(key, Ok(())),
            Ok(Wait {
                event: Event::Done, ..
            }) => self.end(key, Ok(())),
            Ok(wait) => {
                slot.task = Some(task);
                self.begin_wait(key, wait);
            }
        }
    }

    fn wake_for(&mut self, key: Key, why: Why) -> Wake {
        match why {
            Why::Start => Wake::Start,
            Why::Elapsed => Wake::Elapsed,
            Why::Ready => Wake::Ready,
            Why::Notified => Wake::Notified,
            Why::Deadline => Wake::Deadline,
            Why::Killed => Wake::Killed,
            Why::Joined(error) => Wake::Joined(error.map_or(Ok(()), Err)),
            Why::Reply(ticket) => {
                let stale = || Err(Error::new(ErrorKind::Misuse, "there is no such request"));
                let result = self.clients.take(ticket);
                if let (Some(_), Some(slot)) = (&result, self.tasks.get_mut(key)) {
                    slot.requests -= 1;
                }
                Wake::Reply(result.unwrap_or_else(stale))
            }
        }
    }

    /// Ends a task: frees what it held, and tells those who wait for its end.
    fn end(&mut self, key: Key, outcome: Result<()>) {
        let Some(slot) = self.tasks.get_mut(key) else {
            return;
        };
        let (requests, stream) = (slot.requests, slot.stream.take());
        let (spawned_at, detached) = (slot.spawned_at, slot.detached);
        let joiners = slot
            .joiners
            .take()
            .map(|joiners| *joiners)
            .unwrap_or_default();
        if requests > 0 {
            self.clients.abandon_all_of(key, &mut self.timers);
        }
        self.close_ports_of(stream);
        let error = outcome.err();
        if let Some(error) = &error {
            self.stats.failures += 1;
            (self.on_error)(&Failure {
                task: TaskId(key),
                spawned_at,
                error: error.clone(),
            });
        }
        match &error {
            Some(error) if joiners.is_empty() && !detached => {
                if let Some(slot) = self.tasks.get_mut(key) {
                    slot.state = State::Failed(error.clone());
                    slot.task = None;
                }
            }
            _ => drop(self.tasks.remove(key)),
        }
        for joiner in joiners {
            self.wake(joiner, Why::Joined(error.clone()));
        }
    }

    /// How a task has ended; `None` while it has not. A failure is told once.
    pub(super) fn outcome(&mut self, key: Key) -> Option<Result<()>> {
        match self.tasks.get(key) {
            None => Some(Ok(())),
            Some(Slot {
                state: State::Failed(_),
                ..
            }) => match self.tasks.remove(key)?.state {
                State::Failed(error) => Some(Err(error)),
                _ => None,
            },
            Some(_) => None,
        }
    }
}

impl Until {
    fn time(self, now: Time) -> Time {
        match self {
            Until::After(duration) => now + duration,
            Until::At(time) => time,
        }
    }
}

/// What the hub does about a failure unless told otherwise.
pub(super) fn log_failure(failure: &Failure) {
    let Failure {
        task,
        spawned_at,
        error,
    } = failure;
    log::error!("{task:?}, spawned at {spawned_at}, failed: {error}");
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(
        ErrorKind::Task,
        format!("panicked: {}", text.unwrap_or("(no message)")),
    )
}
