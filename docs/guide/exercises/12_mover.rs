//! Chapter 12, exercise 3, difficulty 3: a task with two states.
//!
//! The task pops from the list `from` (`BRPOP`, without a timeout), pushes the element to the head of the list `to` (`LPUSH`), waits for the reply, counts it
//! in `moved`, and begins again. The element "stop" is not moved: it ends the task.
//!
//! Somebody may notify the task at any moment. That means nothing to it, but it has ended the wait: what was asked is still under way, and its
//! reply must not be lost. [`Wait::ticket`] tells which request a wait is for, and [`Wait::reply`] waits for it again.
//!
//! An error of a reply ends the task, as does any other wake ([`Wake::unexpected`]).

use greenroom::{Hub, Redis, Result, Task, Timeout, Wait, Wake};
use std::cell::Cell;
use std::rc::Rc;

pub struct Mover {
    redis: Redis,
    from: &'static str,
    to: &'static str,
    moved: Rc<Cell<u32>>,
}

impl Mover {
    pub fn new(redis: Redis, from: &'static str, to: &'static str, moved: Rc<Cell<u32>>) -> Mover {
        Mover {
            redis,
            from,
            to,
            moved,
        }
    }
}

impl Task for Mover {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        todo!("woken with {wake:?}")
    }
}
