//! What happens in a hub, told as it happens: one hook, from which a trace, a timeline or a narration is made.
//!
//! An [`Observer`] is called for each [`Event`], in the order in which things happen, in the middle of the turn. It gets the event
//! and the time, and not the hub: there is nothing that it could change, so that an observed run is the run that it would have been
//! (and, on a [simulated](Hub::simulated) kernel, has the same hash). What it takes, the hub takes longer.
//!
//! Who tells: the hub tells of turns, tasks and timers itself. Connections know no hub; they take down what happens to them, and the hub
//! tells of it before it tells of anything else (`conn/seen.rs`). The trace of a simulated kernel is the same hook: it has the events of
//! tasks and timers, in the words that an event displays as.
//!
//! **It costs nothing while nobody observes**: each place that would tell looks at one flag.

mod event;
mod telling;
mod words;

pub use self::event::{Answer, Awaits, By, Ending, Event, Sleeps, Whose};
pub use crate::conn::{CommandName, ConnId, Given};

use super::Hub;
use crate::time::Time;

/// Something that is told of what happens in a hub, see [`Hub::observe`].
pub trait Observer {
    /// Something has happened at this time: that of the turn, which stands still within it, but for the moments at which the
    /// hub begins to sleep and a turn ends.
    ///
    /// It is called within the turn, and holds up the hub as long as it takes. A panic is logged, and does not end the run.
    fn event(&mut self, at: Time, event: &Event<'_>);
}

impl<F: FnMut(Time, &Event<'_>)> Observer for F {
    fn event(&mut self, at: Time, event: &Event<'_>) {
        self(at, event);
    }
}

/// The calls of programs.
impl Hub {
    /// Tells `observer` of everything that happens from now on. Who observes already is told before it.
    ///
    /// An observer has no hub, and must not get at one: it looks, and runs in the middle of a turn, which it makes longer. What it
    /// has seen it shares with the program as things are shared within one thread:
    ///
    /// ```
    /// use greenroom::observe::Event;
    /// use greenroom::{Hub, ms};
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// let mut hub = Hub::new()?;
    /// let turns = Rc::new(Cell::new(0));
    /// let counted = Rc::clone(&turns);
    /// hub.observe(move |_at: greenroom::Time, event: &Event<'_>| {
    ///     if let Event::TurnEnded { .. } = event {
    ///         counted.set(counted.get() + 1);
    ///     }
    /// });
    /// hub.sleep(ms(2))?;
    /// hub.stop_observing();
    /// assert_eq!(turns.get(), hub.stats().turns);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        if self.observers.is_empty() {
            self.clients.watch(true);
        }
        self.observers.push(Box::new(observer));
        self.is_observed = true;
    }

    /// Drops all observers. They are told of nothing any more, not even of what led up to this.
    pub fn stop_observing(&mut self) {
        self.observers.clear();
        self.clients.watch(false);
        self.is_observed = self.is_simulated;
    }
}
