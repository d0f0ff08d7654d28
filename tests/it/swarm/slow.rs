//! A reply in parts, each of which comes in time, while all of them take longer than any deadline.

use super::Verdict;
use super::world::{World, config};
use greenroom::sim::Script;
use greenroom::{Redis, Timeout, ms, secs};
use std::net::SocketAddr;
use std::time::Duration;

const PARTS: usize = 8;

/// The pauses between the parts. Together they are longer than `command_timeout` and longer than
/// the pop's timeout with its grace; each is shorter.
const PAUSE_MIN: Duration = ms(700);
const PAUSE_MAX: Duration = ms(950);

pub fn scenario(world: &mut World) -> Verdict {
    let address: SocketAddr = ([127, 0, 0, 1], 6380).into();
    let value = vec![b'x'; 100 + world.random.index(100)];
    let is_pop = world.random.chance(0.5);
    let (begun, element) = match is_pop {
        true => {
            let opened = Script::new().expect_command(&["CLIENT", "ID"]);
            let popped = opened.expect_command(&["BRPOP", "a", "1"]);
            (
                popped.send(b":7\r\n"),
                format!("*2\r\n$1\r\na\r\n${}\r\n", value.len()),
            )
        }
        false => {
            let opened = Script::new().expect_command(&["PING"]).send(b"+PONG\r\n");
            let asked = opened.expect_command(&["GET", "a"]);
            (asked, format!("${}\r\n", value.len()))
        }
    };
    let bytes = [element.as_bytes(), &value, b"\r\n"].concat();
    let mut script = begun;
    for part in bytes.chunks(bytes.len().div_ceil(PARTS)) {
        script = script
            .send(part)
            .wait(world.some_time(PAUSE_MIN, PAUSE_MAX));
    }
    world.sim.scripts(address, [script]);
    let url = format!("redis://{address}");
    let url = url.parse().map_err(|_| "the address")?;
    let mut limits = config();
    limits.blocking_grace = secs(1);
    let redis = Redis::open_with(&mut world.hub, url, limits).map_err(|it| it.to_string())?;
    let asked = match is_pop {
        true => redis.brpop(&mut world.hub, "a", Timeout::After(secs(1))),
        false => redis.get(&mut world.hub, "a"),
    };
    let asked = asked.map_err(|error| error.to_string())?;
    let reply = world
        .patiently(asked)?
        .reply()
        .map_err(|it| it.to_string())?;
    redis.close(&mut world.hub);
    let took = reply.elapsed();
    let got = reply.value().clone();
    let got = match is_pop {
        true => got.convert::<(String, bytes::Bytes)>().map(|it| it.1),
        false => got.convert::<bytes::Bytes>(),
    };
    match got {
        Ok(got) if got == value && took > PAUSE_MIN * 6 => world.sim.verify(),
        other => Err(format!("{other:?} after {took:?}")),
    }
}
