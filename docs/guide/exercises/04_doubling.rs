//! Chapter 4, exercise 3, difficulty 2: a task with a state.
//!
//! The task sleeps `first`, then twice as long, then twice as long again, `times` sleeps in all, and takes down the time after each of
//! them. Then it is done. With `times` 0 it is done at once.
//!
//! There is no loop in it: each `resume` is one step, and the fields remember which. A wake that it cannot mean (anything but `Start`
//! and `Elapsed`) ends it with the error [`Wake::unexpected`].

use greenroom::{Hub, Result, Task, Time, Wait, Wake};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

pub struct Doubling {
    notes: Rc<RefCell<Vec<Time>>>,
}

impl Doubling {
    /// A task that puts the times into `notes`.
    pub fn new(first: Duration, times: u32, notes: Rc<RefCell<Vec<Time>>>) -> Doubling {
        Doubling { notes }
    }
}

impl Task for Doubling {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        Ok(Wait::done())
    }
}
