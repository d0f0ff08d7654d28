//! Chapter 9, exercise 2, difficulty 2: a wait ends once.
//!
//! A task runs, waits for an event, or stands in the line with the reason that has ended its wait. `wake` ends the wait of a task: it goes to
//! the end of the line. `resume` takes the first from the line: it runs now. `wait` is what it returns then: it waits for an event, and may
//! have a timer.
//!
//! - A wait ends once. Who comes second (the deadline, when the event was first) changes nothing.
//! - An event ends a wait only if the task waits for it: what comes late for an earlier wait changes nothing. Any other reason ends every wait.
//! - A task that runs is not woken by events and deadlines. A `Notified` is remembered, and ends its next wait at once; several count as one.
//! - `wake` returns the timer that is to be disarmed; but not that of a wait that its own deadline has ended.

use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What has happened, by a number.
    Event(u32),
    Deadline,
    Notified,
}

#[derive(Default)]
pub struct Tasks {
    /// Which event each task waits for, and with which timer.
    waits: Vec<Option<(u32, Option<u32>)>>,
    line: VecDeque<(usize, Why)>,
}

impl Tasks {
    /// So many tasks, which all run.
    pub fn new(count: usize) -> Tasks {
        Tasks {
            waits: vec![None; count],
            line: VecDeque::new(),
        }
    }

    /// A task that runs begins to wait.
    pub fn wait(&mut self, task: usize, event: u32, timer: Option<u32>) {
        self.waits[task] = Some((event, timer));
    }

    /// Something ends the wait of a task. Returns the timer that is to be disarmed.
    pub fn wake(&mut self, task: usize, why: Why) -> Option<u32> {
        self.line.push_back((task, why));
        None
    }

    /// The task whose turn it is.
    pub fn resume(&mut self) -> Option<(usize, Why)> {
        self.line.pop_front()
    }
}
