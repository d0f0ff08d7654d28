//! What a program can set of a server, with its unit, its default and the reason for it.

use crate::address::Password;
use crate::time::ms;
use std::time::Duration;

/// The version of Redis whose replies the server gives, and which it reports: clients look at it to
/// know what they may ask.
pub const REDIS_VERSION: &str = "7.0.15";

/// What a server allows. Start from [`Config::default`] and change what should differ:
///
/// ```
/// use greenroom::{Password, server};
/// let mut config = server::Config::default();
/// config.max_clients = 100;
/// config.password = Some(Password::new("secret"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How many clients may be connected at once; one more is told `-ERR max number of clients reached`.
    ///
    /// Default: 10 000, as in Redis (`maxclients`).
    pub max_clients: usize,

    /// What clients have to give with `AUTH` or `HELLO` before anything else (`requirepass`).
    ///
    /// Default: none.
    pub password: Option<Password>,

    /// The length of one argument, in bytes. Who announces more is told `-ERR Protocol error: invalid
    /// bulk length` and closed.
    ///
    /// Default: 512 MiB, as in Redis (`proto-max-bulk-len`).
    pub bulk_bytes_max: usize,

    /// How many bytes may be held of a client whose command is not complete, who goes on sending while
    /// it is blocked, or who queues commands with `MULTI`. Beyond it the client is closed without a
    /// word, as Redis does.
    ///
    /// Default: 1 GiB, as in Redis (`client-query-buffer-limit`).
    pub query_bytes_max: usize,

    /// How many bytes of replies may wait for a client that does not read them. Beyond it the client is
    /// closed.
    ///
    /// Default: 256 MiB. Redis has no limit for ordinary clients (`client-output-buffer-limit normal 0
    /// 0 0`); a server that shares its process with others should.
    pub output_bytes_max: usize,

    /// True if `CLIENT UNBLOCK` of a client that a pause has postponed crashes the server, as in
    /// Redis from 6.2 until [redis#14164](https://github.com/redis/redis/pull/14164) fixed it in
    /// 2025. Then all connections end without a reply, and
    /// [`Server::crash_report`](super::Server::crash_report) says why. If false, the answer is 0,
    /// as in fixed versions.
    ///
    /// Default: true, as in Redis 7.0.15.
    pub unblock_panics: bool,

    /// How long a shutdown waits for clients to read what has been answered.
    ///
    /// Default: 500 ms.
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            max_clients: 10_000,
            password: None,
            bulk_bytes_max: 512 << 20,
            query_bytes_max: 1 << 30,
            output_bytes_max: 256 << 20,
            unblock_panics: true,
            drain: ms(500),
        }
    }
}
