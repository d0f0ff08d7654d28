//! Chapter 12.

use super::super::catch_up::catch_up as next;
use super::super::llen::llen as ask;
use super::super::mover::Mover;
use greenroom::server::{Config, Server};
use greenroom::sim::Sim;
use greenroom::{Command, Endpoint, Hub, Redis, TaskId, Wait, ms};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A hub on a simulated kernel with a server, and a client of it.
fn stage(seed: u64) -> (Hub, Redis) {
    let sim = Sim::new(seed);
    let mut hub = Hub::simulated(&sim);
    hub.on_error(|_| {});
    let server = Server::new(&mut hub, Config::default());
    let at = Endpoint::Tcp(([127, 0, 0, 1], 6379).into());
    server.listen(&mut hub, &at).unwrap();
    sim.set_faults("latency".parse().unwrap());
    let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379").unwrap();
    (hub, redis)
}

pub fn llen() {
    let (mut hub, redis) = stage(1);
    let length = |hub: &mut Hub| {
        let asked = ask(&redis, hub, "a list").unwrap();
        let reply = hub.wait(asked.within(ms(500))).unwrap().reply();
        reply.and_then(|reply| reply.to::<i64>())
    };
    assert_eq!(length(&mut hub).unwrap(), 0);
    let pushed = redis.lpush(&mut hub, "a list", ["a", "b", "c"]).unwrap();
    hub.wait(pushed).unwrap().reply().unwrap();
    assert_eq!(length(&mut hub).unwrap(), 3);
    let stats = redis.stats(&hub);
    assert_eq!(stats.created, 0, "it needs no connection of its own");

    let clear = redis.send(&mut hub, Command::new("DEL").arg("a list"));
    hub.wait(clear.unwrap()).unwrap().reply().unwrap();
    let set = redis.set(&mut hub, "a list", "is a string").unwrap();
    hub.wait(set).unwrap().reply().unwrap();
    let refused = length(&mut hub).unwrap_err();
    assert!(refused.to_string().contains("WRONGTYPE"), "{refused}");
}

pub fn catch_up() {
    assert_eq!(next(1, 200, 400, 400), (600, 0));
    assert_eq!(next(1, 200, 400, 599), (600, 0));
    assert_eq!(next(1, 200, 400, 600), (600, 0), "one is caught up with");
    assert_eq!(next(1, 200, 400, 900), (800, 1), "600 is left out");
    assert_eq!(next(1, 200, 800, 900), (1_000, 0), "and then it is on time");
    for now in 400..2_000 {
        let behind = (now - 400) / 200;
        assert_eq!(next(0, 200, 400, now), (600 + behind * 200, behind), "Skip");
        assert_eq!(next(u64::MAX, 200, 400, now), (600, 0), "Burst");
        let (due, left_out) = next(2, 200, 400, now);
        assert_eq!(due, 600 + left_out * 200, "the phase is kept");
        assert_eq!(behind - left_out, behind.min(2), "two at most");
    }
}

pub fn mover() {
    for seed in 0..20 {
        let (mut hub, redis) = stage(seed);
        let other = Redis::open(&mut hub, "redis://127.0.0.1:6379").unwrap();
        let moved = Rc::new(Cell::new(0));
        let task = hub.spawn_task(Mover::new(redis, "from", "to", Rc::clone(&moved)));
        let pest = pest(&mut hub, task);
        let elements: Vec<_> = (0..30).map(|number| number.to_string()).collect();
        for element in &elements {
            let pushed = other.lpush(&mut hub, "from", element).unwrap();
            hub.wait(pushed).unwrap().reply().unwrap();
        }
        let stop = other.lpush(&mut hub, "from", ["stop", "behind"]).unwrap();
        hub.wait(stop).unwrap().reply().unwrap();
        hub.wait(Wait::join(task).within(Duration::from_secs(2)))
            .unwrap();
        assert!(hub.is_ended(task), "seed {seed}: it does not stop");
        hub.kill(pest);
        hub.drain().unwrap();

        let mut list = |name: &str| -> Vec<String> {
            let range = Command::new("LRANGE").arg(name).arg(0).arg(-1);
            let asked = other.send(&mut hub, range).unwrap();
            let reply = hub.wait(asked).unwrap().reply().unwrap();
            let mut list: Vec<String> = reply.to().unwrap();
            list.reverse();
            list
        };
        assert_eq!(list("to"), elements, "seed {seed}: each once, in order");
        assert_eq!(list("from"), ["behind"], "seed {seed}: not moved");
        assert_eq!(moved.get(), 30, "seed {seed}");
    }
}

/// Notifies a task about twice in a millisecond.
fn pest(hub: &mut Hub, task: TaskId) -> TaskId {
    hub.spawn(move |hub, _| {
        hub.notify(task);
        Ok(Wait::sleep(Duration::from_micros(600)))
    })
}
