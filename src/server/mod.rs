//! A small Redis-compatible server, made of tasks on a hub.
//!
//! It is there so that examples, tests and newcomers need nothing installed, and it is the proof that a
//! hub is not married to the client: all it uses is what every program can use ([`Hub::listen`],
//! [`Hub::accept`], [`Hub::read`], [`Hub::write`], waits with a deadline, [`Hub::notify`]). It can share
//! the hub, and so the one thread, with the client that talks to it.
//!
//! ```text
//!    listener ─► Acceptor ──spawns──► Session ◄──────── bytes ────────► peer
//!                (a task)             (a task a connection)
//!                                        │  receive(bytes)      ▲ output
//!                                        ▼                      │
//!                                   ┌───────────────────────────────────────────────┐
//!    Keeper (a task: shutdown)      │ State: parser ─► dispatch ─► handler ─► reply │
//!                                   │        clients, databases, who is blocked     │
//!                                   └───────────────────────────────────────────────┘
//! ```
//!
//! Tasks do the input and output; what a command *means* is in `State`, which is pure: bytes and the
//! time in, bytes out, and a list of tasks to be notified because somebody else's command has changed
//! something for them. A blocked client is a session that waits for its peer with a deadline. When an
//! element comes, whoever has pushed it answers the client that has waited longest, and notifies its
//! session.
//!
//! # What it is not
//!
//! It is not a database. Everything is in memory and gone when it ends: no disk, no replication, no
//! cluster, no scripts, no subscriptions, no access lists beyond one password, no eviction. It knows
//! strings and lists. It runs on the thread of its hub, and a task that computes holds it up. A machine
//! that vanishes without a word keeps its connection, and its place in a queue. What it does know it
//! answers as Redis 7.0 does, byte for byte, errors included, except where it describes itself (`INFO`,
//! `COMMAND`, parts of `CLIENT LIST`); anything else is an unknown command.
//!
//! # Commands
//!
//! `PING` `ECHO` `QUIT` `HELLO` `AUTH` `SELECT` `CLIENT` (`ID` `SETNAME` `GETNAME` `SETINFO` `LIST`
//! `KILL` `UNBLOCK`) `COMMAND` (`COUNT` `DOCS` `INFO` `LIST`) `INFO` `CONFIG GET` `FLUSHALL` `EXISTS`
//! `DEL` `TYPE` `GET` `SET` `INCR` `LPUSH` `RPUSH` `LPOP` `RPOP` `LLEN` `LRANGE` `LREM` `LMOVE`
//! `RPOPLPUSH` `LMPOP` `BLPOP` `BRPOP` `BLMOVE` `BRPOPLPUSH` `BLMPOP` `MULTI` `EXEC` `DISCARD`
//! `SHUTDOWN`. `SET` knows all options but `EXAT` and `PXAT`, since a hub has no calendar.
//!
//! Inside: `table.rs` names all commands; `commands/` has their handlers; `state.rs` takes bytes to
//! commands and `dispatch.rs` commands to handlers; `blocked.rs` is who waits for which key, and `serving.rs` how they get it;
//! `keyspace.rs` the data; `session.rs` and `listening.rs` the tasks.

mod blocked;
mod call;
mod clients;
mod commands;
mod config;
mod dispatch;
mod glob;
mod inline;
mod keyspace;
mod listening;
mod numbers;
mod refusal;
mod reply;
mod request;
mod serving;
mod session;
mod state;
mod table;

pub use self::config::{Config, REDIS_VERSION};
pub use self::state::ServerStats;

use self::listening::{Acceptor, Keeper};
use self::refusal::Refuses;
use self::state::{Shared, State};
use crate::driver::Endpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::hub::{Hub, TaskId};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A server on a hub. A handle: cheap to clone, and dropping it stops nothing.
///
/// ```
/// use greenroom::server::{self, Server};
/// use greenroom::{Address, Config, Hub, Place, Redis, driver::Endpoint};
///
/// let mut hub = Hub::new()?;
/// let server = Server::new(&mut hub, server::Config::default());
/// let at = server.listen(&mut hub, &Endpoint::Tcp("127.0.0.1:0".parse().unwrap()))?;
///
/// let redis = Redis::open(&mut hub, &format!("redis://{at}"))?; // client and server on one thread
/// let asked = redis.set(&mut hub, "key", "value")?;
/// hub.wait(asked)?.reply()?;
///
/// server.shutdown(&mut hub);
/// hub.join(server.task())?;
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone)]
pub struct Server {
    state: Shared,
    keeper: TaskId,
}

impl Server {
    /// A server with empty databases. Nobody can reach it until it [listens](Server::listen).
    #[track_caller]
    pub fn new(hub: &mut Hub, config: Config) -> Server {
        let state = Rc::new(RefCell::new(State::new(config, hub.now())));
        let keeper = hub.spawn_task(Keeper::new(Rc::clone(&state)));
        state.borrow_mut().keeper = Some(keeper);
        Server { state, keeper }
    }

    /// Listens at a TCP address or UNIX socket from now on, in addition to others; says where. Port 0
    /// takes any free one. Whoever can connect there can read and change everything, so keep to loopback
    /// unless there is a [password](Config::password).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] with what the system says, such as that the address is in use;
    /// [`ErrorKind::Misuse`] after a shutdown.
    #[track_caller]
    pub fn listen(&self, hub: &mut Hub, at: &Endpoint) -> Result<Endpoint> {
        if self.state.borrow().is_stopping {
            let message = "the server has been shut down";
            return Err(Error::new(ErrorKind::Misuse, message));
        }
        let listener = hub.listen(at)?;
        let local = hub.local(listener)?;
        let acceptor = Acceptor::new(Rc::clone(&self.state), listener, &local);
        let task = hub.spawn_task(acceptor);
        hub.hand_over(listener, task)?;
        hub.detach(task);
        let mut state = self.state.borrow_mut();
        state.acceptors.push(task);
        state.listens_at.push(local.clone());
        Ok(local)
    }

    /// Stops listening, sends what has been answered, and closes all connections, in the following
    /// turns. A client that is blocked is told nothing: its connection ends. A peer that does not read
    /// has
    /// [`drain`](Config::drain) to do so.
    pub fn shutdown(&self, hub: &mut Hub) {
        self.state.borrow_mut().is_stopping = true;
        hub.notify(self.keeper);
    }

    /// Asks `choose` from now on, before each command that is known is executed or queued: what it returns is the
    /// error that is replied instead, its code first. It gets the command's name in small letters, such as `set`
    /// or `client|unblock`. This is for tests of what clients make of `-LOADING`, `-OOM` and their like; `choose` must not call the
    /// server.
    ///
    /// ```
    /// # use greenroom::server::{self, Server};
    /// # let mut hub = greenroom::Hub::new()?;
    /// # let server = Server::new(&mut hub, server::Config::default());
    /// server.refuse(|name| (name == "set").then(|| "OOM command not allowed".into()));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn refuse(&self, choose: impl FnMut(&str) -> Option<String> + 'static) {
        self.state.borrow_mut().refuses = Refuses::with(choose);
    }

    /// The task that ends when the server has shut down, because of [`shutdown`](Server::shutdown) or
    /// the command `SHUTDOWN`.
    pub fn task(&self) -> TaskId {
        self.keeper
    }

    /// What the server has done and holds.
    pub fn stats(&self) -> ServerStats {
        self.state.borrow().stats()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("task", &self.keeper)
            .finish_non_exhaustive()
    }
}
