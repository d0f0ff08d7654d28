//! The client that programs call: [`Redis`], its commands, and pipelines.
//!
//! A command is asked now and answered later: every function here queues it, and returns the
//! [`Wait`] for its reply. A task returns that wait to the hub; main gives it to [`Hub::wait`]. What is asked in one
//! turn leaves at its end, and what goes down the shared connection in one write.

use crate::address::Address;
use crate::config::Config;
use crate::conn::{Ask, Command, Expect, Lane, Late, Outbox, PoolState, PoolStats, ToArgs, Undo};
use crate::error::{Error, ErrorKind, Result};
use crate::hub::{Hub, Wait};
use crate::time::Timeout;
use crate::token::Key;
use std::fmt;
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

impl Redis {
    /// Opens a client of the server that a URL names, with the default [`Config`]. No connection is made before it is
    /// needed, so that this does not say whether the server is there.
    ///
    /// A host name is resolved here and now, which may take seconds: literal addresses and UNIX sockets take no time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a URL that cannot be meant, [`ErrorKind::Connect`] for a name that cannot be resolved,
    /// [`ErrorKind::Misuse`] for a name inside a task.
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

    /// Closes all connections at the end of this turn. Requests that have not ended fail with
    /// [`ErrorKind::Closed`]; later ones with [`ErrorKind::Misuse`].
    pub fn close(&self, hub: &mut Hub) {
        hub.close_client(self.pool);
    }

    /// Asks any command.
    ///
    /// It takes a connection for itself if it may block, and shares one otherwise: see [`Command::blocking`].
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
    /// [`ErrorKind::Misuse`] for a command that would change the connection that others share (`SELECT`, `MULTI`,
    /// `SUBSCRIBE` and their like), and when the client is closed; [`ErrorKind::PoolFull`] as configured. What
    /// goes wrong later comes with the reply.
    pub fn send(&self, hub: &mut Hub, command: Command) -> Result<Wait> {
        command.check()?;
        let (lane, undo) = (command.lane(), Undo::of(&command));
        self.ask(
            hub,
            Ask {
                bytes: command.into_outbox(),
                replies: Expect::One,
                lane,
                undo,
                again: false,
            },
        )
    }

    /// Whether the server can be reached, as far as the last connects tell.
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

    /// Why the last connect failed; `None` when it did not.
    pub fn last_failure(&self, hub: &Hub) -> Option<Error> {
        hub.pool_failure(self.pool)
    }

    /// Sets what gets an element that was popped for a task which does not wait any more: it was killed, has ended, or has
    /// [ignored](Hub::ignore) the answer. It is called in a task of its own, whose error goes to the hub's error hook.
    /// A task that still waits gets the element itself, see [`Reply::is_late`](crate::Reply::is_late).
    ///
    /// Without it, the element is put back at the end that it came from; also when the hook returns an error or panics, which
    /// says that it has not taken it. Whoever keeps it owns it:
    ///
    /// ```no_run
    /// # use greenroom::{Hub, Redis};
    /// # let mut hub = Hub::new()?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// redis.on_late(&mut hub, move |hub, late| {
    ///     println!("late: {:?}", late.reply());
    ///     if let Some(command) = late.give_back() {
    ///         let pushed = redis.send(hub, command)?;
    ///         hub.ignore(pushed);
    ///     }
    ///     Ok(())
    /// });
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    #[track_caller]
    pub fn on_late(&self, hub: &mut Hub, hook: impl FnMut(&mut Hub, Late) -> Result<()> + 'static) {
        hub.on_late(self.pool, hook, Location::caller());
    }

    /// A command in a buffer that has been used before.
    fn command(&self, hub: &mut Hub, name: &str) -> Command {
        Command::in_buffer(hub.command_buffer(), name)
    }

    fn block(&self, hub: &mut Hub, command: Command, timeout: Timeout, undo: Undo) -> Result<Wait> {
        let round = self.round(hub, timeout);
        self.ask(
            hub,
            Ask {
                bytes: command.into_outbox(),
                replies: Expect::One,
                lane: Lane::Own(round),
                undo,
                again: round != timeout,
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
        self.ask(
            hub,
            Ask {
                bytes: command.into_outbox(),
                replies: Expect::One,
                lane: Lane::Shared,
                undo: Undo::Nothing,
                again: false,
            },
        )
    }

    /// Asks several commands at once; they arrive one behind the other, with nothing in between.
    ///
    /// The reply is an array with one value for each. An error that one of them gets stands in its
    /// place, and does not keep the others from running.
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
    /// [`ErrorKind::Misuse`] for an empty pipeline, for one with a command that blocks or would change the shared
    /// connection, and for a transaction that it begins and does not end.
    pub fn send_all(&self, hub: &mut Hub, pipeline: Pipeline) -> Result<Wait> {
        pipeline.check()?;
        self.ask(
            hub,
            Ask {
                bytes: Outbox::new(pipeline.bytes, 0),
                replies: Expect::Many(pipeline.count),
                lane: Lane::Shared,
                undo: Undo::Nothing,
                again: false,
            },
        )
    }

    fn ask(&self, hub: &mut Hub, ask: Ask) -> Result<Wait> {
        Ok(Wait::reply(hub.ask(self.pool, ask)?))
    }
}

/// Commands that block until there is something to give. Each has a connection to itself meanwhile.
///
/// Every one answers nil when its timeout has passed ([`Reply::is_none`](crate::Reply::is_none)), up to
/// 1000/`hz` ms late, which is 100 ms in Redis' default configuration. The client's own deadline is
/// [`Config::blocking_grace`] later, and means that the server is gone.
///
/// An element that a pop has taken exists in the reply alone: if the connection breaks on the way, it is lost.
/// [`blmove`](Redis::blmove) is for those who cannot live with that.
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
        self.block(hub, command, timeout, Undo::Right)
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
        self.block(hub, command, timeout, Undo::Left)
    }

    /// Moves an element from one list to another, or waits for one
    /// ([BLMOVE](https://redis.io/docs/latest/commands/blmove/), Redis 6.2). The reply is the element:
    /// `Option<Bytes>`. Until somebody removes it there, the element is in the second list, whatever
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
    /// // Whoever crashes now finds the job in the list of what he has begun.
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
            Undo::Nothing,
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
        self.block(hub, command, timeout, Undo::Nothing)
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
        let undo = match side {
            Side::Left => Undo::LeftMany,
            Side::Right => Undo::RightMany,
        };
        let command = command.arg(side).arg("COUNT").arg(count);
        self.block(hub, command, timeout, undo)
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
        self.block(hub, command, timeout, Undo::Add)
    }
}

/// Commands that are answered at once. They share one connection.
impl Redis {
    /// Adds elements at the head of a list ([LPUSH](https://redis.io/docs/latest/commands/lpush/)). The reply is the
    /// list's new length: `i64`.
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn lpush(&self, hub: &mut Hub, list: impl ToArgs, elements: impl ToArgs) -> Result<Wait> {
        let command = self.command(hub, "LPUSH").arg(list).arg(elements);
        self.share(hub, command)
    }

    /// Adds elements at the tail of a list ([RPUSH](https://redis.io/docs/latest/commands/rpush/)). The reply is the
    /// list's new length: `i64`.
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn rpush(&self, hub: &mut Hub, list: impl ToArgs, elements: impl ToArgs) -> Result<Wait> {
        let command = self.command(hub, "RPUSH").arg(list).arg(elements);
        self.share(hub, command)
    }

    /// The value of a key ([GET](https://redis.io/docs/latest/commands/get/)): `Option<Bytes>`.
    ///
    /// ```
    /// # use greenroom::{Endpoint, Hub, Redis, Timeout, Wait, Wake, ms, secs, server, sim::Sim};
    /// # let mut hub = Hub::simulated(&Sim::new(1));
    /// # let server = server::Server::new(&mut hub, server::Config::default());
    /// # server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// let set = redis.set(&mut hub, "answer", 42)?;
    /// hub.wait(set)?.reply()?;
    /// let get = redis.get(&mut hub, "answer")?;
    /// let answer: Option<u32> = hub.wait(get)?.reply()?.to()?;
    /// assert_eq!(answer, Some(42));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn get(&self, hub: &mut Hub, key: impl ToArgs) -> Result<Wait> {
        let command = self.command(hub, "GET").arg(key);
        self.share(hub, command)
    }

    /// Sets the value of a key ([SET](https://redis.io/docs/latest/commands/set/)). The reply is `OK`: `()`.
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn set(&self, hub: &mut Hub, key: impl ToArgs, value: impl ToArgs) -> Result<Wait> {
        let command = self.command(hub, "SET").arg(key).arg(value);
        self.share(hub, command)
    }

    /// Asks whether the server is there ([PING](https://redis.io/docs/latest/commands/ping/)). The reply is `PONG`.
    ///
    /// # Errors
    ///
    /// As [`send`](Redis::send).
    pub fn ping(&self, hub: &mut Hub) -> Result<Wait> {
        let command = self.command(hub, "PING");
        self.share(hub, command)
    }
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

/// Commands that are sent together: see [`Redis::send_all`]. They are encoded as they are added, so that a clone is one
/// copy.
#[derive(Clone, Default)]
#[must_use]
pub struct Pipeline {
    bytes: Vec<u8>,
    count: usize,
    in_transaction: bool,
    /// What is wrong with the first command that cannot be sent like this.
    refusal: Option<Error>,
}

impl Pipeline {
    /// Without commands yet.
    pub fn new() -> Pipeline {
        Pipeline::default()
    }

    /// Adds a command.
    pub fn command(mut self, command: Command) -> Pipeline {
        if let Err(refusal) = self.admit(&command) {
            self.refusal.get_or_insert(refusal);
        }
        self.bytes.extend_from_slice(command.into_outbox().unsent());
        self.count += 1;
        self
    }

    /// Between `MULTI` and `EXEC` nothing blocks; elsewhere a command that does would hold up all others.
    fn admit(&mut self, command: &Command) -> Result<()> {
        match command.name().to_ascii_uppercase().as_slice() {
            b"MULTI" => self.in_transaction = true,
            b"EXEC" | b"DISCARD" => self.in_transaction = false,
            _ if self.in_transaction || command.lane() == Lane::Shared => command.check()?,
            _ => {
                let message = format!("{command:?} may block: send it on its own");
                return Err(Error::new(ErrorKind::Misuse, message));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let misuse = |message| Err(Error::new(ErrorKind::Misuse, message));
        match &self.refusal {
            Some(refusal) => Err(refusal.clone()),
            None if self.count == 0 => misuse("a pipeline needs a command"),
            None if self.in_transaction => {
                misuse("the pipeline begins a transaction and does not end it")
            }
            None => Ok(()),
        }
    }
}

/// Shows no arguments: they may be secrets.
impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pipeline({} commands)", self.count)
    }
}
