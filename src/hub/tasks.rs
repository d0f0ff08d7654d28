//! The table of tasks, and the line of those that are ready.
//!
//! ```text
//!                     a wait that has ended already
//!                   ┌────────────────────────────┐
//!  spawn            ▼          its turn comes    │          returns Wait::done(), an error, or panics
//!  ──────────► in the line ──────────────────► running ─────────────────────────────────────────────► ended
//!                   ▲                            │
//!                   │   event, deadline,         │ returns any other Wait
//!                   │   notify, kill             ▼
//!                   └───────────────────────── waiting
//! ```
//!
//! A task stands in the line at most once, with the one reason that has ended its wait. That is what makes
//! *exactly one of event, deadline, notify and kill* true: whichever comes first moves the task from *waiting*
//! to the line, and finds it there no more when it comes second.

use super::task::{Event, Task, TaskId};
use crate::conn::Ticket;
use crate::error::Error;
use crate::token::{Key, Slots};
use crate::wheel::Timer;
use std::collections::VecDeque;
use std::panic::Location;

/// All tasks of a hub.
pub(super) struct Tasks {
    slots: Slots<Slot>,
    line: VecDeque<(Key, Why)>,
    /// How many tasks wait for a stream or a listener.
    pub(super) waiting_for_io: usize,
}

pub(super) struct Slot {
    /// Out while it is resumed. Main has none.
    pub(super) task: Option<Box<dyn Task>>,
    pub(super) state: State,
    /// The end of a sleep, or the deadline of a wait.
    pub(super) timer: Option<Timer>,
    pub(super) spawned_at: &'static Location<'static>,
    /// Who waits for the end of this task.
    pub(super) joiners: Option<Box<Vec<Key>>>,
    /// The streams that it owns: the first of a list.
    pub(super) stream: Option<Key>,
    /// Requests of which it has not taken the result.
    pub(super) requests: u32,
    /// Somebody has notified it while it did not wait.
    pub(super) notified: bool,
    pub(super) killed: bool,
    /// Nobody will join it: its failure need not be kept.
    pub(super) detached: bool,
}

pub(super) enum State {
    InLine,
    Running,
    Waiting(Event),
    /// Ended with an error that nobody has joined yet.
    Failed(Error),
}

/// Why a wait has ended: what becomes a `Wake` when the task's turn comes.
#[derive(Debug)]
pub(super) enum Why {
    Start,
    Reply(Ticket),
    Elapsed,
    Ready,
    Joined(Option<Error>),
    Notified,
    Deadline,
    Killed,
}

impl Tasks {
    pub(super) fn new() -> Tasks {
        Tasks {
            slots: Slots::roomy(),
            line: VecDeque::new(),
            waiting_for_io: 0,
        }
    }

    pub(super) fn add(
        &mut self,
        task: Option<Box<dyn Task>>,
        spawned_at: &'static Location<'static>,
    ) -> Key {
        self.slots.insert(Slot {
            task,
            state: State::Running,
            timer: None,
            spawned_at,
            joiners: None,
            stream: None,
            requests: 0,
            notified: false,
            killed: false,
            detached: false,
        })
    }

    pub(super) fn get(&self, key: Key) -> Option<&Slot> {
        self.slots.get(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Slot> {
        self.slots.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Slot> {
        self.slots.remove(key)
    }

    /// How many tasks there are that have not ended, main not counted.
    pub(super) fn alive(&self) -> usize {
        let failed = |slot: &Slot| matches!(slot.state, State::Failed(_));
        self.slots.iter().filter(|(_, slot)| !failed(slot)).count() - 1
    }

    pub(super) fn in_line(&self) -> usize {
        self.line.len()
    }

    pub(super) fn next_in_line(&mut self) -> Option<(Key, Why)> {
        self.line.pop_front()
    }

    /// What a task waits for, if it waits.
    pub(super) fn waits_for(&self, key: Key) -> Option<Event> {
        match self.slots.get(key)?.state {
            State::Waiting(event) => Some(event),
            _ => None,
        }
    }

    /// Starts a wait. The task must be running.
    pub(super) fn wait(&mut self, key: Key, event: Event) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        debug_assert!(matches!(slot.state, State::Running));
        slot.state = State::Waiting(event);
        self.waiting_for_io += usize::from(is_io(event));
    }

    /// Takes a task out of its wait. It is running afterwards.
    pub(super) fn stop_waiting(&mut self, key: Key) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        if let State::Waiting(event) = slot.state {
            self.waiting_for_io -= usize::from(is_io(event));
            slot.state = State::Running;
        }
    }

    /// Ends a wait, whatever for, or sends a running task to the end of the line. The caller takes back the timer.
    pub(super) fn wake(&mut self, key: Key, why: Why) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        match slot.state {
            State::Waiting(event) => self.waiting_for_io -= usize::from(is_io(event)),
            State::Running => {}
            State::InLine | State::Failed(_) => return,
        }
        slot.state = State::InLine;
        self.line.push_back((key, why));
    }

    /// All tasks that have not ended, main not counted.
    pub(super) fn ids(&self) -> Vec<TaskId> {
        let alive = |slot: &Slot| slot.task.is_some() && !matches!(slot.state, State::Failed(_));
        self.slots
            .iter()
            .filter(|(_, slot)| alive(slot))
            .map(|(key, _)| TaskId(key))
            .collect()
    }
}

fn is_io(event: Event) -> bool {
    matches!(event, Event::Stream(..) | Event::Accept(_))
}
