//! Chapter 12, exercise 1: a command from outside.

use greenroom::{Command, Hub, Redis, Result, Wait};

/// How long a list is: the reply is an `i64`.
pub fn llen(redis: &Redis, hub: &mut Hub, list: &str) -> Result<Wait> {
    redis.send(hub, Command::new("LLEN").arg(list))
}
