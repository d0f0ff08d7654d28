//! Programs that end: a client is closed, a shutdown is requested, or both, while pops connect, wait, and are taken back.
//!
//! Half of the runs have a network that is only slow and awkward. There, nothing may be lost, and nothing unknown. The others
//! have all faults: there it is enough that everything comes to an end.

use super::Verdict;
use super::queue::{self, Books, Shared};
use super::world::{self, World};
use greenroom::{Redis, Shutdown, TaskId, Wait, ms, secs};
use std::time::Duration;

/// Faults that end no connection, and delay nothing for longer than a pop may take to be taken back.
const GENTLE: [&str; 8] = [
    "latency",
    "splits",
    "short-reads",
    "short-writes",
    "spurious",
    "interrupts",
    "refused",
    "no-descriptors",
];

pub fn scenario(world: &mut World) -> Verdict {
    let is_gentle = world.random.chance(0.5);
    match is_gentle {
        true => world.some_faults(&GENTLE),
        false => {
            world.some_faults(&world::all_faults());
            world.some_strikes(secs(1));
        }
    }
    world.some_holds();
    let books = Shared::default();
    let address = world::URL.parse().map_err(|_| "the address")?;
    let eater = Redis::open_with(&mut world.hub, address, world::config());
    let eater = eater.map_err(|error| error.to_string())?;
    let (redis, hub, random) = (world.redis, &mut world.hub, &mut world.random);
    let count = random.below(60);
    let producer = queue::produce(hub, redis, random, &books, 0, count);
    let consumers: Vec<_> = (0..1 + random.below(30))
        .map(|_| queue::consume(hub, eater, random, &books))
        .collect();
    let most = if world.random.chance(0.5) {
        ms(5)
    } else {
        ms(300)
    };
    let time = world.some_time(Duration::ZERO, most);
    world.sleep(time);
    end(world, eater, &consumers)?;
    world.drain()?;
    eater.close(&mut world.hub);
    world.drain()?;
    world.patiently(Wait::join(producer))?;
    world.calm();
    let left = queue::what_is_left(world)?;
    match is_gentle {
        true => queue::settle(&Books::take(&books), &left),
        false => Ok(()),
    }
}

/// Ends the consumers in one of the ways in which a program may.
fn end(world: &mut World, eater: Redis, consumers: &[TaskId]) -> Verdict {
    for &consumer in consumers {
        if world.random.chance(0.2) {
            world.hub.kill(consumer);
        }
    }
    if world.random.chance(0.3) {
        let time = world.some_time(Duration::ZERO, ms(3));
        world.sleep(time);
    }
    let grace = world.some_time(Duration::ZERO, ms(100));
    let shutdown = Shutdown::new();
    let ways = world.random.below(8);
    if ways & 1 != 0 {
        eater.close(&mut world.hub);
    }
    if ways & 2 != 0 {
        shutdown.request(&mut world.hub);
    }
    if ways & 4 == 0 {
        return Ok(());
    }
    // Two of them, since a program may have two parts that both want to end it.
    for shutdown in [shutdown, Shutdown::new()] {
        let report = shutdown.finish(&mut world.hub, grace, consumers);
        let report = report.map_err(|error| error.to_string())?;
        if report.ended + report.killed != consumers.len() {
            return Err(format!("of {} tasks: {report:?}", consumers.len()));
        }
    }
    Ok(())
}
