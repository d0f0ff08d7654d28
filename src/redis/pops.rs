//! The commands that block.

use super::Redis;
use crate::client::{Command, Requeue, ToArgs};
use crate::error::Result;
use crate::hub::{Hub, Wait};
use crate::time::Timeout;

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The head, where `LPUSH` adds.
    Left,
    /// The tail, where `RPUSH` adds.
    Right,
}

/// Which members of a sorted set go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Those with the lowest scores.
    Min,
    /// Those with the highest scores.
    Max,
}

impl ToArgs for Side {
    fn add_to(&self, command: &mut Command) {
        match self {
            Side::Left => "LEFT",
            Side::Right => "RIGHT",
        }
        .add_to(command);
    }
}

/// Commands that block until there is something to pop. Each has a dedicated connection meanwhile.
///
/// Every one answers nil when its timeout has passed ([`Reply::is_none`](crate::Reply::is_none)),
/// up to 1000/`hz` ms late, which is 100 ms in Redis' default configuration. The client's own
/// deadline is [`Config::blocking_grace`](crate::Config::blocking_grace) later, and means that the
/// server is gone.
///
/// A pop without a timeout ([`Timeout::Forever`]) survives errors that prove that it was not
/// executed (`LOADING`, `NOREPLICAS`, `READONLY` and their like): it is sent again, with backoff.
/// With a timeout, it fails with the error.
///
/// A popped element exists only in the reply: if the connection breaks on the way, it is lost.
/// [`blmove`](Redis::blmove) keeps the element in a list at every moment.
impl Redis {
    /// Takes the last element of the first list that is not empty, or waits for one
    /// ([BRPOP](https://redis.io/docs/latest/commands/brpop/)). The reply is the list's name and the element:
    /// `Option<(Bytes, Bytes)>`.
    ///
    /// ```
    /// # use greenroom::{Endpoint, Hub, Redis, Timeout, Wait, Wake, ms, secs, server, sim::Sim};
    /// # let mut hub = Hub::simulated(&Sim::new(1));
    /// # let server = server::Server::new(&mut hub, server::Config::default());
    /// # server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// let pop = redis.brpop(&mut hub, "jobs", Timeout::After(ms(100)))?;
    /// assert!(hub.wait(pop)?.reply()?.is_none(), "nothing came");
    ///
    /// let push = redis.lpush(&mut hub, "jobs", "first")?;
    /// hub.wait(push)?.reply()?;
    /// let pop = redis.brpop(&mut hub, "jobs", Timeout::Forever)?;
    /// let (list, element): (String, String) = hub.wait(pop)?.reply()?.to()?;
    /// assert_eq!((list.as_str(), element.as_str()), ("jobs", "first"));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn brpop(&self, hub: &mut Hub, lists: impl ToArgs, timeout: Timeout) -> Result<Wait> {
        let command = self
            .command(hub, "BRPOP")
            .arg(lists)
            .arg(self.round(hub, timeout));
        self.block(hub, command, timeout, Requeue::RPush)
    }

    /// Takes the first element of the first list that is not empty, or waits for one
    /// ([BLPOP](https://redis.io/docs/latest/commands/blpop/)). The reply is as that of [`brpop`](Redis::brpop).
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn blpop(&self, hub: &mut Hub, lists: impl ToArgs, timeout: Timeout) -> Result<Wait> {
        let command = self
            .command(hub, "BLPOP")
            .arg(lists)
            .arg(self.round(hub, timeout));
        self.block(hub, command, timeout, Requeue::LPush)
    }

    /// Moves an element from one list to another, or waits for one
    /// ([BLMOVE](https://redis.io/docs/latest/commands/blmove/), Redis 6.2). The reply is the element:
    /// `Option<Bytes>`. Until it is removed there, the element is in the second list, whatever
    /// happens to this program or to the connection.
    ///
    /// ```
    /// # use greenroom::{Endpoint, Hub, Redis, Timeout, Wait, Wake, ms, secs, server, sim::Sim};
    /// # let mut hub = Hub::simulated(&Sim::new(1));
    /// # let server = server::Server::new(&mut hub, server::Config::default());
    /// # server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// use greenroom::Side;
    ///
    /// let push = redis.lpush(&mut hub, "jobs", "first")?;
    /// hub.wait(push)?.reply()?;
    /// // A worker that crashes now finds the job in the list of jobs that it has begun.
    /// let (from, to) = (("jobs", Side::Right), ("begun", Side::Left));
    /// let pop = redis.blmove(&mut hub, from, to, Timeout::After(secs(1)))?;
    /// let job: Option<String> = hub.wait(pop)?.reply()?.to()?;
    /// assert_eq!(job.as_deref(), Some("first"));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn blmove(
        &self,
        hub: &mut Hub,
        (from, from_side): (impl ToArgs, Side),
        (to, to_side): (impl ToArgs, Side),
        timeout: Timeout,
    ) -> Result<Wait> {
        let command = self
            .command(hub, "BLMOVE")
            .arg(from)
            .arg(to)
            .arg(from_side)
            .arg(to_side);
        self.block(
            hub,
            command.arg(self.round(hub, timeout)),
            timeout,
            Requeue::Nothing,
        )
    }

    /// Moves the last element of one list to the head of another, or waits for one
    /// ([BRPOPLPUSH](https://redis.io/docs/latest/commands/brpoplpush/)): [`blmove`](Redis::blmove) for servers
    /// before 6.2.
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn brpoplpush(
        &self,
        hub: &mut Hub,
        from: impl ToArgs,
        to: impl ToArgs,
        timeout: Timeout,
    ) -> Result<Wait> {
        let command = self
            .command(hub, "BRPOPLPUSH")
            .arg(from)
            .arg(to)
            .arg(self.round(hub, timeout));
        self.block(hub, command, timeout, Requeue::Nothing)
    }

    /// Takes up to `count` elements of the first list that is not empty, or waits for one
    /// ([BLMPOP](https://redis.io/docs/latest/commands/blmpop/), Redis 7.0). The reply is the list's name and
    /// the elements: `Option<(Bytes, Vec<Bytes>)>`.
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn blmpop(
        &self,
        hub: &mut Hub,
        lists: &[impl ToArgs],
        side: Side,
        count: u32,
        timeout: Timeout,
    ) -> Result<Wait> {
        let command = self
            .command(hub, "BLMPOP")
            .arg(self.round(hub, timeout))
            .arg(lists.len())
            .arg(lists);
        let requeue = match side {
            Side::Left => Requeue::LPushMany,
            Side::Right => Requeue::RPushMany,
        };
        let command = command.arg(side).arg("COUNT").arg(count);
        self.block(hub, command, timeout, requeue)
    }

    /// Takes the member with the lowest or highest score of the first sorted set that is not empty, or waits
    /// for one ([BZPOPMIN](https://redis.io/docs/latest/commands/bzpopmin/),
    /// [BZPOPMAX](https://redis.io/docs/latest/commands/bzpopmax/)). The reply is the set's name, the
    /// member and its score: `Option<(Bytes, Bytes, f64)>`.
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn bzpop(
        &self,
        hub: &mut Hub,
        sets: impl ToArgs,
        rank: Rank,
        timeout: Timeout,
    ) -> Result<Wait> {
        let name = match rank {
            Rank::Min => "BZPOPMIN",
            Rank::Max => "BZPOPMAX",
        };
        let command = self
            .command(hub, name)
            .arg(sets)
            .arg(self.round(hub, timeout));
        self.block(hub, command, timeout, Requeue::ZAdd)
    }
}
