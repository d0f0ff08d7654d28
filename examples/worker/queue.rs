//! The lists, and every step that a job makes between them.
//!
//! ```text
//!                    BLMOVE (take)                      LREM (acknowledge)
//!   producers ─► QUEUE ───────────► QUEUE:processing:NAME ───────────────► gone
//!                 ▲  ▲                 │     │
//!                 │  └─── MULTI again ─┘     └─ MULTI bury ─► QUEUE:dead
//!                 └────── LMOVE (recover) ───┘
//! ```
//!
//! At every moment a job stands in a list, in at least one: each arrow is one command or one transaction, so that a worker may
//! die anywhere in between. New jobs come in on the left of the queue and are taken from its right.

use greenroom::resp::Value;
use greenroom::{Command, Error, Hub, Pipeline, Redis, Reply, Result, Side, Timeout, Wait, secs};
use std::time::Duration;

/// How long a take waits in the server. It ends then only to be asked again: whoever waits for ever does not notice a
/// server whose machine has vanished.
pub(crate) const TAKE: Duration = secs(2);

/// The lists of one worker, and the server that has them.
#[derive(Debug)]
pub(crate) struct Queue {
    redis: Redis,
    waiting: String,
    processing: String,
    dead: String,
}

impl Queue {
    pub(crate) fn new(redis: Redis, queue: &str, worker: &str) -> Queue {
        Queue {
            redis,
            waiting: queue.to_owned(),
            processing: format!("{queue}:processing:{worker}"),
            dead: format!("{queue}:dead"),
        }
    }

    /// Makes sure that these are lists, as far as there is anything. For main.
    ///
    /// # Errors
    ///
    /// Those of the connection too: this is the first that the server is asked. A transaction is not undone when one of its
    /// commands fails, so that a push into something else would be found out when the job is removed already.
    pub(crate) fn check(&self, hub: &mut Hub) -> Result<()> {
        for key in [&self.waiting, &self.processing, &self.dead] {
            let asked = self.redis.send(hub, Command::new("LLEN").arg(key))?;
            let told = |error: Error| Error::new(error.kind(), format!("{key}: {error}"));
            hub.wait(asked)?
                .reply()
                .map_err(|error| match error.code() {
                    Some("WRONGTYPE") => told(error),
                    _ => error,
                })?;
        }
        Ok(())
    }

    /// Takes the next job, which stands in the processing list from then on.
    pub(crate) fn take(&self, hub: &mut Hub) -> Result<Wait> {
        let from = (&self.waiting, Side::Right);
        let to = (&self.processing, Side::Left);
        self.redis.blmove(hub, from, to, Timeout::After(TAKE))
    }

    /// Removes a job that is done.
    pub(crate) fn acknowledge(&self, hub: &mut Hub, job: &[u8]) -> Result<Wait> {
        self.redis.send(hub, self.remove(job))
    }

    /// Puts a job back as `after`: behind all others, since it is not its fault alone that they wait.
    pub(crate) fn again(&self, hub: &mut Hub, job: &[u8], after: &[u8]) -> Result<Wait> {
        let push = Command::new("LPUSH").arg(&self.waiting).arg(after);
        self.replace(hub, push, job)
    }

    /// Puts a job where people look after it, or nobody does.
    pub(crate) fn bury(&self, hub: &mut Hub, job: &[u8], after: &[u8]) -> Result<Wait> {
        let push = Command::new("LPUSH").arg(&self.dead).arg(after);
        self.replace(hub, push, job)
    }

    /// Puts a job back as it is, to be taken next.
    pub(crate) fn give_back(&self, hub: &mut Hub, job: &[u8]) -> Result<Wait> {
        let push = Command::new("RPUSH").arg(&self.waiting).arg(job);
        self.replace(hub, push, job)
    }

    /// It is pushed before it is removed: a server that refuses `MULTI` but not what follows would then have it twice and not
    /// lose it.
    fn replace(&self, hub: &mut Hub, push: Command, job: &[u8]) -> Result<Wait> {
        let transaction = Pipeline::new()
            .command(Command::new("MULTI"))
            .command(push)
            .command(self.remove(job))
            .command(Command::new("EXEC"));
        self.redis.send_all(hub, transaction)
    }

    /// Takes an element away from the head, where the youngest stand.
    fn remove(&self, job: &[u8]) -> Command {
        Command::new("LREM").arg(&self.processing).arg(1).arg(job)
    }

    /// The jobs in the processing list: `Vec<Bytes>`.
    pub(crate) fn processing(&self, hub: &mut Hub) -> Result<Wait> {
        let range = Command::new("LRANGE").arg(&self.processing);
        self.redis.send(hub, range.arg(0).arg(-1))
    }

    /// How many jobs wait.
    pub(crate) fn length(&self, hub: &mut Hub) -> Result<Wait> {
        let length = Command::new("LLEN").arg(&self.waiting);
        self.redis.send(hub, length)
    }

    /// How many jobs wait and how many are being processed, at one moment: see [`is_empty`]. Two questions would overlook
    /// a job that goes back in between.
    pub(crate) fn lengths(&self, hub: &mut Hub) -> Result<Wait> {
        let both = Pipeline::new()
            .command(Command::new("MULTI"))
            .command(Command::new("LLEN").arg(&self.waiting))
            .command(Command::new("LLEN").arg(&self.processing))
            .command(Command::new("EXEC"));
        self.redis.send_all(hub, both)
    }

    /// Adds jobs. For main.
    pub(crate) fn push(&self, hub: &mut Hub, jobs: &[String]) -> Result<()> {
        let pushed = self.redis.lpush(hub, &self.waiting, jobs)?;
        hub.wait(pushed)?.reply().map(drop)
    }

    /// Puts back whatever stands in the processing list, and says how much that was. The youngest goes first, so
    /// that the oldest is taken first again. For main, while nothing is taken.
    pub(crate) fn recover(&self, hub: &mut Hub) -> Result<u64> {
        let mut count = 0;
        loop {
            let step = Command::new("LMOVE")
                .arg(&self.processing)
                .arg(&self.waiting)
                .arg(Side::Left)
                .arg(Side::Right);
            let asked = self.redis.send(hub, step)?;
            if hub.wait(asked)?.reply()?.is_none() {
                return Ok(count);
            }
            count += 1;
        }
    }
}

/// How often the job was removed: the reply to an `LREM`, or to a transaction that ends with one.
///
/// # Errors
///
/// The first thing that the server has refused.
pub(crate) fn removed(reply: Reply) -> Result<i64> {
    match reply.value() {
        Value::Array(_) => {
            let (.., (_, removed)) = reply.to::<((), (), (), (i64, i64))>()?;
            Ok(removed)
        }
        _ => reply.to(),
    }
}

/// The reply to [`Queue::lengths`].
pub(crate) fn is_empty(reply: Reply) -> Result<bool> {
    let (.., lengths) = reply.to::<((), (), (), (i64, i64))>()?;
    Ok(lengths == (0, 0))
}
