//! A job's way out of the processing list.
//!
//! Nothing here may lose a job, and so a job may be done twice. When the server has certainly not done what it was asked, it is
//! asked again. When the connection was lost with the answer, nobody knows, and asking again could do harm: the
//! second `LREM` would remove another job with equal text, while it is still worked on. The job is let go then. If it was not
//! removed, it stands in the processing list without an owner, and the [sweep](super::sweep) or the next start
//! brings it back: it is done *at least* once.

use super::crew::{Crew, Pause};
use super::queue::removed;
use bytes::Bytes;
use greenroom::{Hub, Reply, Result, Ticket, Wait, Wake};
use log::warn;
use std::rc::Rc;

/// What becomes of a job.
#[derive(Debug)]
pub(crate) enum End {
    Done,
    /// It is tried again, as this.
    Again(Bytes),
    /// It has failed for the last time.
    Dead(Bytes),
}

/// See the [module](self).
pub(crate) struct Settling {
    crew: Rc<Crew>,
    job: Bytes,
    end: End,
    asked: Option<Ticket>,
    pause: Pause,
}

impl Settling {
    pub(crate) fn new(crew: Rc<Crew>, job: Bytes, end: End) -> Settling {
        Settling {
            crew,
            job,
            end,
            asked: None,
            pause: Pause::new(),
        }
    }

    /// Goes on, in the task that has it, after its last wait. `None` when it is over.
    pub(crate) fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Option<Wait>> {
        match (wake, self.asked) {
            // The shutdown: there is an answer to come.
            (Wake::Notified, Some(ticket)) => Ok(Some(Wait::reply(ticket))),
            (Wake::Reply(reply), _) => Ok(self.answered(hub, reply)),
            _ => self.ask(hub).map(Some),
        }
    }

    fn ask(&mut self, hub: &mut Hub) -> Result<Wait> {
        let queue = &self.crew.queue;
        let wait = match &self.end {
            End::Done => queue.acknowledge(hub, &self.job),
            End::Again(after) => queue.again(hub, &self.job, after),
            End::Dead(after) => queue.bury(hub, &self.job, after),
        }?;
        self.asked = wait.ticket();
        Ok(wait)
    }

    fn answered(&mut self, hub: &mut Hub, reply: Result<Reply>) -> Option<Wait> {
        self.asked = None;
        match reply.and_then(removed) {
            Ok(0) => warn!(
                target: "worker",
                "A job was not in the processing list any more: does another worker have this name?"
            ),
            Ok(_) => {}
            Err(error) => {
                self.crew.complain(hub, &error);
                if !error.maybe_executed() {
                    return Some(Wait::sleep(self.pause.next()));
                }
            }
        }
        self.crew.release(&self.job);
        None
    }
}
