//! The hub: one loop, one thread, and everything that waits.
//!
//! A hub owns a driver (the kernel), a timer wheel, the connections to servers and the tasks. It makes
//! [turns](Hub::turn): it sleeps until something happens, finds out who has waited for it, and resumes those tasks.
//! Nothing runs at the same time as anything else; the only thing that happens simultaneously is waiting.
//!
//! The main program is a task too: [`Hub::sleep`], [`Hub::join_all`] and [`Hub::wait`] make turns, and so let all others
//! run, until what main waits for has happened.
//!
//! | file | what it has |
//! |---|---|
//! | `mod.rs` | the hub |
//! | `waiting.rs` | what main does with it: run, wait, sleep, join |
//! | `turn.rs` | the seven phases of a turn |
//! | `task.rs` | `Task`, `Wait` and `Wake`: the words between hub and tasks |
//! | `ids.rs` | handles of tasks, streams and listeners |
//! | `arenas.rs` | where tasks live |
//! | `tasks.rs` | the table of tasks and the line of those that are ready |
//! | `spawning.rs` | what programs do with tasks: spawn, kill, notify |
//! | `failure.rs` | tasks that ended with an error or a panic |
//! | `scheduling.rs` | how a wait begins and ends, and how a task runs and ends |
//! | `asking.rs` | what tasks ask of servers |
//! | `client_io.rs` | input and output of the clients |
//! | `undelivered.rs` | elements that no task claims |
//! | `tick.rs`, `every.rs` | cron |
//! | `streams.rs` | streams and listeners for tasks that do their own input and output |
//! | `port.rs`, `ports.rs` | whose they are, and who waits for them |
//! | `observe.rs` | what happens, told as it happens |
//! | `verify.rs` | what must be true between two turns |
//! | `remote.rs` | notifying a task from another thread |
//! | `dump.rs` | what every task waits for, in words |
//! | `watchdog.rs`, `watching.rs` | who holds the hub for too long |

mod arenas;
mod asking;
mod client_io;
mod dump;
mod every;
mod failure;
mod ids;
pub mod observe;
mod outcome;
mod port;
mod ports;
mod remote;
mod scheduling;
mod spawning;
mod streams;
mod task;
mod tasks;
mod tick;
mod turn;
mod undelivered;
mod verify;
mod waiting;
mod watchdog;
mod watching;

pub use self::dump::Dump;
pub use self::failure::Failure;
pub use self::ids::{Handle, Listener, Stream, TaskId};
pub use self::outcome::Outcome;
pub use self::remote::Remote;
pub use self::task::{Task, Wait, Wake};
pub use self::tick::{Missed, Tick};
pub use self::watchdog::Hold;

use self::arenas::Arenas;
use self::observe::Observer;
use self::port::Ports;
use self::remote::Mailbox;
use self::tasks::Tasks;
use self::watchdog::Watchdog;
use crate::client::{Clients, Ticket, Undelivered};
use crate::driver::sim::Sim;
use crate::driver::{Driver, Event, MioDriver, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Time;
use crate::timers::Timers;
use crate::token::{Key, Owner};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// One read takes this much at most: the buffer is shared by all connections of the hub.
const READ_BYTES: usize = 128 * 1024;

/// One loop on one thread: everything that waits, and what it waits for.
///
/// ```
/// use greenroom::{Hub, Wait, Wake, ms};
///
/// let mut hub = Hub::new()?;
/// let tasks: Vec<_> = (0..3)
///     .map(|_| {
///         hub.spawn(|_hub, wake| match wake {
///             Wake::Start => Ok(Wait::sleep(ms(5))),
///             _ => Ok(Wait::done()),
///         })
///     })
///     .collect();
/// hub.join_all(&tasks)?; // 5 ms, not 15: the three of them sleep at the same time
/// # Ok::<(), greenroom::Error>(())
/// ```
pub struct Hub {
    driver: Box<dyn Driver>,
    timers: Timers,
    tasks: Tasks,
    arenas: Arenas,
    ports: Ports,
    clients: Clients,
    /// The hooks for undelivered elements, by clients as words.
    undelivered_hooks: BTreeMap<usize, UndeliveredHook>,
    /// The elements of the tasks that call them, by their keys as words.
    undelivered_in_hook: BTreeMap<usize, Undelivered>,
    /// The task that is being resumed.
    running: Option<Key>,
    /// How many requests it has asked since it was resumed, and the last of them.
    asked: (u32, Option<Ticket>),
    in_turn: bool,
    /// It takes down what it does, and checks itself.
    is_simulated: bool,
    /// Somebody is told of what happens: the observers, or who watches.
    is_observed: bool,
    observers: Vec<Box<dyn Observer>>,
    /// How many resumptions there had been when the turn began of which they are told.
    resumed_before: u64,
    /// The task that stands for the main program, and what has woken it.
    main: Key,
    /// Names no task, and never will.
    nobody: Key,
    main_wake: Option<Wake>,
    /// Ports to be closed at the end of the turn.
    closing: Vec<Socket>,
    /// Connections that had more to read than their budget, and whether their end stands behind it.
    unread: Vec<(Key, bool)>,
    mailbox: Option<Arc<Mailbox>>,
    on_error: Box<dyn FnMut(&Failure)>,
    watchdog: Watchdog,
    stats: HubStats,
    /// Since the clock was read for the last turn, more time has passed than deadlines should suffer.
    was_long: bool,
    /// In how many turns in a row deadlines were put off.
    put_offs: u32,
    /// What turns have paid for and verifying has used, see [`VERIFIED_PER_TURN`](turn::VERIFIED_PER_TURN).
    verified: u64,
    // Scratch space that every turn uses again.
    events: Vec<Event>,
    due: Vec<Owner>,
    buffer: Box<[u8]>,
}

/// What is called with an undelivered element, and where it was set.
struct UndeliveredHook {
    /// `None` while it is being called.
    call: Option<Box<UndeliveredCall>>,
    set_at: &'static Location<'static>,
}

type UndeliveredCall = dyn FnMut(&mut Hub, Undelivered) -> Result<()>;

/// What a hub has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubStats {
    /// Turns that were made.
    pub turns: u64,
    /// Polls: how often the kernel was asked for events.
    pub polls: u64,
    /// Events that the kernel reported.
    pub events: u64,
    /// Events for sockets that had been closed since, and were dropped.
    pub stale_events: u64,
    /// How often a task was resumed.
    pub resumptions: u64,
    /// Tasks that ended with an error or a panic.
    pub failures: u64,
}

impl Hub {
    /// A hub on the real kernel.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the readiness queue cannot be opened, such as for want of descriptors.
    pub fn new() -> Result<Hub> {
        let error = |error| Error::io(ErrorKind::Io, "cannot open a readiness queue", error);
        Ok(Hub::with_driver(MioDriver::new().map_err(error)?))
    }

    /// A hub on a kernel of your choice.
    #[track_caller]
    pub fn with_driver(driver: impl Driver + 'static) -> Hub {
        let mut tasks = Tasks::new();
        let nobody = tasks.add_main(Location::caller());
        tasks.remove(nobody);
        let main = tasks.add_main(Location::caller());
        Hub {
            driver: Box::new(driver),
            timers: Timers::default(),
            tasks,
            arenas: Arenas::new(),
            ports: Ports::new(),
            clients: Clients::new(),
            undelivered_hooks: BTreeMap::new(),
            undelivered_in_hook: BTreeMap::new(),
            running: None,
            asked: (0, None),
            in_turn: false,
            is_simulated: false,
            is_observed: false,
            observers: Vec::new(),
            resumed_before: 0,
            main,
            nobody,
            main_wake: None,
            closing: Vec::new(),
            unread: Vec::new(),
            mailbox: None,
            on_error: Box::new(failure::log_failure),
            watchdog: Watchdog::new(nobody),
            stats: HubStats::default(),
            was_long: false,
            put_offs: 0,
            verified: 0,
            events: Vec::new(),
            due: Vec::new(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
        }
    }

    /// A hub on a simulated kernel. It checks itself after every turn (with more than 512
    /// tasks, once every so many), and takes down in the trace what it did.
    ///
    /// ```
    /// # use greenroom::{Hub, secs, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(42));
    /// hub.sleep(secs(3600))?; // takes no time at all
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// In a [turn](Hub::turn) after which the hub's own tables contradict each other: that is a bug of this library, and
    /// the seed is all that it takes to mend it.
    #[track_caller]
    pub fn simulated(sim: &Sim) -> Hub {
        let mut hub = Hub::with_driver(sim.driver());
        (hub.is_simulated, hub.is_observed) = (true, true);
        hub
    }

    /// The time. Within a turn it stands still; outside of one it is what the clock says.
    pub fn now(&self) -> Time {
        if self.in_turn {
            self.timers.now()
        } else {
            self.driver.now()
        }
    }

    /// What the hub has done so far.
    pub fn stats(&self) -> HubStats {
        self.stats
    }

    /// How many timers are armed: sleeps, deadlines, pauses.
    pub fn timers_armed(&self) -> usize {
        self.timers.len()
    }

    /// A task for a message: what it is and where it was spawned.
    fn describe(&self, key: Key) -> String {
        let site = self.tasks.get(key).map(|slot| slot.spawned_at);
        site.map_or_else(
            || format!("{:?} (ended)", TaskId(key)),
            |site| format!("{:?} (spawned at {site})", TaskId(key)),
        )
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("driver", &self.driver)
            .field("tasks", &self.tasks().len())
            .field("timers", &self.timers.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
