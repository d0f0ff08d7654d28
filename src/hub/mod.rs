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
//! | `mod.rs` | the hub, and what main does with it |
//! | `turn.rs` | the seven phases of a turn |
//! | `task.rs` | `Task`, `Wait` and `Wake`: the words between hub and tasks |
//! | `arenas.rs` | where tasks live |
//! | `tasks.rs` | the table of tasks and the line of those that are ready |
//! | `spawning.rs` | what programs do with tasks: spawn, kill, notify |
//! | `scheduling.rs` | how a wait begins and ends, and how a task runs and ends |
//! | `asking.rs` | what tasks ask of servers |
//! | `every.rs` | cron |
//! | `streams.rs` | streams and listeners for tasks that do their own input and output |
//! | `observe.rs` | what happens, told as it happens |
//! | `verify.rs` | what must be true between two turns |
//! | `remote.rs` | notifying a task from another thread |
//! | `dump.rs` | what every task waits for, in words |
//! | `watchdog.rs` | who holds the hub for too long |

mod arenas;
mod asking;
mod dump;
mod every;
mod late;
pub mod observe;
mod outcome;
mod remote;
mod scheduling;
mod spawning;
mod streams;
mod task;
mod tasks;
mod turn;
mod verify;
mod watchdog;

pub use self::dump::Dump;
pub use self::every::{Missed, Tick};
pub use self::outcome::Outcome;
pub use self::remote::Remote;
pub use self::spawning::Failure;
pub use self::streams::{Handle, Listener, Stream};
pub use self::task::{Task, TaskId, Wait, Wake};
pub use self::watchdog::Hold;

use self::arenas::Arenas;
use self::late::LateHook;
use self::observe::{Event as Told, Observer};
use self::remote::Mailbox;
use self::streams::Ports;
use self::tasks::Tasks;
use self::watchdog::Watchdog;
use crate::conn::{Clients, Late, Ticket};
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
use std::time::Duration;

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
    /// What gets late elements, by pools as words.
    late_hooks: BTreeMap<usize, LateHook>,
    /// What those tasks have that call them, by their keys as words.
    late_told: BTreeMap<usize, Late>,
    /// The task that is being resumed.
    running: Option<Key>,
    /// How many requests it has asked since it was resumed, and the last of them.
    asked: (u32, Option<Ticket>),
    in_turn: bool,
    /// It takes down what it does, and checks itself.
    is_watched: bool,
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
    /// How many polls in a row brought a full batch.
    full_polls: u32,
    /// What turns have paid for and verifying has used, see [`VERIFIED_PER_TURN`](turn::VERIFIED_PER_TURN).
    verified: u64,
    // Scratch space that every turn uses again.
    events: Vec<Event>,
    due: Vec<Owner>,
    buffer: Box<[u8]>,
}

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
            clients: Clients::new(nobody),
            late_hooks: BTreeMap::new(),
            late_told: BTreeMap::new(),
            running: None,
            asked: (0, None),
            in_turn: false,
            is_watched: false,
            is_observed: false,
            observers: Vec::new(),
            resumed_before: 0,
            main,
            nobody,
            main_wake: None,
            closing: Vec::new(),
            unread: Vec::new(),
            mailbox: None,
            on_error: Box::new(scheduling::log_failure),
            watchdog: Watchdog::new(nobody),
            stats: HubStats::default(),
            full_polls: 0,
            verified: 0,
            events: Vec::new(),
            due: Vec::new(),
            buffer: vec![0; turn::READ_BYTES].into_boxed_slice(),
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
        (hub.is_watched, hub.is_observed) = (true, true);
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

    /// Makes turns until nothing is left to wait for: no task is ready, and neither timer, request, stream nor
    /// [`Remote`] could ever wake one. A cron task never comes to that end; see [`Hub::kill`].
    ///
    /// ```
    /// # use greenroom::{Hub, Wait, Wake, secs, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// for seconds in 1..=3 {
    ///     hub.spawn(move |_hub, wake| match wake {
    ///         Wake::Start => Ok(Wait::sleep(secs(seconds))),
    ///         _ => Ok(Wait::done()),
    ///     });
    /// }
    /// hub.run()?; // until the last of them has ended
    /// assert_eq!(hub.now().as_nanos() / 1_000_000, 3000);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] from inside a task; [`ErrorKind::Io`] when the kernel's poll fails. Tasks that fail
    /// do not end the run: see [`Hub::on_error`].
    pub fn run(&mut self) -> Result<()> {
        self.enter("run")?;
        while !self.is_stuck() {
            self.turn()?;
        }
        if self.is_observed {
            self.tell(&Told::NothingLeft);
        }
        Ok(())
    }

    /// Waits as a task does: makes turns until the wait has ended, and says why it has.
    ///
    /// ```no_run
    /// use greenroom::{Hub, Redis};
    /// let mut hub = Hub::new()?;
    /// let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// let asked = redis.get(&mut hub, "key")?;
    /// let value: Option<String> = hub.wait(asked)?.reply()?.to()?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`] from inside a task: a task returns what it waits for. [`ErrorKind::Deadlock`] when nothing is
    /// left that could end the wait. [`ErrorKind::Io`] when the kernel's poll fails.
    pub fn wait(&mut self, wait: Wait) -> Result<Wake> {
        self.enter("wait")?;
        let main = self.tasks.get_mut(self.main);
        match main.is_some_and(|slot| std::mem::take(&mut slot.notified)) {
            true => return Ok(Wake::Notified),
            false => self.begin_wait(self.main, wait),
        }
        loop {
            if let Some(wake) = self.main_wake.take() {
                return Ok(wake);
            }
            let turned = match self.is_stuck() {
                false => self.turn(),
                true => {
                    if self.is_observed {
                        self.tell(&Told::NothingLeft);
                    }
                    let message = "nothing is left that could end this wait";
                    Err(Error::new(ErrorKind::Deadlock, message))
                }
            };
            if let Err(error) = turned {
                self.unwait_main();
                return Err(error);
            }
        }
    }

    /// The task that is being resumed; outside of tasks, [main](Hub::main).
    ///
    /// ```
    /// # use greenroom::{Hub, Wait, Wake, secs, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// assert_eq!(hub.current(), hub.main());
    /// let task = hub.spawn(|hub, wake| match wake {
    ///     Wake::Start => {
    ///         let me = hub.current();
    ///         // Whoever helps knows whom to tell.
    ///         hub.spawn(move |hub, _wake| {
    ///             hub.notify(me);
    ///             Ok(Wait::done())
    ///         });
    ///         Ok(Wait::notified())
    ///     }
    ///     _ => Ok(Wait::done()),
    /// });
    /// hub.join(task)?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn current(&self) -> TaskId {
        TaskId(self.running.unwrap_or(self.main))
    }

    /// The task that stands for the main program: to [notify](Hub::notify) it.
    pub fn main(&self) -> TaskId {
        TaskId(self.main)
    }

    /// Lets all others run for `duration`. Main continues then, or up to one turn later; earlier if a task
    /// [notifies](Hub::notify) it.
    ///
    /// # Errors
    ///
    /// As [`wait`](Hub::wait).
    pub fn sleep(&mut self, duration: Duration) -> Result<()> {
        self.wait(Wait::sleep(duration)).map(drop)
    }

    /// Waits until a task has ended. Joining a task that has ended takes no turn.
    ///
    /// # Errors
    ///
    /// The error with which the task ended, the first time somebody asks for it, and those of [`wait`](Hub::wait). A task
    /// that was killed has not failed.
    pub fn join(&mut self, task: TaskId) -> Result<()> {
        self.enter("join")?;
        self.join_outcome(task)?
    }

    /// Waits until all these tasks have ended.
    ///
    /// ```
    /// # use greenroom::{Error, ErrorKind, Hub, Wait, sim::Sim};
    /// let mut hub = Hub::simulated(&Sim::new(1));
    /// hub.on_error(|_| {});
    /// let good = hub.spawn(|_hub, _wake| Ok(Wait::done()));
    /// let bad = hub.spawn(|_hub, _wake| Err(Error::new(ErrorKind::Task, "out of luck")));
    /// let error = hub.join_all(&[good, bad]).unwrap_err();
    /// assert!(error.to_string().contains("out of luck"));
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Task`] when any has failed: it says how many, and how the first of them in the order of `tasks`.
    /// Those of [`wait`](Hub::wait).
    pub fn join_all(&mut self, tasks: &[TaskId]) -> Result<()> {
        self.enter("join_all")?;
        let mut failed = 0;
        let mut first = None;
        for &task in tasks {
            if let Err(error) = self.join_outcome(task)? {
                failed += 1;
                first.get_or_insert(error);
            }
        }
        match first {
            None => Ok(()),
            Some(first) => {
                let message = format!(
                    "{failed} of {} tasks failed, the first: {first}",
                    tasks.len()
                );
                Err(Error::new(ErrorKind::Task, message))
            }
        }
    }

    /// The outer result is the hub's, the inner one the task's.
    fn join_outcome(&mut self, task: TaskId) -> Result<Result<()>> {
        if let Some(outcome) = self.outcome(task.0) {
            return Ok(outcome);
        }
        match self.wait(Wait::join(task))? {
            Wake::Joined(outcome) => Ok(outcome),
            other => Err(other.unexpected()),
        }
    }

    /// Main enters the hub: the clock may have gone on since the last turn.
    pub(crate) fn enter(&mut self, call: &str) -> Result<()> {
        self.refuse_inside_task(call)?;
        self.timers.set_now(self.driver.now());
        Ok(())
    }

    /// A task that makes turns would make them within a turn.
    fn refuse_inside_task(&self, call: &str) -> Result<()> {
        if let Some(key) = self.running {
            let task = self.describe(key);
            let message = format!("{task} called Hub::{call}: a task returns what it waits for");
            return Err(Error::new(ErrorKind::Misuse, message));
        }
        Ok(())
    }

    /// Whether nothing is left that could wake anybody.
    fn is_stuck(&self) -> bool {
        self.tasks.in_line() == 0
            && self.main_wake.is_none()
            && self.timers.len() == 0
            && self.clients.pending() == 0
            && self.tasks.waiting_for_io == 0
            && self.mailbox.is_none()
            && !self.has_work()
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
