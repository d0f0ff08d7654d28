//! Chapter 12, exercise 1, difficulty 1: a command from outside.
//!
//! Ask `LLEN list`, and return the wait for its reply. It does not wait in the server: it should share the connection that all others share.

use greenroom::{Command, Hub, Redis, Result, Timeout, Wait};

/// How long a list is: the reply is an `i64`.
pub fn llen(redis: &Redis, hub: &mut Hub, list: &str) -> Result<Wait> {
    let command = Command::new("LLEN").arg(list);
    redis.send(hub, command.blocking(Timeout::Forever))
}
