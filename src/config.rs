//! Every limit and every deadline of a pool, with its unit, its default and the reason for it.

use crate::resp::Limits;
use crate::time::{ms, secs};
use std::time::Duration;

/// How a pool treats its connections. Start from [`Config::default`] and change what should differ:
///
/// ```
/// use greenroom::{Config, WhenFull, secs};
/// let mut config = Config::default();
/// config.max_connections = Some(50);
/// config.when_full = WhenFull::Fail;
/// config.command_timeout = secs(30);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How many connections of their own blocking commands may have at once; `None` is no limit.
    /// The shared connection is not counted.
    ///
    /// Default: no limit. A limit below the number of concurrent pops would make them wait for each
    /// other without a word.
    pub max_connections: Option<usize>,

    /// What a blocking command does when all `max_connections` are in use.
    ///
    /// Default: it waits its turn for up to `pool_timeout`.
    pub when_full: WhenFull,

    /// How long a command may wait for a connection before it fails with a timeout, unsent.
    ///
    /// Default: 20 s, four times what one connect may take.
    pub pool_timeout: Duration,

    /// How many connections may stand in the server's backlog at once: connects that have been
    /// started and of which the server has not yet been heard.
    ///
    /// Default: 256, half of Redis' `tcp-backlog` of 511. A connect beyond the backlog is not refused;
    /// its SYN is dropped, and the kernel repeats it after 1 s, then 3 s.
    pub max_connecting: usize,

    /// How long a connect may take.
    ///
    /// Default: 5 s, which lets the kernel repeat a lost SYN twice.
    pub connect_timeout: Duration,

    /// How long to wait before a server that was lost is tried again; twice as long after each failure, up to `retry_max`.
    /// Chance takes up to half of it away, so that clients that have lost it together do not come back together. Whoever waits for a
    /// connection waits on, for up to `pool_timeout`. A pool that was never connected is told of its failure at once.
    ///
    /// Default: 10 ms.
    pub retry_first: Duration,

    /// How long to wait at most between two tries.
    ///
    /// Default: 1 s, what a restarted server is missed for at most.
    pub retry_max: Duration,

    /// What chance depends on; `None` draws a seed from the kernel.
    ///
    /// Default: `None`. (A simulated kernel draws it from its own seed.)
    pub seed: Option<u64>,

    /// How long the handshake (HELLO, AUTH, SELECT, CLIENT SETNAME) may take once connected.
    ///
    /// Default: 5 s. A stopped server still accepts connections, in its kernel; only this notices.
    pub handshake_timeout: Duration,

    /// How long a command that does not block may take from its writing to its reply.
    ///
    /// Default: 5 s.
    pub command_timeout: Duration,

    /// How long after its own timeout a blocking command may still be answered.
    ///
    /// Default: 2 s. Redis looks at the timeouts of blocked clients `hz` times a second, so that at the
    /// lowest setting (`hz 1`) the answer is up to one second late. Values under one second count as one.
    pub blocking_grace: Duration,

    /// How long one round of a pop without a timeout lasts: `None` is a single round without end. The server is asked for
    /// so long, and asked again, of which the caller sees nothing. A server whose machine has vanished without a word
    /// is noticed `blocking_grace` after the end of a round, where one that was asked for ever never would be. No element can get
    /// lost between two rounds: there is either an answer that brings one, or none and the list is as it was.
    ///
    /// Default: 60 s. On a simulated kernel, where a minute takes no time, a wait that nothing ends goes round for ever; with
    /// `None` it is found out. Takes effect on what is asked from then on; commands of [`Redis::send`](crate::Redis::send) are sent as
    /// they are.
    pub forever_round: Option<Duration>,

    /// How long it may take to take a blocking command back that somebody gives up: one whose task is killed, or whose
    /// wait has a deadline. It is one round trip on the shared connection, unless the network is in trouble. After that the
    /// connection is closed, and whether it took an element along is unknown.
    ///
    /// Default: 2 s.
    pub cancel_timeout: Duration,

    /// How the server's id of a connection is found out, which it takes to take a blocking command back.
    ///
    /// Default: [`ClientIds::WhenNeeded`].
    pub client_ids: ClientIds,

    /// How long a TCP connection may be silent before the kernel asks the other machine whether it is still there;
    /// `None` is never. Takes effect on connections that are made from then on, and only with the feature `keepalive`.
    ///
    /// The kernel asks three times, a third of this apart (1 s at least), before it breaks the connection: what
    /// waits on it fails with [`ErrorKind::Closed`](crate::ErrorKind::Closed) after twice this time. Whole seconds, rounded
    /// down, from 1 s to nine hours (32,767 s); what lies beyond counts as the nearest.
    ///
    /// Default: 60 s. A pop without a timeout notices within two minutes that the server's machine has
    /// vanished, and routers that forget silent connections are kept from it. It takes four more system calls
    /// for each connection; without the feature none.
    pub keepalive: Option<Duration>,

    /// What a reply may measure.
    pub limits: Limits,
}

/// How the server's id of a connection is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientIds {
    /// Over TCP, when the first command is to be taken back: connections are found by their addresses in the reply to `CLIENT
    /// LIST`. A connection to a UNIX socket has no address, and asks `CLIENT ID` when it is made.
    #[default]
    WhenNeeded,
    /// Each connection asks `CLIENT ID` when it is made, which takes a round trip: for servers behind a proxy or a
    /// translation of addresses.
    AtConnect,
    /// Never. Nothing is taken back: what is given up ends with its connection, and an element that is on its way at
    /// that moment is lost.
    Never,
}

/// What a blocking command does when the pool is at its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It waits, first come, first served, for up to [`Config::pool_timeout`].
    #[default]
    Wait,
    /// It fails with [`ErrorKind::PoolFull`](crate::ErrorKind::PoolFull).
    Fail,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            max_connections: None,
            when_full: WhenFull::Wait,
            pool_timeout: secs(20),
            max_connecting: 256,
            connect_timeout: secs(5),
            retry_first: ms(10),
            retry_max: secs(1),
            seed: None,
            handshake_timeout: secs(5),
            command_timeout: secs(5),
            blocking_grace: secs(2),
            forever_round: Some(secs(60)),
            cancel_timeout: secs(2),
            client_ids: ClientIds::default(),

            keepalive: Some(secs(60)),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// How long after its own timeout a blocking command may still be answered.
    pub(crate) fn grace(&self) -> Duration {
        self.blocking_grace.max(ms(1000))
    }

    /// How long after its own timeout a blocking command may be answered before the server is asked to end it, for which
    /// the second half of the grace is left.
    pub(crate) fn patience(&self) -> Duration {
        match self.client_ids {
            ClientIds::Never => self.grace(),
            _ => self.grace() / 2,
        }
    }
}
