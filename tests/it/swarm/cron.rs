//! Cron beside a client in trouble, and beside a task that computes now and then: simulated time stands still while anything
//! runs, so that a tick is late only where that task has made the clock go on.

use super::Verdict;
use super::world::World;
use crate::notes::Notes;
use greenroom::{Tick, Time, Timeout, Wait, Wake, ms, secs};
use std::time::Duration;

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
const LATE_MAX: Duration = ms(2);

const TIME: Duration = secs(1);

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
    let holds = world.some_holds();
    world.sleep(TIME);
    world.hub.kill(cron);
    let took = world.hub.now().since(begin);
    verify(&ticks.take(), begin, took, period, &holds.take())
}

/// Each tick runs when it is due, or when the hub is held no more; each that passed meanwhile is counted.
fn verify(
    ticks: &[(Time, Tick)],
    begin: Time,
    took: Duration,
    period: Duration,
    holds: &[(Time, Time)],
) -> Verdict {
    let (mut due, mut beats) = (begin, 0);
    for (number, (now, tick)) in (1..).zip(ticks) {
        due = due + period;
        let held = holds
            .iter()
            .filter(|(from, to)| (*from..*to).contains(&due));
        let latest = held.map(|&(_, to)| to).fold(due, Time::max) + LATE_MAX;
        let missed = now.since(due).as_nanos() / period.as_nanos();
        let expected = (number, due, missed);
        let in_time = (due..=latest).contains(now);
        if !in_time || (tick.number, tick.due, u128::from(tick.missed)) != expected {
            return Err(format!(
                "tick {number}, due {due:?}, at {now:?}: {tick:?}, {holds:?}"
            ));
        }
        due = due + period * u32::try_from(missed).expect("a second has few beats");
        beats += 1 + missed;
    }
    // The hub may have been held when the time was over, and just then as well.
    let [least, most] = [TIME, took].map(|time| time.as_nanos() / period.as_nanos());
    match (least - 1..=most + 1).contains(&beats) {
        true => Ok(()),
        false => Err(format!("{beats} beats, {least} to {most} were due")),
    }
}
