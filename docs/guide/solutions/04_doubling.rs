//! Chapter 4, exercise 3: a task with a state.

use greenroom::{Hub, Result, Task, Time, Wait, Wake};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

pub struct Doubling {
    /// How long it sleeps next, and how often it will.
    sleep: Duration,
    left: u32,
    notes: Rc<RefCell<Vec<Time>>>,
}

impl Doubling {
    /// A task that puts the times into `notes`.
    pub fn new(first: Duration, times: u32, notes: Rc<RefCell<Vec<Time>>>) -> Doubling {
        Doubling {
            sleep: first,
            left: times,
            notes,
        }
    }
}

impl Task for Doubling {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        match wake {
            Wake::Start => {}
            Wake::Elapsed => self.notes.borrow_mut().push(hub.now()),
            other => return Err(other.unexpected()),
        }
        if self.left == 0 {
            return Ok(Wait::done());
        }
        let sleep = self.sleep;
        self.left -= 1;
        self.sleep *= 2;
        Ok(Wait::sleep(sleep))
    }
}
