//! Chapter 12, exercise 3: a task with two states.

use greenroom::{Hub, Redis, Result, Task, Ticket, Timeout, Wait, Wake};
use std::cell::Cell;
use std::rc::Rc;

pub struct Mover {
    redis: Redis,
    from: &'static str,
    to: &'static str,
    moved: Rc<Cell<u32>>,
    /// The state: what it waits for is the reply to a push, or to a pop.
    pushes: bool,
    /// The request under way.
    ticket: Option<Ticket>,
}

impl Mover {
    pub fn new(redis: Redis, from: &'static str, to: &'static str, moved: Rc<Cell<u32>>) -> Mover {
        Mover {
            redis,
            from,
            to,
            moved,
            pushes: false,
            ticket: None,
        }
    }

    fn pop(&mut self, hub: &mut Hub) -> Result<Wait> {
        self.pushes = false;
        self.redis.brpop(hub, self.from, Timeout::Forever)
    }
}

impl Task for Mover {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        let wait = match (wake, self.ticket) {
            (Wake::Start, _) => self.pop(hub)?,
            (Wake::Notified, Some(ticket)) => Wait::reply(ticket),
            (Wake::Notified, None) => self.pop(hub)?,
            (Wake::Reply(reply), _) if self.pushes => {
                reply?.to::<i64>()?;
                self.moved.set(self.moved.get() + 1);
                self.pop(hub)?
            }
            (wake, _) => {
                let (_list, element): (String, String) = wake.reply()?.to()?;
                if element == "stop" {
                    return Ok(Wait::done());
                }
                self.pushes = true;
                self.redis.lpush(hub, self.to, element)?
            }
        };
        self.ticket = wait.ticket();
        Ok(wait)
    }
}
