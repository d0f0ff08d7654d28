//! A server that comes and goes under clients that do not give up.

use super::Verdict;
use super::world::{World, serve};
use crate::notes::Notes;
use greenroom::resp::Value;
use greenroom::sim::Strike;
use greenroom::{Command, Hub, Redis, Result, Task, Timeout, Wait, Wake, ms, secs};
use std::collections::BTreeSet;
use std::time::Duration;

const FAULTS: [&str; 11] = [
    "latency",
    "splits",
    "short-reads",
    "refused",
    "lost-syns",
    "no-descriptors",
    "resets",
    "half-closes",
    "deafness",
    "error-replies",
    "stalls",
];

/// Longer than any deadline of a client, and its pause.
const PATIENCE: Duration = secs(12);

pub fn scenario(world: &mut World) -> Verdict {
    world.some_faults(&FAULTS);
    world.some_holds();
    let served = Notes::new();
    let clients = 1 + world.random.below(30);
    let mut tasks = Vec::new();
    for number in 0..clients {
        let asks_much = world.random.chance(0.02);
        let client = Client {
            redis: world.redis,
            blocks: world.random.chance(0.5),
            pause: match asks_much {
                true => ms(500),
                false => world.some_time(ms(10), ms(100)),
            },
            number,
            asked: 0,
            times: match asks_much {
                true => 1 + world.random.index(200_000),
                false => 1,
            },
            served: served.clone(),
        };
        tasks.push(world.hub.spawn_task(client));
    }
    for _ in 0..1 + world.random.below(5) {
        let time = world.some_time(ms(1), ms(800));
        world.sleep(time);
        if world.random.chance(0.5) {
            // The last replies and the end arrive together.
            let time = world.some_time(ms(1), ms(300));
            world.sim.strike(Strike::Stall(time));
            world.sleep(time / 2);
        }
        restart(world)?;
    }
    world.calm();
    served.take();
    let mut names = BTreeSet::new();
    let until = world.hub.now() + PATIENCE;
    while names.len() as u64 != clients {
        if world.hub.now() > until {
            let seen = names.len();
            return Err(format!("{seen} of {clients} clients were served"));
        }
        world.sleep(ms(100));
        names.extend(served.take());
    }
    for task in tasks {
        world.hub.kill(task);
    }
    world.sleep(secs(1));
    // Nobody uses a connection any more, not even one whose end was not noticed.
    match world.redis.stats(&world.hub) {
        stats if stats.in_use == 0 => Ok(()),
        stats => Err(format!("{stats:?}")),
    }
}

/// The server goes down, and comes back with empty databases; or it is only its connections that break, or that it ends itself.
fn restart(world: &mut World) -> Verdict {
    match world.random.below(3) {
        0 => {
            world.sim.strike(Strike::ResetAll);
            return Ok(());
        }
        1 => {
            let kill = Command::new("CLIENT").arg(["KILL", "TYPE", "normal", "SKIPME", "no"]);
            let asked = world.redis.send(&mut world.hub, kill);
            // It may fail like anything else.
            world.hub.ignore(asked.map_err(|error| error.to_string())?);
            return Ok(());
        }
        _ => {}
    }
    world.server.shutdown(&mut world.hub);
    world.patiently(Wait::join(world.server.task()))?;
    let time = world.some_time(Duration::ZERO, ms(500));
    world.sleep(time);
    world.server = serve(&mut world.hub, &world.sim);
    Ok(())
}

/// Asks, and asks again after a pause, whatever comes back.
struct Client {
    redis: Redis,
    blocks: bool,
    pause: Duration,
    number: u64,
    asked: u64,
    times: usize,
    served: Notes<u64>,
}

impl Client {
    /// What nobody else asks, and nobody asks twice; of some clients it is more than one turn reads.
    fn words(&self) -> String {
        let words = format!("{}.{}.", self.number, self.asked);
        words.repeat(self.times)
    }
}

impl Task for Client {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        match wake {
            Wake::Start | Wake::Elapsed if self.blocks => {
                let timeout = Timeout::After(self.pause);
                self.redis.brpop(hub, "nothing", timeout)
            }
            Wake::Start | Wake::Elapsed => {
                self.asked += 1;
                let echo = Command::new("ECHO").arg(self.words());
                self.redis.send(hub, echo)
            }
            Wake::Reply(reply) => {
                if let Ok(reply) = reply {
                    let own = self.blocks || *reply.value() == Value::Bulk(self.words().into());
                    assert!(own, "client {} got {:?}", self.number, reply.value());
                    self.served.add(self.number);
                }
                Ok(Wait::sleep(self.pause))
            }
            other => Err(other.unexpected()),
        }
    }
}
