//! Events in words: a line each.

use super::{Answer, Awaits, By, CancelAction, Ending, Event, Sleeps, Whose};
use crate::hub::TaskId;
use crate::time::Time;
use std::fmt::{self, Display, Formatter};

impl Display for Event<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Event::Polls { turn, sleeps } => write!(f, "turn {turn}: the hub sleeps {sleeps}"),
            Event::TurnBegan { turn, events } => write!(f, "turn {turn}: {events} events"),
            Event::TurnEnded { turn, resumed } => {
                write!(f, "turn {turn} has ended: {resumed} tasks were resumed")
            }
            Event::NothingLeft => f.write_str("nothing is left that could end a wait"),
            Event::Spawned { task, spawned_at } => write!(f, "{task:?} is spawned at {spawned_at}"),
            Event::Resumed { task, by } => write!(f, "{task:?} is resumed: {by}"),
            Event::Asked { task, command } => write!(f, "{task:?} asks {command}"),
            Event::Waits { task, what, until } => {
                write!(f, "{task:?} waits for {what}")?;
                until.map_or(Ok(()), |at| write!(f, ", until {:.6}", seconds(at)))
            }
            Event::Ended { task, how } => write!(f, "{task:?} {how}"),
            Event::Ticked { task, tick } => {
                write!(
                    f,
                    "{task:?} ticks: number {}, {:?} late",
                    tick.number, tick.late
                )
            }
            Event::Fired { whose } => write!(f, "a timer of {whose} is due"),
            _ => self.of_connection(f),
        }
    }
}

impl Event<'_> {
    fn of_connection(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Event::Dialed {
                conn, number, to, ..
            } => {
                write!(f, "{conn:?} is dialed, as number {number}, to {to}")
            }
            Event::Connected { conn } => write!(f, "{conn:?} is connected"),
            Event::HandshakeStarted { conn } => write!(f, "{conn:?} says its handshake"),
            Event::Ready { conn } => write!(f, "{conn:?} is ready"),
            Event::Sent {
                conn,
                task,
                command,
                commands,
                ..
            } => {
                write!(f, "{conn:?} sends {command}")?;
                if *commands > 1 {
                    write!(f, " and {} more", commands - 1)?;
                }
                of(f, *task)
            }
            Event::Answered {
                conn,
                task,
                answer,
                took,
                ..
            } => {
                write!(f, "{conn:?} is answered, {answer}, after {took:?},")?;
                of(f, *task)
            }
            Event::CancelRequested { task, what, .. } => {
                f.write_str("a request")?;
                of(f, *task)?;
                write!(f, " is given up: {what}")
            }
            Event::Idle { conn } => write!(f, "{conn:?} is idle"),
            Event::NotConnected { conn, why } => write!(f, "{conn:?} is not connected: {why}"),
            Event::Closed { conn, why } => write!(f, "{conn:?} is closed: {why}"),
            _ => Ok(()),
        }
    }
}

fn of(f: &mut Formatter<'_>, task: Option<TaskId>) -> fmt::Result {
    match task {
        Some(task) => write!(f, " for {task:?}"),
        None => f.write_str(" for no task"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a year fit")]
fn seconds(at: Time) -> f64 {
    at.as_nanos() as f64 / 1e9
}

impl Display for Sleeps {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Sleeps::NotAtAll => f.write_str("not at all: there is something to do"),
            Sleeps::UntilTimer(time) => {
                write!(f, "for {time:?} at most: then the next timer is due")
            }
            Sleeps::UntilEvent => f.write_str("until something happens: there is no timer"),
        }
    }
}

impl Display for By {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            By::Start => "it starts",
            By::Reply => "its reply has come",
            By::Elapsed => "its sleep is over",
            By::Ready => "its stream is ready",
            By::Joined => "the task that it waited for has ended",
            By::Notified => "it was notified",
            By::Deadline => "its deadline has passed",
            By::Killed => "it was killed",
        })
    }
}

impl Display for Awaits {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Awaits::Sleep => f.write_str("the end of a sleep"),
            Awaits::Notify => f.write_str("a notify"),
            Awaits::Reply(_) => f.write_str("a reply"),
            Awaits::Stream(stream) => write!(f, "stream {:?}", stream.key()),
            Awaits::Accept(listener) => write!(f, "listener {:?}", listener.key()),
            Awaits::Join(task) => write!(f, "the end of {task:?}"),
        }
    }
}

impl Display for Ending<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Done => f.write_str("has ended"),
            Ending::Killed => f.write_str("has ended: it was killed"),
            Ending::Failed(error) | Ending::Panicked(error) => write!(f, "has failed: {error}"),
        }
    }
}

impl Display for Answer<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Nil => f.write_str("with nil"),
            Answer::Value => f.write_str("with a value"),
            Answer::Error(error) => write!(f, "with an error ({error})"),
            Answer::Unwanted => f.write_str("when nobody wants it"),
        }
    }
}

impl Display for CancelAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CancelAction::Withdrawn => "it was not sent, and will not be",
            CancelAction::Unblocking => "the server is asked to end it",
            CancelAction::Ignored => "its answer will be dropped",
        })
    }
}

impl Display for Whose {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Whose::Task(task) => write!(f, "{task:?}"),
            Whose::Conn(conn) => write!(f, "{conn:?}"),
            Whose::Pool => f.write_str("a pool"),
            Whose::Port => f.write_str("a stream"),
        }
    }
}
