//! The client that programs call: [`Redis`], its commands, and pipelines.
//!
//! A command is submitted now and answered later: every function here queues it, and returns the
//! [`Wait`] for its reply. A task returns that wait to the hub; main gives it to [`Hub::wait`]. The
//! commands of one turn leave at its end; those of the shared connection in one write.

mod pipeline;
mod pops;
mod quick;

pub use pipeline::Pipeline;
pub use pops::{Rank, Side};

use crate::address::Address;
use crate::client::{
    Command, Lane, PoolState, PoolStats, ReplyCount, Requeue, Submission, Undelivered, WriteBuf,
};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::hub::{Hub, Wait};
use crate::time::Timeout;
use crate::token::Key;
use std::panic::Location;

/// A client of one Redis server: a handle, free to copy into every task.
///
/// ```no_run
/// use greenroom::{Hub, Redis, Timeout, secs};
///
/// let mut hub = Hub::new()?;
/// let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
/// let asked = redis.brpop(&mut hub, "list", Timeout::After(secs(1)))?;
/// match hub.wait(asked)?.reply()?.to::<Option<(String, String)>>()? {
///     Some((list, element)) => println!("{element} from {list}"),
///     None => println!("nothing came for a second"),
/// }
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Redis {
    pool: Key,
}

impl Redis {
    /// Opens a client of the server that a URL names, with the default [`Config`]. No connection is
    /// made before it is needed, so that success does not prove that the server is there.
    ///
    /// A host name is resolved here and now, which may take seconds: literal addresses and UNIX sockets take no time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for an invalid URL,
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) for a name that cannot be resolved,
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) for a name inside a task.
    pub fn open(hub: &mut Hub, url: &str) -> Result<Redis> {
        Redis::open_with(hub, url.parse()?, Config::default())
    }

    /// [`open`](Redis::open), with an address and limits of your own.
    ///
    /// # Errors
    ///
    /// As [`open`](Redis::open).
    pub fn open_with(hub: &mut Hub, address: Address, config: Config) -> Result<Redis> {
        Ok(Redis {
            pool: hub.open_client(address, config)?,
        })
    }

    /// Where the server is; `None` once the client is closed.
    pub fn address<'hub>(&self, hub: &'hub Hub) -> Option<&'hub Address> {
        hub.pool_address(self.pool)
    }

    /// What the pool holds and what it has done, exact at this moment.
    ///
    /// ```
    /// # use greenroom::{Endpoint, Hub, Redis, Timeout, Wait, Wake, ms, secs, server, sim::Sim};
    /// # let mut hub = Hub::simulated(&Sim::new(1));
    /// # let server = server::Server::new(&mut hub, server::Config::default());
    /// # server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// for _ in 0..10 {
    ///     hub.spawn(move |hub, wake| match wake {
    ///         Wake::Start => redis.brpop(hub, "jobs", Timeout::After(secs(1))),
    ///         _ => Ok(Wait::done()),
    ///     });
    /// }
    /// hub.sleep(ms(500))?;
    /// let stats = redis.stats(&hub);
    /// assert_eq!((stats.created, stats.in_use, stats.available), (10, 10, 0));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn stats(&self, hub: &Hub) -> PoolStats {
        hub.pool_stats(self.pool)
    }

    /// Closes the client. Commands that were not sent, and those on the shared connection, fail at
    /// once with [`ErrorKind::Closed`](crate::ErrorKind::Closed). Blocking commands in flight are
    /// cancelled first: a pop that has popped nothing fails with `Closed` too, and an element that
    /// comes all the same is delivered. Later commands fail with
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse).
    pub fn close(&self, hub: &mut Hub) {
        hub.close_client(self.pool);
    }

    /// Submits any command.
    ///
    /// A command that may block gets a dedicated connection, any other one goes down the shared
    /// connection: see [`Command::blocking`].
    ///
    /// ```no_run
    /// # use greenroom::{Command, Hub, Redis};
    /// # let mut hub = Hub::new()?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// let asked = redis.send(&mut hub, Command::new("LRANGE").arg("list").arg(0).arg(-1))?;
    /// let elements: Vec<String> = hub.wait(asked)?.reply()?.to()?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) for a command that would change the
    /// connection that others share (`SELECT`, `MULTI`, `SUBSCRIBE` and their like), and when the
    /// client is closed; [`ErrorKind::PoolFull`](crate::ErrorKind::PoolFull) as configured. Later
    /// failures come with the reply.
    pub fn send(&self, hub: &mut Hub, command: Command) -> Result<Wait> {
        command.check()?;
        let (lane, requeue) = (command.lane(), Requeue::of(&command));
        self.submit(
            hub,
            Submission {
                bytes: command.into_write_buf(),
                replies: ReplyCount::One,
                lane,
                requeue,
                repeats: false,
            },
        )
    }

    /// Returns whether the server can be reached, as far as the last connects tell. A server that
    /// refuses commands (`READONLY`, `NOAUTH`) counts as not reached until a connection on trial
    /// works.
    ///
    /// ```
    /// # use greenroom::{Endpoint, Hub, Redis, Timeout, Wait, Wake, ms, secs, server, sim::Sim};
    /// # let mut hub = Hub::simulated(&Sim::new(1));
    /// # let server = server::Server::new(&mut hub, server::Config::default());
    /// # server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// use greenroom::PoolState;
    ///
    /// assert_eq!(redis.state(&hub), PoolState::New);
    /// let ping = redis.ping(&mut hub)?;
    /// hub.wait(ping)?.reply()?;
    /// assert_eq!(redis.state(&hub), PoolState::Connected);
    ///
    /// server.shutdown(&mut hub);
    /// hub.sleep(secs(1))?;
    /// let ping = redis.ping(&mut hub)?; // waits for the server to come back
    /// let wake = hub.wait(ping.within(secs(1)))?;
    /// assert!(matches!(wake, Wake::Deadline));
    /// assert!(matches!(redis.state(&hub), PoolState::Down { tries: 2.., .. }));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn state(&self, hub: &Hub) -> PoolState {
        hub.pool_state(self.pool)
    }

    /// Returns why the last connect failed, or the last command was refused; `None` after a
    /// success.
    pub fn last_failure(&self, hub: &Hub) -> Option<Error> {
        hub.pool_failure(self.pool)
    }

    /// Sets the hook for undelivered elements: those popped for a task that no longer waits,
    /// because it was killed, has ended, or has [ignored](Hub::ignore) the answer. The hook is
    /// called in a task of its own, whose error goes to the hub's error hook. A task that still
    /// waits gets the element itself, see [`Reply::is_late`](crate::Reply::is_late).
    ///
    /// Without a hook, the element is requeued: pushed to the end that it came from, or added to
    /// its sorted set with `ZADD NX`. So it is when the hook returns an error or panics. What
    /// cannot be requeued is logged with its key and its length, and counted in
    /// [`PoolStats::indeterminate`](crate::PoolStats::indeterminate). A hook that returns `Ok` owns
    /// the element:
    ///
    /// ```no_run
    /// # use greenroom::{Hub, Redis};
    /// # let mut hub = Hub::new()?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// redis.on_undelivered(&mut hub, move |hub, element| {
    ///     println!("undelivered: {:?}", element.reply());
    ///     if let Some(command) = element.requeue_command() {
    ///         let pushed = redis.send(hub, command)?;
    ///         hub.ignore(pushed);
    ///     }
    ///     Ok(())
    /// });
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    #[track_caller]
    pub fn on_undelivered(
        &self,
        hub: &mut Hub,
        hook: impl FnMut(&mut Hub, Undelivered) -> Result<()> + 'static,
    ) {
        hub.on_undelivered(self.pool, hook, Location::caller());
    }

    /// A command in a buffer that has been used before.
    fn command(&self, hub: &mut Hub, name: &str) -> Command {
        Command::in_buffer(hub.command_buffer(), name)
    }

    fn block(
        &self,
        hub: &mut Hub,
        command: Command,
        timeout: Timeout,
        requeue: Requeue,
    ) -> Result<Wait> {
        let round = self.round(hub, timeout);
        self.submit(
            hub,
            Submission {
                bytes: command.into_write_buf(),
                replies: ReplyCount::One,
                lane: Lane::Dedicated(round),
                requeue,
                repeats: round != timeout,
            },
        )
    }

    /// How long the server is asked to block.
    fn round(&self, hub: &Hub, timeout: Timeout) -> Timeout {
        match timeout {
            Timeout::After(_) => timeout,
            Timeout::Forever => hub.round(self.pool).map_or(timeout, Timeout::After),
        }
    }

    fn share(&self, hub: &mut Hub, command: Command) -> Result<Wait> {
        self.submit(
            hub,
            Submission {
                bytes: command.into_write_buf(),
                replies: ReplyCount::One,
                lane: Lane::Shared,
                requeue: Requeue::Nothing,
                repeats: false,
            },
        )
    }

    /// Submits several commands at once; they arrive one behind the other, with nothing in between.
    ///
    /// The reply is an array with one value for each. A command that fails has its error there, and
    /// does not keep the others from running.
    ///
    /// ```no_run
    /// # use greenroom::{Command, Hub, Pipeline, Redis};
    /// # let mut hub = Hub::new()?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// let pipeline = Pipeline::new()
    ///     .command(Command::new("INCR").arg("jobs"))
    ///     .command(Command::new("LPUSH").arg("queue").arg("job"));
    /// let asked = redis.send_all(&mut hub, pipeline)?;
    /// let (jobs, queued): (i64, i64) = hub.wait(asked)?.reply()?.to()?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) for an empty pipeline, for one with a
    /// command that may block (also between `MULTI` and `EXEC`) or would change the shared
    /// connection, and for a transaction that it begins and does not end.
    pub fn send_all(&self, hub: &mut Hub, pipeline: Pipeline) -> Result<Wait> {
        pipeline.check()?;
        self.submit(
            hub,
            Submission {
                bytes: WriteBuf::new(pipeline.bytes, 0),
                replies: ReplyCount::Many(pipeline.count),
                lane: Lane::Shared,
                requeue: Requeue::Nothing,
                repeats: false,
            },
        )
    }

    fn submit(&self, hub: &mut Hub, submission: Submission) -> Result<Wait> {
        Ok(Wait::reply(hub.submit(self.pool, submission)?))
    }
}
