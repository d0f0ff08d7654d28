//! Cron beside a client in trouble: simulated time stands still while anything runs, so that a tick is late only where the clock
//! jumps.

use super::Verdict;
use super::world::World;
use crate::notes::Notes;
use greenroom::{Timeout, Wait, Wake, ms, secs};

const FAULTS: [&str; 10] = [
    "latency",
    "splits",
    "short-reads",
    "spurious",
    "interrupts",
    "refused",
    "hanging",
    "no-descriptors",
    "resets",
    "vanishing",
];

/// A tick of the wheel, and a turn that was full of something else: such are looked at again a
/// millisecond later.
const LATE_MAX: std::time::Duration = ms(2);

pub fn scenario(world: &mut World) -> Verdict {
    world.some_faults(&FAULTS);
    let period = world.some_time(ms(2), ms(50));
    let ticks = Notes::new();
    let seen = ticks.clone();
    let begin = world.hub.now();
    let cron = world.hub.every(period, move |hub, tick| {
        seen.add((hub.now(), tick));
        Ok(())
    });
    let redis = world.redis;
    for _ in 0..world.random.below(40) {
        let timeout = Timeout::After(world.some_time(ms(1), ms(300)));
        world.hub.spawn(move |hub, wake| match wake {
            Wake::Killed => Ok(Wait::done()),
            _ => redis.brpop(hub, "list", timeout),
        });
    }
    world.sleep(secs(1));
    world.hub.kill(cron);
    let ticks = ticks.take();
    let mut due = begin;
    for (number, (now, tick)) in (1..).zip(&ticks) {
        due = due + period;
        let in_time = *now >= due && *now <= due + LATE_MAX;
        if !in_time || (tick.number, tick.due, tick.missed) != (number, due, 0) {
            return Err(format!("tick {number}, due {due:?}, at {now:?}: {tick:?}"));
        }
    }
    let expected = secs(1).as_nanos() / period.as_nanos();
    match (expected - 1..=expected + 1).contains(&(ticks.len() as u128)) {
        true => Ok(()),
        false => Err(format!("{} ticks, {expected} were due", ticks.len())),
    }
}
