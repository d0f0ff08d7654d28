//! The main program: pops that wait for nothing, and a cron task beside them.

use super::Verdict;
use super::world::{self, World};
use crate::notes::Notes;
use greenroom::sim::Strike;
use greenroom::{Timeout, Wait, Wake, ms, secs};
use std::time::Duration;

/// How one pop has ended: by nil after so long, or by an error.
enum End {
    Nil { asked: Duration, took: Duration },
    Failed,
}

pub fn scenario(world: &mut World) -> Verdict {
    let clients = 1 + world.random.index(60);
    world.some_faults(&world::all_faults());
    world.some_strikes(secs(2));
    world.some_holds();
    let ends = Notes::new();
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let asked = world.some_time(ms(1), ms(2_000));
        let (redis, ends) = (world.redis, ends.clone());
        let task = world.hub.spawn(move |hub, wake| match wake {
            Wake::Start => redis.brpop(hub, "list", Timeout::After(asked)),
            Wake::Reply(Ok(reply)) => {
                let took = reply.elapsed();
                assert!(reply.is_none(), "nobody pushes");
                ends.add(End::Nil { asked, took });
                Ok(Wait::done())
            }
            Wake::Reply(Err(error)) => {
                ends.add(End::Failed);
                Err(error)
            }
            other => Err(other.unexpected()),
        });
        tasks.push(task);
    }
    for task in tasks {
        world.patiently(Wait::join(task))?;
    }
    judge(&ends.take(), clients)
}

fn judge(ends: &[End], clients: usize) -> Verdict {
    if ends.len() != clients {
        return Err(format!("{} of {clients} pops have ended", ends.len()));
    }
    for end in ends {
        match end {
            // Redis is told whole milliseconds.
            End::Nil { asked, took } if took < asked => {
                return Err(format!("nil after {took:?}, {asked:?} were asked"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// So many that they would overflow the backlog if they all came at once.
pub fn thousands(world: &mut World) -> Verdict {
    world.sim.set_faults("latency,splits".parse().unwrap());
    // All SYNs of its time arrive at one moment.
    world.sim.strike(Strike::Stall(ms(50)));
    let redis = world.redis;
    let mut tasks = Vec::new();
    for _ in 0..2_000 {
        tasks.push(world.hub.spawn(move |hub, wake| match wake {
            Wake::Start => redis.brpop(hub, "list", Timeout::After(secs(1))),
            other => {
                assert!(other.reply()?.is_none());
                Ok(Wait::done())
            }
        }));
    }
    world
        .hub
        .join_all(&tasks)
        .map_err(|error| error.to_string())?;
    let stats = redis.stats(&world.hub);
    match (stats.connects, stats.connects_retried) {
        (2_000, 0) => Ok(()),
        _ => Err(format!("{stats:?}")),
    }
}
