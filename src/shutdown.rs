//! Graceful shutdown: all are told, have a while to come to an end, and are killed if they do not.
//!
//! ```text
//!   a signal ──┐
//!              ├──► requested ──► callbacks run, ──► tasks end ──┬─► all have ended ─────────────┐
//!   request ───┘                  tasks are told     meanwhile   │                               ▼
//!                                                                └─► the grace is over: killed ─► report
//! ```
//!
//! A program that just ends leaves work half done: a job that was taken from a list and belongs to nobody now, an answer
//! half written. One that waits for all of its work may never end. So work has a *grace*, a time to come to an end in, and
//! is killed after it. Nobody knows better than a task what its end should be. That is why it is only told, by a
//! [notify](Hub::notify): it wakes with [`Wake::Notified`] whatever it waits for, or asks
//! [`Shutdown::is_requested`] between two pieces of work.
//!
//! There is no signal in this file. [`Shutdown::request`] is all that a signal does too, which is how a shutdown
//! can be tested on a [simulated hub](Hub::simulated). With the feature `signals`, `Shutdown::on_signals` (in `signals.rs`)
//! is where most programs get theirs.

use crate::error::Result;
use crate::hub::{Hub, TaskId, Wait, Wake};
use crate::time::Time;
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// The list of those to be told keeps so many that have ended, and as many more as it has others, before it is cleaned up.
const STALE_MAX: usize = 16;

/// A shutdown that may be requested, once. Cheap to clone; all clones are the same one.
///
/// ```
/// use greenroom::{Hub, Shutdown, Wait, Wake, secs, sim::Sim};
/// let mut hub = Hub::simulated(&Sim::new(1));
/// let shutdown = Shutdown::new();
///
/// // A worker ends between two jobs, and never in one.
/// let stop = shutdown.clone();
/// let worker = hub.spawn(move |_hub, wake| match wake {
///     Wake::Killed => Ok(Wait::done()),
///     _ if stop.is_requested() => Ok(Wait::done()),
///     _ => Ok(Wait::sleep(secs(3))), // a job
/// });
/// // What it is that ends the program: a signal, most often.
/// let stop = shutdown.clone();
/// hub.spawn(move |hub, wake| match wake {
///     Wake::Start => Ok(Wait::sleep(secs(10))),
///     _ => {
///         stop.request(hub);
///         Ok(Wait::done())
///     }
/// });
///
/// shutdown.wait(&mut hub)?;
/// let report = shutdown.finish(&mut hub, secs(5), &[worker])?;
/// assert_eq!((report.ended, report.killed), (1, 0));
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Shutdown {
    state: Rc<State>,
}

#[derive(Default)]
struct State {
    is_requested: Cell<bool>,
    signal: Cell<Option<c_int>>,
    told: RefCell<Vec<TaskId>>,
    calls: RefCell<Vec<Call>>,
}

type Call = Box<dyn FnOnce(&mut Hub)>;

/// How the tasks have ended that a shutdown waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Tasks that ended by themselves, those that had ended before included.
    pub ended: usize,
    /// So many of these ended with an error or a panic, of which [`Hub::on_error`] was told.
    pub failed: usize,
    /// Tasks that were killed when the grace was over.
    pub killed: usize,
}

impl Shutdown {
    /// A shutdown that nobody has requested, and that no signal will.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        self.state.is_requested.get()
    }

    /// The number of the signal that has requested it; `None` while nobody has, and when it was no signal. A shell
    /// expects a program that a signal has ended to exit with 128 and this number.
    pub fn signal(&self) -> Option<c_int> {
        self.state.signal.get()
    }

    /// Has a task [notified](Hub::notify) when the shutdown is requested; at once if it was. Once for each task is
    /// enough.
    ///
    /// The notify ends whatever the task waits for. A task that waits for a reply should not end there: the element of a
    /// blocking pop may be on its way. Let it wait again for the [`ticket`](Wait::ticket), and end after that.
    pub fn tell(&self, hub: &mut Hub, task: TaskId) {
        if self.is_requested() {
            hub.notify(task);
            return;
        }
        let mut told = self.state.told.borrow_mut();
        if told.len() == told.capacity() {
            told.retain(|&task| !hub.is_ended(task));
            let alive = told.len();
            told.reserve(alive + STALE_MAX);
        }
        told.push(task);
    }

    /// Calls `act` when the shutdown is requested; at once if it was. Callbacks run within [`request`](Shutdown::request), in the
    /// order in which they were set, and before any task is told.
    pub fn on_request(&self, hub: &mut Hub, act: impl FnOnce(&mut Hub) + 'static) {
        match self.is_requested() {
            true => act(hub),
            false => self.state.calls.borrow_mut().push(Box::new(act)),
        }
    }

    /// Requests the shutdown: from main, or from a task. Does nothing when it was requested before.
    pub fn request(&self, hub: &mut Hub) {
        self.begin(hub, None);
    }

    /// The same, with the signal that is the reason.
    pub(crate) fn begin(&self, hub: &mut Hub, signal: Option<c_int>) {
        if self.state.is_requested.replace(true) {
            return;
        }
        self.state.signal.set(signal);
        // Taken out first: a callback may tell others and set callbacks, and those are served at once.
        for act in self.state.calls.take() {
            act(hub);
        }
        for task in self.state.told.take() {
            hub.notify(task);
        }
    }

    /// Lets all others run until the shutdown is requested; returns at once if it was.
    ///
    /// # Errors
    ///
    /// Those of [`Hub::wait`]: among them [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) when nothing is left that could
    /// request it.
    pub fn wait(&self, hub: &mut Hub) -> Result<()> {
        hub.enter("wait")?;
        if !self.is_requested() {
            let main = hub.main();
            self.tell(hub, main);
        }
        while !self.is_requested() {
            hub.wait(Wait::notified())?;
        }
        Ok(())
    }

    /// Requests the shutdown, if nobody has; waits for these tasks until all have ended, or for `grace`; then kills those
    /// that are left, and waits for their ends.
    ///
    /// The grace counts from this call. Zero kills them all at once. Cron tasks never end by themselves, so
    /// that [`Hub::tasks`] is seldom what to wait for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) from inside a task, and nothing is requested then;
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the kernel's poll fails. A task that fails is only counted.
    pub fn finish(
        &self,
        hub: &mut Hub,
        grace: Duration,
        tasks: &[TaskId],
    ) -> Result<ShutdownReport> {
        hub.enter("wait")?;
        self.request(hub);
        let until = hub.now() + grace;
        let mut report = ShutdownReport::default();
        let mut killed = Vec::new();
        // Main cannot be killed, and would wait for itself.
        let main = hub.main();
        for &task in tasks.iter().filter(|&&task| task != main) {
            match outcome(hub, task, until)? {
                Some(outcome) => {
                    report.ended += 1;
                    report.failed += usize::from(outcome.is_err());
                }
                None => {
                    hub.kill(task);
                    killed.push(task);
                }
            }
        }
        report.killed = killed.len();
        for task in killed {
            // What it fails with on its way out concerns nobody any more.
            let _ = outcome(hub, task, Time::from_nanos(u64::MAX))?;
        }
        Ok(report)
    }
}

/// Waits for the end of a task, and says how it has ended; `None` if it has not by then.
fn outcome(hub: &mut Hub, task: TaskId, until: Time) -> Result<Option<Result<()>>> {
    loop {
        if hub.is_ended(task) {
            return Ok(Some(hub.join(task)));
        }
        let left = until.since(hub.now());
        if left.is_zero() {
            return Ok(None);
        }
        if let Wake::Joined(outcome) = hub.wait(Wait::join(task).within(left))? {
            return Ok(Some(outcome));
        }
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("is_requested", &self.is_requested())
            .field("signal", &self.signal())
            .finish_non_exhaustive()
    }
}
