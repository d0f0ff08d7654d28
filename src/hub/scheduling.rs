//! How a wait begins and ends, and how a task runs and ends.

use super::arenas::Out;
use super::failure::Failure;
use super::ids::TaskId;
use super::task::{Direction, Event, Until, Wait, Wake};
use super::tasks::{State, Why};
use super::{Hub, Result};
use crate::client::{CancelCause, CancelResult, Completion};
use crate::error::{Error, ErrorKind};
use crate::time::Time;
use crate::token::{Key, Owner};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

impl Hub {
    /// Begins a wait of a task that runs, or puts the task in line when the wait has ended already.
    pub(super) fn begin_wait(&mut self, key: Key, wait: Wait) {
        let now = self.timers.now();
        let deadline = wait.deadline.map(|until| until.time(now));
        let (event, at) = match wait.event {
            Event::Sleep(until) => match (until.time(now), deadline) {
                (at, Some(deadline)) if deadline < at => (Event::Notify, Some(deadline)),
                (at, _) => (wait.event, Some(at)),
            },
            event => (event, deadline),
        };
        if self.is_observed {
            self.tell_wait(key, event, at);
        }
        match self.ended_already(key, event, now) {
            Some(why) => self.tasks.line_up(key, why),
            None => {
                let timer = at.map(|at| self.timers.arm(at, Owner::Task(key)));
                self.tasks.wait(key, event, timer, now);
            }
        }
    }

    /// Why a wait would end at once, if it would.
    fn ended_already(&mut self, key: Key, event: Event, now: Time) -> Option<Why> {
        match event {
            Event::Sleep(until) => (until.time(now) <= now).then_some(Why::Elapsed),
            Event::Reply(ticket) => {
                let pending = self.clients.await_reply(ticket, Some(key));
                (!pending).then_some(Why::Reply(ticket))
            }
            Event::Stream(stream, direction) => self
                .port_is_ready(stream.key(), direction, key)
                .then_some(Why::Ready),
            Event::Accept(listener) => self
                .port_is_ready(listener.key(), Direction::Read, key)
                .then_some(Why::Ready),
            Event::Join(task) => match self.outcome(task.0) {
                Some(outcome) => Some(Why::Joined(outcome)),
                None => {
                    let slot = self.tasks.get_mut(task.0)?;
                    slot.joiners.get_or_insert_default().push(key);
                    None
                }
            },
            Event::Notify => None,
            // Only main can come here: a task that is done has ended.
            Event::Done => Some(Why::Elapsed),
        }
    }

    /// Ends a wait, whatever for.
    pub(super) fn wake(&mut self, key: Key, why: Why) {
        let mut timer = self.tasks.wake(key, why, None);
        self.timers.disarm(&mut timer);
    }

    /// Ends a wait if it is for this event.
    pub(super) fn wake_from(&mut self, key: Key, event: Event, why: Why) {
        let mut timer = self.tasks.wake(key, why, Some(event));
        self.timers.disarm(&mut timer);
    }

    /// Gives up what a task waits for, which will not be waited for again.
    pub(super) fn give_up(&mut self, key: Key) {
        match self.tasks.waits_for(key) {
            // Somebody else may wait for it by now.
            Some(Event::Reply(ticket)) if self.clients.waiter(ticket) != Some(key) => {}
            Some(Event::Reply(ticket)) => self.clients.drop_request(ticket, &mut self.timers),
            Some(event) => self.leave_join(key, event),
            None => {}
        }
    }

    /// Takes a task out of the list of those that wait for the end of another.
    pub(super) fn leave_join(&mut self, key: Key, event: Event) {
        let Event::Join(task) = event else {
            return;
        };
        let slot = self.tasks.get_mut(task.0);
        let Some(slot) = slot else {
            return;
        };
        if let Some(joiners) = &mut slot.joiners {
            joiners.retain(|&joiner| joiner != key);
            if joiners.is_empty() {
                // Nobody is told of its failure any more: it is kept for who asks next.
                slot.joiners = None;
            }
        }
    }

    /// The timer of a task has fired: its sleep is over, or its wait has lasted too long.
    pub(super) fn task_due(&mut self, key: Key) {
        if let Some(slot) = self.tasks.get_mut(key) {
            slot.timer = None;
        }
        if let Some(Event::Sleep(_)) = self.tasks.waits_for(key) {
            return self.wake(key, Why::Elapsed);
        }
        if self.takes_back(key) {
            // The answer says whether the deadline has passed in time.
            return;
        }
        self.give_up(key);
        self.wake(key, Why::Deadline);
    }

    /// Whether what a task waits for is being taken back, so that it waits on.
    fn takes_back(&mut self, key: Key) -> bool {
        let Some(Event::Reply(ticket)) = self.tasks.waits_for(key) else {
            return false;
        };
        self.clients.waiter(ticket) == Some(key)
            && self
                .clients
                .cancel(ticket, CancelCause::Task, &mut self.timers)
                == CancelResult::Pending
    }

    /// The same, but what the task waits for may have come already.
    pub(super) fn task_due_later(&mut self, key: Key, after: Duration) {
        let timer = self.timers.arm(self.timers.now() + after, Owner::Task(key));
        if let Some(slot) = self.tasks.get_mut(key) {
            slot.timer = Some(timer);
        }
    }

    /// Whether a task waits for something that the kernel may have reported already.
    pub(super) fn waits_for_io(&self, key: Key) -> bool {
        let event = self.tasks.waits_for(key);
        matches!(
            event,
            Some(Event::Reply(_) | Event::Stream(..) | Event::Accept(_))
        )
    }

    /// Main does not wait any longer, for nothing can end its wait.
    pub(super) fn unwait_main(&mut self) {
        self.give_up(self.main);
        let mut timer = self.tasks.stop_waiting(self.main);
        self.timers.disarm(&mut timer);
    }

    /// Resumes a task whose turn has come.
    pub(super) fn resume(&mut self, key: Key, why: Why) {
        let Some(slot) = self.tasks.get_mut(key) else {
            return;
        };
        slot.state = State::Running;
        let (killed, home) = (slot.killed, slot.home);
        if home.is_some() {
            self.watchdog.resumes(key, slot.spawned_at);
        }
        let starts = matches!(why, Why::Start);
        let wake = self.wake_for(if killed { Why::Killed } else { why });
        if self.is_observed && !(killed && starts) {
            self.tell_resumed(key, &wake);
        }
        let Some(home) = home else {
            self.main_wake = Some(wake);
            return;
        };
        let Some(mut task) = self.arenas.take(home) else {
            return;
        };
        if killed && starts {
            if self.is_observed {
                self.tell_end(key, &Ok(()), false);
            }
            return self.end(key, task, Ok(()));
        }
        self.stats.resumptions += 1;
        self.running = Some(key);
        self.asked = (0, None);
        let result = catch_unwind(AssertUnwindSafe(|| task.resume(self, wake)));
        self.running = None;
        let panics = result.is_err();
        let Some(slot) = self.tasks.get_mut(key) else {
            return self.arenas.put_back(task);
        };
        let outcome = match result {
            Err(panic) => Err(panicked(&*panic)),
            _ if killed || slot.killed => Ok(()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(wait)) if wait.event == Event::Done => Ok(()),
            Ok(Ok(wait)) => {
                self.arenas.put_back(task);
                let notified = std::mem::take(&mut slot.notified);
                let (asked, last) = self.asked;
                let awaits_all = asked == 1 && wait.ticket() == last && !notified;
                slot.loose |= asked > 0 && !awaits_all;
                return match notified {
                    true => self.tasks.line_up(key, Why::Notified),
                    false => self.begin_wait(key, wait),
                };
            }
        };
        slot.loose |= self.asked.0 > 0;
        if self.is_observed {
            self.tell_end(key, &outcome, panics);
        }
        self.end(key, task, outcome);
    }

    fn wake_for(&mut self, why: Why) -> Wake {
        match why {
            Why::Reply(ticket) => match self.clients.take(ticket) {
                // Only a deadline cancels what a task still waits for.
                Some(Completion::Cancelled) => Wake::Deadline,
                Some(Completion::Reply(result)) => Wake::Reply(result),
                None => {
                    let message = "there is no such request";
                    Wake::Reply(Err(Error::new(ErrorKind::Misuse, message)))
                }
            },
            Why::Start => Wake::Start,
            Why::Elapsed => Wake::Elapsed,
            Why::Ready => Wake::Ready,
            Why::Notified => Wake::Notified,
            Why::Deadline => Wake::Deadline,
            Why::Killed => Wake::Killed,
            Why::Joined(outcome) => Wake::Joined(outcome),
        }
    }

    /// Ends a task: frees what it held, and tells those who wait for its end.
    fn end(&mut self, key: Key, mut task: Out, outcome: Result<()>) {
        let Some(slot) = self.tasks.remove(key) else {
            return;
        };
        if slot.loose {
            self.clients.drop_requests_of(key, &mut self.timers);
        }
        if !self.undelivered_in_hook.is_empty() {
            self.return_undelivered(key);
        }
        self.close_ports_of(slot.port);
        if catch_unwind(AssertUnwindSafe(|| task.drop_task())).is_err() {
            log::error!("{:?} panicked while it was dropped", TaskId(key));
        }
        self.arenas.put_back(task);
        let keeps = slot.joiners.is_none() && !slot.detached;
        for joiner in slot.joiners.into_iter().flat_map(|joiners| *joiners) {
            let why = Why::Joined(outcome.clone());
            self.wake_from(joiner, Event::Join(TaskId(key)), why);
        }
        if let Err(error) = outcome {
            if keeps {
                self.tasks.failures.insert(key.to_usize(), error.clone());
            }
            self.report(Failure {
                task: TaskId(key),
                spawned_at: slot.spawned_at,
                error,
            });
        }
    }

    fn report(&mut self, failure: Failure) {
        self.stats.failures += 1;
        let told = catch_unwind(AssertUnwindSafe(|| (self.on_error)(&failure)));
        if told.is_err() {
            log::error!(
                "the error hook panicked at the failure of {:?}",
                failure.task
            );
        }
    }

    /// How a task has ended; `None` while it has not. A failure is told once.
    pub(super) fn outcome(&mut self, key: Key) -> Option<Result<()>> {
        match self.tasks.get(key) {
            Some(_) => None,
            None => Some(self.tasks.failure(key).map_or(Ok(()), Err)),
        }
    }
}

impl Until {
    fn time(self, now: Time) -> Time {
        match self {
            Until::After(nanos) => now.after_nanos(nanos),
            Until::At(time) => time,
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(
        ErrorKind::Task,
        format!("panicked: {}", text.unwrap_or("(no message)")),
    )
}
