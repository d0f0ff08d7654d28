//! What can happen in a hub.

use super::{CancelAction, CommandName, ConnId};
use crate::client::Ticket;
use crate::driver::Endpoint;
use crate::error::Error;
use crate::hub::{Listener, Stream, TaskId, Tick};
use crate::time::Time;
use std::panic::Location;
use std::time::Duration;

/// One thing that happens in a hub. It displays as a line in words.
///
/// A blocking pop is `Spawned`, `Resumed`, `Asked`, `Waits`; `Dialed`, `Connected`, `Ready`, `Sent`; and, when the answer has
/// come, `Answered`, `Idle`, `Resumed`, `Ended`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The hub asks the kernel for events, and sleeps meanwhile.
    Polls {
        /// Which turn begins with it, from 1.
        turn: u64,
        /// Until when it sleeps, if no event comes.
        sleeps: Sleeps,
    },
    /// The poll is over, and the time is that of the turn from now on.
    TurnBegan {
        /// Which turn, from 1.
        turn: u64,
        /// How many events the kernel has reported.
        events: usize,
    },
    /// All is done that could be: the time is read again for this.
    TurnEnded {
        /// Which turn, from 1.
        turn: u64,
        /// How many times a task was resumed in it.
        resumed: u64,
    },
    /// The hub finds that nothing is left which could end a wait.
    NothingLeft,
    /// A task was spawned, and stands in the line.
    Spawned {
        /// The task.
        task: TaskId,
        /// Where.
        spawned_at: &'static Location<'static>,
    },
    /// A task runs; or [main](crate::Hub::main) will, when this turn is over.
    Resumed {
        /// The task.
        task: TaskId,
        /// What has ended its wait.
        by: By,
    },
    /// A task asks something of a server.
    Asked {
        /// The task.
        task: TaskId,
        /// The command; of a pipeline the first.
        command: CommandName,
    },
    /// A task waits, or finds that it need not.
    Waits {
        /// The task.
        task: TaskId,
        /// What for.
        what: Awaits,
        /// When a sleep ends, or by when the wait ends at the latest.
        until: Option<Time>,
    },
    /// A task has ended.
    Ended {
        /// The task.
        task: TaskId,
        /// How.
        how: Ending<'a>,
    },
    /// A cron task runs, see [`Hub::every`](crate::Hub::every).
    Ticked {
        /// The task.
        task: TaskId,
        /// When it was due, and how late it is.
        tick: Tick,
    },
    /// A timer has fired.
    Fired {
        /// Whose it was.
        whose: Whose,
    },
    /// A connect is started.
    Dialed {
        /// The connection.
        conn: ConnId,
        /// Which connect of its client it is, from 1.
        number: u64,
        /// Whether it is the one that all commands share which do not block.
        shared: bool,
        /// Where to.
        to: &'a Endpoint,
    },
    /// A connect has finished.
    Connected {
        /// The connection.
        conn: ConnId,
    },
    /// A connection says its handshake, or a `PING` that proves that the server has accepted it.
    HandshakeStarted {
        /// The connection.
        conn: ConnId,
    },
    /// A connection may be used.
    Ready {
        /// The connection.
        conn: ConnId,
    },
    /// A command was put on a connection: it is written at the end of the turn, or as soon as the connection is ready; of a new
    /// connection it may have left with the connect. A second one with the same ticket is the next round of a wait without end.
    Sent {
        /// The connection.
        conn: ConnId,
        /// The request.
        ticket: Ticket,
        /// Who waits for the answer; `None` where the library asks itself.
        task: Option<TaskId>,
        /// The command; of a pipeline the first.
        command: CommandName,
        /// How many there are.
        commands: usize,
        /// How long the server may block, to a millisecond; `None` for a command that does not block, or blocks for ever.
        timeout: Option<Duration>,
    },
    /// A request was answered.
    Answered {
        /// The connection.
        conn: ConnId,
        /// The request.
        ticket: Ticket,
        /// Who waits for it, if anybody still does.
        task: Option<TaskId>,
        /// What has come.
        answer: Answer<'a>,
        /// How long it took since it was put on its connection.
        took: Duration,
    },
    /// A request was given up: its task was killed or has ended, a deadline has passed, or its client was closed.
    CancelRequested {
        /// The connection, if it had one.
        conn: Option<ConnId>,
        /// The request.
        ticket: Ticket,
        /// Who has waited for it, if anybody has.
        task: Option<TaskId>,
        /// What becomes of it.
        what: CancelAction,
    },
    /// A connection is of no use to anybody right now.
    Idle {
        /// The connection.
        conn: ConnId,
    },
    /// A connect or a handshake has failed.
    NotConnected {
        /// The connection.
        conn: ConnId,
        /// Why.
        why: &'a Error,
    },
    /// A connection is gone.
    Closed {
        /// The connection.
        conn: ConnId,
        /// Why.
        why: &'a Error,
    },
}

/// How long a hub sleeps, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sleeps {
    /// Not at all: a task is ready, or something is left to write, to read, to dial or to close.
    NotAtAll,
    /// Until the next timer is due, in so long.
    UntilTimer(Duration),
    /// Until the kernel reports something: there is no timer.
    UntilEvent,
}

/// What has ended a wait: a [`Wake`](crate::Wake) without what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// The task runs for the first time.
    Start,
    /// A reply has come, or the request has failed.
    Reply,
    /// A sleep is over.
    Elapsed,
    /// A stream or a listener is ready.
    Ready,
    /// Another task has ended.
    Joined,
    /// Somebody has notified it.
    Notified,
    /// The deadline of the wait has passed.
    Deadline,
    /// It was killed.
    Killed,
}

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Awaits {
    /// The end of a sleep.
    Sleep,
    /// To be notified.
    Notify,
    /// The reply to this request.
    Reply(Ticket),
    /// This stream.
    Stream(Stream),
    /// Somebody who connects to this listener.
    Accept(Listener),
    /// The end of this task.
    Join(TaskId),
}

/// How a task has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Ending<'a> {
    /// Well.
    Done,
    /// It was killed.
    Killed,
    /// With an error.
    Failed(&'a Error),
    /// With a panic.
    Panicked(&'a Error),
}

/// What has come for a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// Nil: nothing was there to be popped, or it was taken back in time.
    Nil,
    /// Anything else, such as an element.
    Value,
    /// An error.
    Error(&'a Error),
    /// Whatever it is, nobody wants it any more.
    Unwanted,
}

/// Whose timer has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whose {
    /// A task's: a sleep is over, or the deadline of a wait has passed.
    Task(TaskId),
    /// A connection's: the deadline of a handshake or of a command.
    Conn(ConnId),
    /// A pool's: somebody has waited for a connection too long, or connects are tried again.
    Pool,
    /// A stream's or a listener's.
    Port,
}
