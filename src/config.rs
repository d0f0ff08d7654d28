//! Every limit and every deadline of a client, with its unit, its default and the reason for it.

use crate::resp::Limits;
use crate::time::{ms, secs};
use std::time::Duration;

/// The limits and deadlines of a client. Start from [`Config::default`] and change what should
/// differ:
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
    /// Limits the dedicated connections that exist at once; `None` is no limit. The shared and the
    /// control connection are not counted.
    ///
    /// Default: no limit. A limit below the number of concurrent pops would silently make them wait
    /// for each other.
    pub max_connections: Option<usize>,

    /// Says what a blocking command does when all `max_connections` are in use.
    ///
    /// Default: it waits in the queue for up to `pool_timeout`.
    pub when_full: WhenFull,

    /// How long a command may wait for a connection before it fails with a timeout. It was not sent
    /// then.
    ///
    /// Default: 20 s, four times what one connect may take.
    pub pool_timeout: Duration,

    /// Limits the connections that may be in the server's backlog at once: connects that were
    /// started after the latest one that the server has answered on. A new connection is answered
    /// at once, since it begins with `CLIENT ID` or a handshake.
    ///
    /// Default: 256, half of Redis' `tcp-backlog` of 511. A connect beyond the backlog is not
    /// refused: its SYN is dropped, and the kernel repeats it after 1 s, then 3 s.
    pub max_connecting: usize,

    /// How long a connect may take.
    ///
    /// Default: 5 s, which lets the kernel repeat a lost SYN twice.
    pub connect_timeout: Duration,

    /// The pause before a lost server is dialed again. It doubles after each failure, up to
    /// `retry_max`. Jitter shortens it by up to half, so that clients that lost the server together
    /// do not all reconnect at once. Commands that wait for a connection keep waiting, for up to
    /// `pool_timeout`. A client that has never reached its server fails them at once.
    ///
    /// The same pauses are made after a server has refused commands (`READONLY`, `NOAUTH`) or has
    /// no room for another client, and before a pop without a timeout is sent again to a server
    /// that is not ready (`LOADING`, `NOREPLICAS`).
    ///
    /// Default: 10 ms.
    pub retry_first: Duration,

    /// The longest pause between two attempts.
    ///
    /// Default: 1 s: a restarted server is noticed at most this late.
    pub retry_max: Duration,

    /// Seeds the jitter; `None` draws a seed from the kernel.
    ///
    /// Default: `None`. (A simulated kernel draws it from its own seed.)
    pub seed: Option<u64>,

    /// How long a new connection may wait for the replies to what it sends before its first
    /// command, or in front of it: HELLO or AUTH, CLIENT SETNAME, SELECT, CLIENT ID, PING, INFO.
    ///
    /// Default: 5 s. A stopped server still accepts connections, in its kernel; only this notices.
    pub handshake_timeout: Duration,

    /// How long a command that does not block may take, from the turn in which it is put on the
    /// shared connection to its reply. A command that is late fails alone, while the server still
    /// answers others. Silence for so long closes the connection. While a reply arrives, its
    /// command is not late, however long it takes.
    ///
    /// It also limits how long a pop without a timeout survives silence (see `forever_round`), and
    /// how long [`Hub::drain`](crate::Hub::drain) and a client that is being closed offer elements
    /// to a server that does not take them.
    ///
    /// Default: 5 s.
    pub command_timeout: Duration,

    /// How long after its own timeout a blocking command may still be answered. In the second half
    /// of this time, the server is asked to end the command. While the answer arrives, the deadline
    /// counts from its last bytes.
    ///
    /// Default: 2 s. Redis looks at the timeouts of blocked clients `hz` times a second, so that at
    /// the lowest setting (`hz 1`) the answer is up to one second late. Values under one second
    /// count as one.
    pub blocking_grace: Duration,

    /// The length of a block slice of a pop without a timeout; `None` is a single slice without
    /// end. The server is asked to block for so long, and asked again, which the caller does not
    /// notice. No element can be lost between two slices: either an answer brings one, or the list
    /// is as it was.
    ///
    /// This detects a dead peer, which an unbounded `BRPOP 0` would never do. When
    /// `blocking_grace / 2` has passed after the end of a slice, the server is asked to end it.
    /// After another `command_timeout` of silence (6 s in all by default), the connection is closed
    /// and the outcome is indeterminate. If the control connection shows meanwhile that the server
    /// is alive, the client waits for up to one more slice.
    ///
    /// Default: 60 s. On a simulated kernel, where a minute takes no time, a wait that nothing ends
    /// would go on without end; with `None` it is reported as a deadlock. Takes effect on commands
    /// that are submitted from then on. Commands of [`Redis::send`](crate::Redis::send) are sent as
    /// they are.
    pub forever_round: Option<Duration>,

    /// How long cancelling a blocking command may take: one whose task is killed, or whose wait has
    /// a deadline. It is one round trip on the control connection, unless the network is in trouble
    /// or the server's writes are paused. After that the connection is closed, and the outcome is
    /// indeterminate.
    ///
    /// Default: 2 s.
    pub cancel_timeout: Duration,

    /// Says if connections learn their client ids, which cancelling without loss needs.
    ///
    /// Default: [`ClientIds::AtConnect`].
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

    /// Limits on the size of a reply.
    pub limits: Limits,
}

/// Says if connections learn their client ids: the numbers by which Redis knows connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientIds {
    /// Each dedicated connection sends `CLIENT ID` in front of its first command, in the same
    /// write; in RESP3, the answer to `HELLO` has the id. The answer also proves that the server
    /// has accepted the connection, and that it is a Redis server. Where the server's ACL refuses
    /// it, a command is cancelled by closing its connection, and an element may be lost; a warning
    /// is logged once.
    #[default]
    AtConnect,
    /// Never. Nothing is cancelled: a command that no task waits for any longer ends with its
    /// connection, and an element that is on its way at that moment is lost. Behind a proxy that
    /// spreads connections over several servers, this is right: there, an id means another client
    /// on each server.
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

    /// How long after its own timeout a blocking command may be answered before the server is asked
    /// to end it. The second half of the grace is left for that.
    pub(crate) fn unblock_after(&self) -> Duration {
        match self.client_ids {
            ClientIds::Never => self.grace(),
            _ => self.grace() / 2,
        }
    }
}
