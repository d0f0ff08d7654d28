//! Notifying a task from another thread.
//!
//! A hub and everything in it belong to one thread. Work that would hold up the others, such as
//! compressing a file, is done on another thread; when it has ended, that thread calls
//! [`Remote::notify`], and the hub wakes the task.

use super::ids::TaskId;
use crate::driver::Alarm;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A handle with which another thread notifies tasks. Cheap to clone.
///
/// As long as a hub has given one out, [`Hub::run`](crate::Hub::run) does not end by itself.
///
/// ```
/// use greenroom::{Hub, Wait, Wake};
/// let mut hub = Hub::new()?;
/// let remote = hub.remote()?;
/// let task = hub.spawn(|_hub, wake| match wake {
///     Wake::Start => Ok(Wait::notified()),
///     _ => Ok(Wait::done()),
/// });
/// let thread = std::thread::spawn(move || remote.notify(task));
/// hub.join(task)?;
/// thread.join().unwrap()?;
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone)]
pub struct Remote {
    pub(super) mailbox: Arc<Mailbox>,
}

pub(super) struct Mailbox {
    notified: Mutex<Vec<TaskId>>,
    alarm: Alarm,
}

impl Remote {
    /// [Notifies](crate::Hub::notify) a task, in the hub's next turn, which begins at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the hub's poll cannot be ended.
    pub fn notify(&self, task: TaskId) -> Result<()> {
        let notified = &self.mailbox.notified;
        notified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(task);
        (self.mailbox.alarm)()
            .map_err(|error| Error::io(ErrorKind::Io, "cannot wake the hub", error))
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

impl Mailbox {
    pub(super) fn new(alarm: Alarm) -> Mailbox {
        Mailbox {
            notified: Mutex::default(),
            alarm,
        }
    }

    /// Takes the tasks that other threads have notified since the last call.
    pub(super) fn take(&self) -> Vec<TaskId> {
        let mut notified = self.notified.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *notified)
    }
}
