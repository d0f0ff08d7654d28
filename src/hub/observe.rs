//! What happens in a hub, told as it happens: one hook, from which a trace, a timeline or a narration is made.
//!
//! An [`Observer`] is called for each [`Event`], in the order in which things happen, in the middle of the turn. It gets the event
//! and the time, and not the hub: there is nothing that it could change, so that an observed run is the run that it would have been
//! (and, on a [simulated](crate::Hub::simulated) kernel, has the same hash). What it takes, the hub takes longer.
//!
//! Who tells: the hub tells of turns, tasks and timers itself. Connections know no hub; they take down what happens to them, and the hub
//! tells of it before it tells of anything else (`client/events.rs`). The trace of a simulated kernel is the same hook: it has the events of
//! tasks and timers, in the words that an event displays as.
//!
//! **It costs nothing while nobody observes**: each place that would tell looks at one flag.

mod event;
mod telling;
mod words;

pub use self::event::{Answer, Awaits, By, Ending, Event, Sleeps, Whose};
pub use crate::client::{CancelAction, CommandName, ConnId};

use crate::time::Time;

/// Something that is told of what happens in a hub, see [`Hub::observe`](crate::Hub::observe).
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
