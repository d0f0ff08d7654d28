//! Cron: a task that keeps returning a sleep.
//!
//! A loop of *work, then sleep 0.2 s* drifts: each round takes 0.2 s plus the work plus the lateness of the
//! timer. A cron task keeps its *phase* instead: tick n is due at start + n * period, and the next is
//! computed from when this one was due, not from when it ran. If the hub was held up past the next due moment, what
//! becomes of the ticks in between is a policy: [`Missed`].

use super::ids::TaskId;
use super::task::{Task, Wait, Wake};
use super::tick::{Missed, Tick};
use super::{Hub, Result};
use crate::time::{Time, ms};
use std::panic::Location;
use std::time::Duration;

struct Every<F> {
    period: Duration,
    missed: Missed,
    due: Time,
    number: u64,
    run: F,
}

impl Hub {
    /// Runs `run` again and again: first one `period` from now, then each `period` after that, until it
    /// returns an error or is [killed](Hub::kill). Ticks that could not run in time are skipped;
    /// [`every_with`](Hub::every_with) has other policies.
    ///
    /// The task is [detached](Hub::detach). A period under 1 ms counts as 1 ms. `run` cannot wait
    /// for the reply to a command that it submits: see [`Hub::ignore`].
    ///
    /// ```
    /// use greenroom::{Hub, ms};
    /// let mut hub = Hub::new()?;
    /// let cron = hub.every(ms(2), |_hub, tick| {
    ///     println!("tick {}, {:?} late", tick.number, tick.late);
    ///     Ok(())
    /// });
    /// hub.sleep(ms(9))?;
    /// hub.kill(cron);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    #[track_caller]
    pub fn every<F>(&mut self, period: Duration, run: F) -> TaskId
    where
        F: FnMut(&mut Hub, Tick) -> Result<()> + 'static,
    {
        self.every_with(period, Missed::Skip, run)
    }

    /// [`every`](Hub::every), with another policy for ticks that could not run in time.
    #[track_caller]
    pub fn every_with<F>(&mut self, period: Duration, missed: Missed, run: F) -> TaskId
    where
        F: FnMut(&mut Hub, Tick) -> Result<()> + 'static,
    {
        let period = period.max(ms(1));
        let due = self.now() + period;
        let every = Every {
            period,
            missed,
            due,
            number: 0,
            run,
        };
        let task = self.spawn_at(every, Location::caller());
        self.detach(task);
        task
    }
}

impl<F: FnMut(&mut Hub, Tick) -> Result<()>> Task for Every<F> {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        if let Wake::Elapsed = wake {
            let tick = self.tick(hub.now());
            hub.tell_tick(tick);
            (self.run)(hub, tick)?;
        }
        Ok(Wait::until(self.due))
    }
}

impl<F> Every<F> {
    /// The tick that runs now; sets when the next one is due.
    fn tick(&mut self, now: Time) -> Tick {
        let due = self.due;
        let late = now.since(due);
        let behind = u64::try_from(late.as_nanos() / self.period.as_nanos()).unwrap_or(u64::MAX);
        let missed = match self.missed {
            Missed::Skip | Missed::Delay => behind,
            Missed::Burst => 0,
        };
        self.due = match self.missed {
            Missed::Skip => Time::from_nanos(now.as_nanos() - self.since_beat(late)) + self.period,
            Missed::Burst => due + self.period,
            Missed::Delay => now + self.period,
        };
        self.number += 1;
        Tick {
            number: self.number,
            due,
            late,
            missed,
        }
    }

    /// How long ago the last beat of the phase was, for a tick that is so late.
    fn since_beat(&self, late: Duration) -> u64 {
        u64::try_from(late.as_nanos() % self.period.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(missed: Missed) -> Every<()> {
        Every {
            period: ms(200),
            missed,
            due: Time::ZERO + ms(400),
            number: 0,
            run: (),
        }
    }

    #[test]
    fn a_tick_in_time_keeps_the_phase() {
        for missed in [Missed::Skip, Missed::Burst] {
            let mut every = every(missed);
            let tick = every.tick(Time::ZERO + ms(403));
            assert_eq!((tick.number, tick.late, tick.missed), (1, ms(3), 0));
            assert_eq!(every.due, Time::ZERO + ms(600));
        }
    }

    #[test]
    fn skip_leaves_out_what_is_past_and_keeps_the_phase() {
        let mut every = every(Missed::Skip);
        assert_eq!(every.tick(Time::ZERO + ms(900)).missed, 2);
        assert_eq!(every.due, Time::ZERO + ms(1000));
    }

    #[test]
    fn skip_that_is_late_by_exactly_one_period_runs_on_the_beat_after_the_next() {
        let mut every = every(Missed::Skip);
        assert_eq!(every.tick(Time::ZERO + ms(600)).missed, 1);
        assert_eq!(every.due, Time::ZERO + ms(800));
    }

    #[test]
    fn burst_runs_everything_and_delay_starts_anew() {
        let mut burst = every(Missed::Burst);
        let now = Time::ZERO + ms(900);
        let runs = std::iter::from_fn(|| (burst.due <= now).then(|| burst.tick(now)));
        assert_eq!(runs.map(|tick| tick.missed).collect::<Vec<_>>(), [0, 0, 0]);
        let mut delay = every(Missed::Delay);
        assert_eq!(delay.tick(now).missed, 2);
        assert_eq!(delay.due, Time::ZERO + ms(1100));
    }
}
