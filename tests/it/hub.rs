//! Tasks and their waits, without any server.
//!
//! What is about time runs on a [`Clockwork`], whose clock stands still until the hub sleeps: such
//! a test takes no time at all, and knows every moment exactly. What is about the kernel runs on
//! the real one.

mod dump;
mod every;
mod failing_tasks;
mod kills;
mod outside;
mod timers;
mod turns;
mod waits;
mod watchdog;

use crate::kernel::{Clockwork, Tapped};
use crate::notes::Notes;
use crate::peer::{PATIENCE, until};
use greenroom::{
    Error, ErrorKind, Failure, Hub, Missed, Result, TaskId, Time, Wait, Wake, ms, secs,
};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A deadline is rounded up to the next tick of the wheel, which is 2^17 ns long.
const TICK: Duration = Duration::from_nanos(1 << 17);

fn clockwork() -> (Hub, Clockwork) {
    let kernel = Clockwork::new();
    (Hub::with_driver(kernel.clone()), kernel)
}

/// A task that waits once, and notes with what it was woken.
fn waiter(hub: &mut Hub, notes: &Notes<String>, wait: Wait) -> TaskId {
    let notes = notes.clone();
    hub.spawn(move |_hub, wake| match wake {
        Wake::Start => Ok(wait),
        wake => {
            notes.add(format!("{wake:?}"));
            Ok(Wait::done())
        }
    })
}

/// A task that fails at once.
fn failing(hub: &mut Hub, why: &'static str) -> TaskId {
    hub.spawn(move |_hub, _wake| Err(Error::new(ErrorKind::Config, why)))
}

/// A task that ends after a while.
fn lasting(hub: &mut Hub, time: Duration) -> TaskId {
    hub.spawn(move |_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(time)),
        _ => Ok(Wait::done()),
    })
}

/// A task that does `act` when it starts, and ends.
#[track_caller]
fn acting(hub: &mut Hub, mut act: impl FnMut(&mut Hub) + 'static) -> TaskId {
    hub.spawn(move |hub, _wake| {
        act(hub);
        Ok(Wait::done())
    })
}

/// What a hub without a hook of its own would log.
fn failures(hub: &mut Hub) -> Notes<Failure> {
    let notes = Notes::new();
    let hook = notes.clone();
    hub.on_error(move |failure| hook.add(failure.clone()));
    notes
}
