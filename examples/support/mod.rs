//! What the examples share: options, log lines, numbers from the kernel, SIGINT, the summary.

pub(crate) mod interrupt;
pub(crate) mod kernel;
pub(crate) mod logging;
pub(crate) mod options;
pub(crate) mod summary;

use greenroom::{Command, Hub, Redis, Result};

/// The server's name and version, such as `redis 7.0.15`. The first thing that is asked of a server: if it cannot be
/// reached or does not let us in, this fails.
pub(crate) fn server_name(hub: &mut Hub, redis: Redis) -> Result<String> {
    let asked = redis.send(hub, Command::new("INFO").arg("server"))?;
    let info = match hub.wait(asked)?.reply() {
        Ok(reply) => reply.to::<String>()?,
        // A user who may pop need not be allowed to ask this.
        Err(error) if error.code() == Some("NOPERM") => String::new(),
        Err(error) => return Err(error),
    };
    let field = |name: &str| {
        let line = info
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    Ok(match (field("valkey_version"), field("redis_version")) {
        (Some(version), _) => format!("valkey {version}"),
        (None, Some(version)) => format!("redis {version}"),
        (None, None) => "unknown".into(),
    })
}
