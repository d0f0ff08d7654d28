//! Values larger than what one turn reads or writes, which arrive all at once: what a turn's budget leaves over is no event's
//! business any more.

use super::Verdict;
use super::world::World;
use greenroom::Wait;
use greenroom::sim::Faults;
use greenroom::{Reply, ms};

pub fn scenario(world: &mut World) -> Verdict {
    let mut faults = Faults::none();
    // Everything that is written within 100 ms arrives together at their end.
    faults.stalls = 1.0;
    faults.stall = ms(100)..=ms(100);
    faults.short_reads = world.random.index(3) as f64 / 10.0;
    faults.short_writes = world.random.index(3) as f64 / 10.0;
    world.sim.set_faults(faults);
    let value = vec![b'x'; 500_000 + world.random.index(500_000)];
    let redis = world.redis;
    let set = redis.set(&mut world.hub, "bulk", &value);
    answer(world, set)?;
    let get = redis.get(&mut world.hub, "bulk");
    let got: bytes::Bytes = answer(world, get)?
        .to()
        .map_err(|error| error.to_string())?;
    match got == value {
        true => Ok(()),
        false => Err(format!("{} bytes of {}", got.len(), value.len())),
    }
}

fn answer(world: &mut World, asked: greenroom::Result<Wait>) -> Result<Reply, String> {
    let asked = asked.map_err(|error| error.to_string())?;
    let reply = world.patiently(asked)?.reply();
    reply.map_err(|error| error.to_string())
}
