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
//! It is not a database. Everything is in memory and gone when it ends: no disk, no replication (a
//! replica is a server that refuses writes), no cluster, no scripts, no subscriptions, no access
//! lists beyond one password, no eviction. It knows strings and lists. It runs on the thread of its
//! hub, and a task that computes holds it up. A machine that vanishes without a word keeps its
//! connection, and its place in a queue. What it does know it answers as Redis 7.0 does, byte for
//! byte, errors included, except where it describes itself (`INFO`, `COMMAND`, parts of `CLIENT
//! LIST`); anything else is an unknown command.
//!
//! # Commands
//!
//! `PING` `ECHO` `QUIT` `HELLO` `AUTH` `SELECT` `CLIENT` (`ID` `SETNAME` `GETNAME` `SETINFO` `LIST`
//! `KILL` `UNBLOCK` `PAUSE` `UNPAUSE`) `COMMAND` (`COUNT` `DOCS` `INFO` `LIST`) `INFO` `CONFIG GET`
//! `ROLE` `REPLICAOF` `SLAVEOF` `FLUSHALL` `EXISTS` `DEL` `TYPE` `GET` `SET` `INCR` `LPUSH` `RPUSH`
//! `LPOP` `RPOP` `LLEN` `LRANGE` `LREM` `LMOVE` `RPOPLPUSH` `LMPOP` `BLPOP` `BRPOP` `BLMOVE`
//! `BRPOPLPUSH` `BLMPOP` `PFCOUNT` `MULTI` `EXEC` `DISCARD` `SHUTDOWN`. `SET` knows all options but
//! `EXAT` and `PXAT`, since a hub has no calendar. `PFCOUNT` finds no HyperLogLog: it answers 0 or
//! `-WRONGTYPE`.
//!
//! Inside: `table.rs` names all commands; `commands/` has their handlers; `state.rs` takes bytes to
//! commands and `dispatch.rs` commands to handlers; `blocked.rs` is which client waits for which
//! key, and `serving.rs` how they get it; `keyspace.rs` the data; `pause.rs` and `role.rs` are the
//! modes in which a server postpones or refuses commands, and `faults.rs` injects them; `session.rs`
//! and `listening.rs` are the tasks.

mod blocked;
mod call;
mod clients;
mod commands;
mod config;
mod dispatch;
mod faults;
mod glob;
mod inline;
mod keyspace;
mod listening;
mod mode;
mod numbers;
mod pause;
mod refusal;
mod reply;
mod request;
mod role;
mod serving;
mod session;
mod state;
mod table;

pub use self::config::{Config, REDIS_VERSION};
pub use self::mode::{Pause, Role};
pub use self::state::ServerStats;
pub use crate::driver::sim::Fault;

use self::listening::{Acceptor, Keeper};
use self::mode::Faults;
use self::state::{Shared, State};
use crate::driver::Endpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::hub::{Hub, TaskId};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

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
    pub fn refuse(&self, mut choose: impl FnMut(&str) -> Option<String> + 'static) {
        self.inject(move |name| choose(name).map(Fault::Error));
    }

    /// Calls `choose` before each known command, and injects the fault that it returns. Replaces
    /// what [`refuse`](Server::refuse) has set. `choose` receives the command's name in lower case,
    /// such as `set` or `client|unblock`, and must not call the server.
    ///
    /// ```
    /// # use greenroom::{ms, server::{self, Fault, Server}};
    /// # let mut hub = greenroom::Hub::new()?;
    /// # let server = Server::new(&mut hub, server::Config::default());
    /// server.inject(|name| (name == "brpop").then_some(Fault::PauseWrites(ms(100))));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn inject(&self, choose: impl FnMut(&str) -> Option<Fault> + 'static) {
        self.state.borrow_mut().faults = Faults::new(choose);
    }

    /// Pauses clients for `time`, as `CLIENT PAUSE` does. During another pause, the stricter of the
    /// two and the later end count.
    ///
    /// A postponed command counts as blocking. `CLIENT UNBLOCK` of its client can crash the server:
    /// see [`Config::unblock_panics`].
    pub fn pause(&self, hub: &mut Hub, what: Pause, time: Duration) {
        self.act(hub, |state| state.pause(what, state.now() + time));
    }

    /// Ends a pause, as `CLIENT UNPAUSE` does, and executes the postponed commands.
    pub fn unpause(&self, hub: &mut Hub) {
        self.act(hub, State::unpause);
    }

    /// Changes the role, as `REPLICAOF` does. A server that becomes a replica ends blocked clients
    /// with `-UNBLOCKED` and closes their connections.
    pub fn set_role(&self, hub: &mut Hub, role: Role) {
        self.act(hub, |state| state.set_role(role));
    }

    /// Returns the role.
    pub fn role(&self, hub: &mut Hub) -> Role {
        self.act(hub, |state| state.role.clone())
    }

    /// Returns the line that Redis would have logged, if the server has crashed. A crashed server
    /// has closed its listeners and connections without a reply: see [`Config::unblock_panics`].
    pub fn crash_report(&self) -> Option<&'static str> {
        self.state.borrow().crash
    }

    /// Changes the state as a session does: at the hub's time, and waking the tasks concerned.
    fn act<T>(&self, hub: &mut Hub, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.borrow_mut();
        state.keyspace.now = hub.now();
        state.end_what_is_over();
        let result = change(&mut state);
        state.go_on_unblocked();
        for task in state.woken.drain(..) {
            hub.notify(task);
        }
        result
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
