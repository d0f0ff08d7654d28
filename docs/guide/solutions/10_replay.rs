//! Chapter 10, exercise 3: a run that is a function of its seed.

use greenroom::server::{Config, Server};
use greenroom::sim::Sim;
use greenroom::{Endpoint, Hub, Redis, Result, TaskId, Timeout, Wait, Wake, ms};
use std::cell::RefCell;
use std::rc::Rc;

pub const CONSUMERS: usize = 5;
pub const ELEMENTS: usize = 40;

#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub popped: Vec<String>,
    pub trace_hash: u64,
}

/// The run that belongs to a seed.
pub fn replay(seed: u64) -> Result<Run> {
    let sim = Sim::new(seed);
    let mut hub = Hub::simulated(&sim);
    let server = Server::new(&mut hub, Config::default());
    server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
    sim.set_faults("latency,splits,short-reads".parse()?);
    let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;

    let popped = Rc::default();
    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|_| consume(&mut hub, redis, &popped))
        .collect();
    for element in 0..ELEMENTS {
        let pushed = redis.lpush(&mut hub, "jobs", element)?;
        hub.wait(pushed)?.reply()?;
    }
    hub.join_all(&consumers)?;
    Ok(Run {
        popped: popped.take(),
        trace_hash: sim.trace_hash(),
    })
}

fn consume(hub: &mut Hub, redis: Redis, popped: &Rc<RefCell<Vec<String>>>) -> TaskId {
    let popped = Rc::clone(popped);
    hub.spawn(move |hub, wake| {
        if let Wake::Reply(reply) = wake {
            let Some((_list, element)) = reply?.to::<Option<(String, String)>>()? else {
                return Ok(Wait::done());
            };
            popped.borrow_mut().push(element);
        }
        redis.brpop(hub, "jobs", Timeout::After(ms(100)))
    })
}
