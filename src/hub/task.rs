//! Tasks, and the two words that they exchange with the hub: [`Wait`] and [`Wake`].
//!
//! A greenlet, a goroutine or an `async fn` has a stack that remembers where it stands. A task here has
//! none: it is resumed, works without blocking, and *returns* what it wants to wait for. What a
//! stack would remember stands in its fields, or in the variables that its closure has captured.
//!
//! ```text
//!            Wake::Start                 Wake::Reply(..)               Wake::Elapsed
//!   spawn ──────────────► resume ──┐   ┌───────────────► resume ──┐   ┌─────────────► resume ──┐
//!                                  ▼   │                          ▼   │                        ▼
//!                            Wait::reply(..)                Wait::sleep(..)                Wait::done()
//! ```
//!
//! Every wait ends in exactly one of four ways: what it waits for happens, its deadline passes, the
//! task is notified, or it is killed.

use super::Hub;
use super::ids::{Listener, Stream, TaskId};
use crate::client::{Reply, Ticket};
use crate::error::{Error, ErrorKind, Result};
use crate::time::{Time, nanos};
use std::time::Duration;

/// Something that the hub resumes.
///
/// A closure `FnMut(&mut Hub, Wake) -> Result<Wait>` is a task; write a struct where there are more
/// than one or two states to remember.
///
/// ```
/// use greenroom::{Hub, Result, Task, Wait, Wake, ms};
///
/// struct Countdown(u32);
///
/// impl Task for Countdown {
///     fn resume(&mut self, _hub: &mut Hub, _wake: Wake) -> Result<Wait> {
///         if self.0 == 0 {
///             return Ok(Wait::done());
///         }
///         self.0 -= 1;
///         Ok(Wait::sleep(ms(1)))
///     }
/// }
///
/// let mut hub = Hub::new()?;
/// let task = hub.spawn_task(Countdown(3));
/// hub.join(task)?;
/// # Ok::<(), greenroom::Error>(())
/// ```
pub trait Task {
    /// Continues after what it waited for has happened, and says what to wait for next.
    ///
    /// # Errors
    ///
    /// An error ends the task: it is given to the hub's error hook and to whoever joins the task. So
    /// does a panic. After [`Wake::Killed`] the task has ended whatever it returns.
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait>;
}

impl<F: FnMut(&mut Hub, Wake) -> Result<Wait>> Task for F {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        self(hub, wake)
    }
}

/// What a task waits for: one event, and how long at most.
#[derive(Clone, Copy, Debug)]
#[must_use = "a wait does nothing until a task returns it or main waits for it"]
pub struct Wait {
    pub(crate) event: Event,
    pub(crate) deadline: Option<Until>,
}

/// What can end a wait, besides a deadline, a notify and a kill. This list is closed: whatever can wake
/// a task stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Done,
    Sleep(Until),
    Notify,
    Reply(Ticket),
    Stream(Stream, Direction),
    Accept(Listener),
    Join(TaskId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// So many nanoseconds from the beginning of this turn. (A `Duration` would make each wait and each
    /// task larger by half.)
    After(u64),
    At(Time),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
    Either,
}

impl Wait {
    const fn event(event: Event) -> Wait {
        Wait {
            event,
            deadline: None,
        }
    }

    /// The task has ended, and well.
    pub const fn done() -> Wait {
        Wait::event(Event::Done)
    }

    /// Until `duration` after the beginning of this turn. Zero lets all others that are ready go first.
    pub const fn sleep(duration: Duration) -> Wait {
        Wait::event(Event::Sleep(Until::After(nanos(duration))))
    }

    /// Until a point in time, see [`Hub::now`].
    pub const fn until(time: Time) -> Wait {
        Wait::event(Event::Sleep(Until::At(time)))
    }

    /// Until somebody calls [`Hub::notify`]; at once if somebody has since the last wait.
    pub const fn notified() -> Wait {
        Wait::event(Event::Notify)
    }

    /// Waits until the reply to a request has come. Only one task can wait for it: if several do,
    /// the last one gets it. The commands of [`Redis`](crate::Redis) return this wait.
    pub const fn reply(ticket: Ticket) -> Wait {
        Wait::event(Event::Reply(ticket))
    }

    /// Until there is something to read, or the end; at once when that is so already.
    pub const fn readable(stream: Stream) -> Wait {
        Wait::event(Event::Stream(stream, Direction::Read))
    }

    /// Until there is room to write, or a connect has finished; at once when that is so already.
    pub const fn writable(stream: Stream) -> Wait {
        Wait::event(Event::Stream(stream, Direction::Write))
    }

    /// Until a stream can be read or written; at once when that is so already.
    pub const fn readable_or_writable(stream: Stream) -> Wait {
        Wait::event(Event::Stream(stream, Direction::Either))
    }

    /// Until somebody wants to connect; at once when that is so already.
    pub const fn acceptable(listener: Listener) -> Wait {
        Wait::event(Event::Accept(listener))
    }

    /// Until another task has ended.
    pub const fn join(task: TaskId) -> Wait {
        Wait::event(Event::Join(task))
    }

    /// Limits a wait to `duration` from the beginning of this turn.
    ///
    /// A wait that ends by its deadline wakes the task with [`Wake::Deadline`], and the request it
    /// waited for is cancelled. The server is asked to end a blocking pop first, which takes a
    /// round trip: if an element is on its way already, the task gets it, and
    /// [`Reply::is_late`](crate::Reply::is_late) says so; `Wake::Deadline` means that nothing was
    /// popped. See also [`Wake::outcome`].
    pub const fn within(mut self, duration: Duration) -> Wait {
        self.deadline = Some(Until::After(nanos(duration)));
        self
    }

    /// The request whose reply this waits for: to wait for it again after a notify, with
    /// [`Wait::reply`].
    pub const fn ticket(&self) -> Option<Ticket> {
        match self.event {
            Event::Reply(ticket) => Some(ticket),
            _ => None,
        }
    }
}

/// What a task is resumed with: why its wait has ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Wake {
    /// The task was spawned and runs for the first time.
    Start,
    /// The reply has come, or the request has failed.
    Reply(Result<Reply>),
    /// The sleep is over.
    Elapsed,
    /// A stream or listener is ready. This is a hint: the read, write or accept that follows knows.
    Ready,
    /// The other task has ended; its error, if it failed.
    Joined(Result<()>),
    /// Somebody called [`Hub::notify`].
    Notified,
    /// The deadline of the wait has passed.
    Deadline,
    /// [`Hub::kill`] was called. This is the last resumption: a last chance to clean up.
    Killed,
}

impl Wake {
    /// The error for a wake that a task did not wait for: the last arm of its `match`.
    ///
    /// ```
    /// # use greenroom::{Hub, Wait, Wake, ms};
    /// # let mut hub = Hub::new()?;
    /// let task = hub.spawn(|_hub, wake| match wake {
    ///     Wake::Start => Ok(Wait::sleep(ms(1))),
    ///     Wake::Elapsed => Ok(Wait::done()),
    ///     other => Err(other.unexpected()),
    /// });
    /// hub.join(task)?;
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn unexpected(self) -> Error {
        match self {
            Wake::Killed => Error::new(ErrorKind::Killed, "the task was killed"),
            Wake::Deadline => Error::new(ErrorKind::Timeout, "the deadline of the wait has passed"),
            Wake::Reply(Err(error)) | Wake::Joined(Err(error)) => error,
            other => {
                let message = format!("the task did not expect to be woken with {other:?}");
                Error::new(ErrorKind::Misuse, message)
            }
        }
    }

    /// The reply, where one has come.
    ///
    /// # Errors
    ///
    /// The error of the request, or [`unexpected`](Wake::unexpected) when something else has ended the
    /// wait.
    pub fn reply(self) -> Result<Reply> {
        match self {
            Wake::Reply(reply) => reply,
            other => Err(other.unexpected()),
        }
    }
}
