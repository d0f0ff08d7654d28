//! What tasks ask of servers: the hub's side of [`Redis`](crate::Redis).

use super::{Hub, Result, Wait};
use crate::address::{Address, Host, Place};
use crate::client::{ENDPOINTS_MAX, PoolState, PoolStats, Submission, Ticket};
use crate::config::Config;
use crate::driver::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::token::Key;
use std::time::Duration;

impl Hub {
    /// Opens a client of the server at `address`. Connections are made when they are needed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connect`] when a host name cannot be resolved, [`ErrorKind::Misuse`] when one would have to be
    /// resolved inside a task, which could hold up everybody for seconds.
    pub(crate) fn open_client(&mut self, address: Address, config: Config) -> Result<Key> {
        let endpoints = match &address.place {
            Place::Unix(path) => vec![Endpoint::Unix(path.clone())],
            Place::Tcp { host, port } => match host {
                Host::Ip(ip) => vec![Endpoint::Tcp((*ip, *port).into())],
                Host::Name(name) => self.resolve(name, *port)?,
            },
        };
        let seed = config.seed.unwrap_or_else(|| self.driver.entropy());
        Ok(self.clients.open(address, endpoints, config, seed))
    }

    fn resolve(&self, name: &str, port: u16) -> Result<Vec<Endpoint>> {
        if self.running.is_some() {
            let message = format!(
                "{name} would have to be resolved, which may take seconds: open the client before \
                 tasks run, or give an address"
            );
            return Err(Error::new(ErrorKind::Misuse, message));
        }
        let error = |error| {
            Error::io(
                ErrorKind::Connect,
                format_args!("cannot resolve {name}"),
                error,
            )
        };
        let found = self.driver.resolve(name, port).map_err(error)?;
        if found.is_empty() {
            let message = format!("{name} has no address");
            return Err(Error::new(ErrorKind::Connect, message));
        }
        let found = found.into_iter().take(ENDPOINTS_MAX);
        Ok(found.map(Endpoint::Tcp).collect())
    }

    /// Submits a request of the task that runs.
    pub(crate) fn submit(&mut self, client: Key, submission: Submission) -> Result<Ticket> {
        if !self.in_turn {
            self.timers.set_now(self.driver.now());
        }
        let task = self.current().0;
        if self.is_observed {
            self.tell_asked(task, &submission);
        }
        let ticket = self
            .clients
            .submit(client, task, submission, &mut self.timers)?;
        self.asked = (self.asked.0 + 1, Some(ticket));
        Ok(ticket)
    }

    /// Declares that nobody will wait for the reply to a request: it is dropped when it comes. Otherwise it is kept
    /// until the task that has asked takes it or ends, which main, and most cron tasks, never do.
    ///
    /// ```no_run
    /// # use greenroom::{Hub, Redis, secs};
    /// # let mut hub = Hub::new()?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// hub.every(secs(1), move |hub, tick| {
    ///     let pushed = redis.lpush(hub, "ticks", tick.number)?;
    ///     hub.ignore(pushed);
    ///     Ok(())
    /// });
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn ignore(&mut self, wait: Wait) {
        let Some(ticket) = wait.ticket() else {
            return;
        };
        if !self.clients.await_reply(ticket, None) {
            self.clients.take(ticket);
        }
    }

    /// An empty buffer for a command that will be asked.
    pub(crate) fn command_buffer(&mut self) -> Vec<u8> {
        self.clients.buffer()
    }

    pub(crate) fn pool_stats(&self, pool: Key) -> PoolStats {
        self.clients.stats(pool)
    }

    pub(crate) fn round(&self, pool: Key) -> Option<Duration> {
        self.clients.config(pool)?.forever_round
    }

    pub(crate) fn pool_state(&self, pool: Key) -> PoolState {
        self.clients.state(pool)
    }

    pub(crate) fn pool_failure(&self, pool: Key) -> Option<Error> {
        self.clients.last_failure(pool).cloned()
    }

    pub(crate) fn pool_address(&self, pool: Key) -> Option<&Address> {
        self.clients.address(pool)
    }

    pub(crate) fn close_client(&mut self, pool: Key) {
        self.clients.close(pool, &mut self.timers);
    }
}
