//! The timer wheel in units of time.
//!
//! The wheel counts ticks and does not know how long one is. Here a tick is 2^17 ns, about an eighth
//! of a millisecond: short enough that rounding disappears beside the whole milliseconds in which a
//! kernel's poll sleeps, and a shift instead of a division.
//!
//! A deadline is rounded up to the next tick and the clock down to the last one, so that a timer
//! never fires early.

use crate::time::Time;
use crate::token::Owner;
use crate::wheel::{Timer, Wheel};

/// A tick is 2^17 ns = 0.131 ms.
const TICK_SHIFT: u32 = 17;

/// All timers of a hub, and the time of its present turn.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    wheel: Wheel<Owner>,
    now: Time,
}

impl Timers {
    /// The time of this turn: it stands still until the next one.
    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// Moves the time forward. Nothing fires before [`expire`](Timers::expire).
    pub(crate) fn set_now(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// Appends the owners of all timers that are due, earliest first.
    pub(crate) fn expire(&mut self, due: &mut Vec<Owner>) {
        self.wheel.advance(self.now.as_nanos() >> TICK_SHIFT, due);
    }

    /// Until when nothing has to be done; `None` when no timer is armed.
    pub(crate) fn next_wake(&self) -> Option<Time> {
        let tick = self.wheel.next_wake()?;
        Some(Time::from_nanos(tick.saturating_mul(1 << TICK_SHIFT)))
    }

    /// Tells `owner` once `at` has come, on the next turn at the earliest.
    pub(crate) fn arm(&mut self, at: Time, owner: Owner) -> Timer {
        self.wheel
            .arm(at.as_nanos().div_ceil(1 << TICK_SHIFT), owner)
    }

    /// Takes a timer back, if it is still armed.
    pub(crate) fn disarm(&mut self, timer: &mut Option<Timer>) {
        if let Some(timer) = timer.take() {
            self.wheel.cancel(timer);
        }
    }

    /// True if a timer is armed and fires at `at` or earlier.
    pub(crate) fn fires_by(&self, timer: Timer, at: Time) -> bool {
        let when = self.wheel.when(timer);
        when.is_some_and(|tick| tick <= at.as_nanos().div_ceil(1 << TICK_SHIFT))
    }

    /// Whether a timer is armed.
    pub(crate) fn is_armed(&self, timer: Timer) -> bool {
        self.wheel.when(timer).is_some()
    }

    /// When a timer is due, to a tick; `None` when it is not armed.
    pub(crate) fn when(&self, timer: Timer) -> Option<Time> {
        let tick = self.wheel.when(timer)?;
        Some(Time::from_nanos(tick.saturating_mul(1 << TICK_SHIFT)))
    }

    /// How many timers are armed.
    pub(crate) fn len(&self) -> usize {
        self.wheel.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::ms;
    use crate::token::Slots;
    use std::time::Duration;

    #[test]
    fn a_timer_is_never_early_and_less_than_a_tick_late() {
        let owner = Owner::Task(Slots::new().insert(()));
        for nanos in [1, (1 << 17) - 1, 1 << 17, (1 << 17) + 1, 123_456_789] {
            let mut timers = Timers::default();
            let at = Time::from_nanos(nanos);
            timers.arm(at, owner);
            let mut due = Vec::new();
            timers.set_now(Time::from_nanos(nanos - 1));
            timers.expire(&mut due);
            assert!(due.is_empty(), "early for {nanos}");
            timers.set_now(timers.next_wake().expect("one timer is armed"));
            timers.expire(&mut due);
            assert_eq!(due, [owner], "for {nanos}");
            assert!(timers.now().since(at) < Duration::from_nanos(1 << 17));
        }
    }

    #[test]
    fn time_never_goes_backwards() {
        let mut timers = Timers::default();
        timers.set_now(Time::ZERO + ms(5));
        timers.set_now(Time::ZERO + ms(3));
        assert_eq!(timers.now(), Time::ZERO + ms(5));
        assert_eq!(timers.next_wake(), None);
    }
}
