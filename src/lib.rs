//! A Redis client on a hand-written event loop: thousands of blocking pops wait on one thread,
//! beside punctual cron tasks.
//!
//! There is no async here, no coroutine and no second thread. A [`Hub`] sleeps until something
//! happens, finds out which [`Task`] has waited for it, and resumes that task; the task works without
//! blocking and returns the [`Wait`] for what it wants next. That is all a greenlet, a goroutine or an `async fn`
//! does for its user, with nothing hidden.
//!
//! # The tour
//!
//! Five hundred tasks wait for an element of one list, each on a connection of its own; a cron task runs
//! meanwhile; main waits for all of them.
//!
//! ```no_run
//! use greenroom::{Hub, Redis, Timeout, Wait, Wake, ms, secs};
//!
//! let mut hub = Hub::new()?;
//! let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
//!
//! let cron = hub.every(ms(200), |_hub, tick| Ok(println!("tick {}", tick.number)));
//! let pops: Vec<_> = (0..500)
//!     .map(|_| {
//!         hub.spawn(move |hub, wake| match wake {
//!             Wake::Start => redis.brpop(hub, "list", Timeout::After(secs(1))),
//!             Wake::Reply(reply) => {
//!                 assert!(reply?.is_none());
//!                 Ok(Wait::done())
//!             }
//!             other => Err(other.unexpected()),
//!         })
//!     })
//!     .collect();
//!
//! hub.sleep(ms(500))?; // main is a task too: the others run meanwhile
//! println!("{} connections in use", redis.stats(&hub).in_use);
//! hub.join_all(&pops)?; // Err says how many failed, and how the first did
//! hub.kill(cron);
//! # Ok::<(), greenroom::Error>(())
//! ```
//!
//! **Cancelling loses nothing.** A pop in flight whose task is killed, or whose deadline passes, is
//! ended by the server before its connection is used again. An element already in flight goes to
//! the task if it still waits, otherwise to [`Redis::on_undelivered`] or back to its list. A
//! [`Wake`] says which it was ([`Wake::outcome`]), and an [`Error`] whether the command may have
//! been executed. Before a program ends, [`Hub::drain`] waits for what is still under way.
//!
//! ```no_run
//! # use greenroom::{Hub, Outcome, Redis, Timeout, secs};
//! # let mut hub = Hub::new()?;
//! # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
//! let pop = redis.brpop(&mut hub, "jobs", Timeout::Forever)?;
//! match hub.wait(pop.within(secs(5)))?.outcome() {
//!     Outcome::Popped(reply) => println!("{:?}", reply.value()),
//!     Outcome::Cancelled => println!("five seconds, and nothing was taken from the list"),
//!     other => println!("{other:?}"),
//! }
//! # Ok::<(), greenroom::Error>(())
//! ```
//!
//! **Everything is tested without a network.** The same hub, the same client and a Redis-compatible [`server`] run on a kernel in
//! memory, whose clock is a number and whose accidents follow from a seed ([`sim`]). It is public: the workers of a program can be tested like that.
//!
//! ```
//! use greenroom::{Endpoint, Hub, Redis, Timeout, secs, server, sim::{Faults, Sim}};
//!
//! let sim = Sim::new(42);
//! sim.set_faults("latency,splits".parse::<Faults>()?);
//! let mut hub = Hub::simulated(&sim);
//! let server = server::Server::new(&mut hub, server::Config::default());
//! server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
//!
//! let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
//! let pop = redis.brpop(&mut hub, "list", Timeout::After(secs(3600)))?;
//! assert!(hub.wait(pop)?.reply()?.is_none()); // an hour later, which took no time
//! # Ok::<(), greenroom::Error>(())
//! ```
//!
//! **A run can be looked at.** A [`timeline`] is a page with a lane for each connection; [`observe`] is the hook that it is made from; a
//! [`Dump`] says what every task waits for, and a watchdog who holds the others up ([`Hub::on_hold`]).
//!
//! # Reading order
//!
//! The source is meant to be read, and each file begins with what it is about:
//!
//! 1. `hub/task.rs`: the words between a task and the hub.
//! 2. `hub/turn.rs`: what a hub does all day, in seven phases; [the same with a diagram](_documents::turn).
//! 3. `hub/tasks.rs` and `hub/scheduling.rs`: who is ready, who waits, and how a wait begins and ends.
//! 4. [`wheel`], [`resp`]: timers and the wire protocol, pure and on their own.
//! 5. `client/`: connections, pools, requests: a client without its input and output. Begin with
//!    `mod.rs`, then `connection.rs`, `pool.rs`, `wait_queue.rs`, `cancel.rs`.
//! 6. [`driver`]: the kernel.
//!
//! [The architecture](_documents::architecture) has the map, and what is deliberately absent.
//!
//! # Features
//!
//! None is on unless asked for, and without them there are four dependencies.
//!
//! | feature | what it adds | dependency |
//! |---|---|---|
//! | `signals` | module `signals`, and `Shutdown::on_signals` | signal-hook |
//! | `keepalive` | [`Config::keepalive`] takes effect | socket2 |
//!
//! # For those who know gevent
//!
//! | gevent | greenroom |
//! |---|---|
//! | hub | [`Hub`] |
//! | one iteration of the loop | a [turn](Hub::turn) |
//! | greenlet | [`Task`]: what a stack would remember stands in its fields |
//! | `greenlet.switch()` | [`Task::resume`] |
//! | what a greenlet waits for (watcher and `Waiter`) | the [`Wait`] that `resume` returns |
//! | what it is woken with | the [`Wake`] that `resume` receives |
//! | `spawn`, `sleep`, `joinall`, `kill` | [`Hub::spawn`], [`Wait::sleep`] and [`Hub::sleep`], [`Hub::join_all`], [`Hub::kill`] |
//! | `Timeout` | [`Wait::within`] |
//! | `Hub.handle_error` | [`Hub::on_error`] |
//! | `LoopExit` | [`Hub::run`] returns, and a wait of main ends with [`ErrorKind::Deadlock`] |
//! | `loop.async_` | [`Remote`] |
//! | libev backend | [`driver::Driver`] |

pub mod address;
mod client;
mod config;
pub mod driver;
mod error;
mod hub;
mod random;
mod redis;
pub mod resp;
pub mod server;
mod shutdown;
#[cfg(feature = "signals")]
pub mod signals;
mod time;
pub mod timeline;
mod timers;
pub mod token;
pub mod wheel;

pub use crate::address::{Address, Host, Password, Place, Protocol};
pub use crate::client::{Command, PoolState, PoolStats, Reply, Ticket, ToArgs, Undelivered};
pub use crate::config::{ClientIds, Config, WhenFull};
pub use crate::driver::{Endpoint, sim};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::hub::observe;
pub use crate::hub::{
    Dump, Failure, Handle, Hold, Hub, HubStats, Listener, Missed, Outcome, Remote, Stream, Task,
    TaskId, Tick, Wait, Wake,
};
pub use crate::redis::{Pipeline, Rank, Redis, Side};
pub use crate::shutdown::{Shutdown, ShutdownReport};
pub use crate::time::{Time, Timeout, ms, secs};

/// The documents of the project, here so that their links are checked and their code is compiled.
pub mod _documents {
    #![doc = include_str!("../README.md")]

    #[doc = include_str!("../docs/architecture.md")]
    pub mod architecture {}

    #[doc = include_str!("../docs/turn.md")]
    pub mod turn {}

    #[doc = include_str!("../docs/measurements.md")]
    pub mod measurements {}

    #[doc = include_str!("../docs/benchmarks.md")]
    pub mod benchmarks {}

    #[doc = include_str!("../docs/changelog.md")]
    pub mod changelog {}
}
