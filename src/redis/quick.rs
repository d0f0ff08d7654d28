//! The commands that do not block.

use super::Redis;
use crate::client::ToArgs;
use crate::error::Result;
use crate::hub::{Hub, Wait};

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
