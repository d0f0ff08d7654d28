//! Chapter 9, exercise 2: a wait ends once.

use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What has happened, by a number.
    Event(u32),
    Deadline,
    Notified,
}

#[derive(Clone, Copy)]
enum State {
    /// And whether somebody has notified it since it was resumed.
    Running(bool),
    Waiting(u32, Option<u32>),
    InLine,
}

pub struct Tasks {
    states: Vec<State>,
    line: VecDeque<(usize, Why)>,
}

impl Tasks {
    /// So many tasks, which all run.
    pub fn new(count: usize) -> Tasks {
        Tasks {
            states: vec![State::Running(false); count],
            line: VecDeque::new(),
        }
    }

    /// A task that runs begins to wait.
    pub fn wait(&mut self, task: usize, event: u32, timer: Option<u32>) {
        let notified = matches!(self.states[task], State::Running(true));
        self.states[task] = State::Waiting(event, timer);
        if notified {
            self.wake(task, Why::Notified);
        }
    }

    /// Something ends the wait of a task. Returns the timer that is to be disarmed.
    pub fn wake(&mut self, task: usize, why: Why) -> Option<u32> {
        match self.states[task] {
            State::Waiting(event, _) if matches!(why, Why::Event(other) if other != event) => None,
            State::Waiting(_, timer) => {
                self.states[task] = State::InLine;
                self.line.push_back((task, why));
                timer.filter(|_| why != Why::Deadline)
            }
            State::Running(_) if why == Why::Notified => {
                self.states[task] = State::Running(true);
                None
            }
            State::Running(_) | State::InLine => None,
        }
    }

    /// The task whose turn it is.
    pub fn resume(&mut self) -> Option<(usize, Why)> {
        let (task, why) = self.line.pop_front()?;
        self.states[task] = State::Running(false);
        Some((task, why))
    }
}
