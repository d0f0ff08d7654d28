//! A client and a server on a slow simulated network: what is on its way can be stopped halfway.

use crate::notes::Notes;
use greenroom::resp::Value;
use greenroom::server::{self, Server};
use greenroom::sim::{Faults, Sim};
use greenroom::{Command, Endpoint, Hub, PoolStats, Redis, TaskId, Timeout, Wait, Wake, ms, secs};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a byte travels.
pub(super) const LATENCY: Duration = ms(1);

pub(super) struct Stage {
    pub(super) sim: Sim,
    pub(super) hub: Hub,
    pub(super) server: Server,
    pub(super) redis: Redis,
    /// Pushes and looks, from a connection of its own.
    pub(super) other: Redis,
    pub(super) ends: Notes<String>,
}

pub(super) fn at() -> SocketAddr {
    "127.0.0.1:6379".parse().unwrap()
}

pub(super) fn stage() -> Stage {
    let sim = Sim::new(1);
    let mut slow = Faults::none();
    slow.latency = LATENCY..=LATENCY;
    sim.set_faults(slow);
    let mut hub = Hub::simulated(&sim);
    let mut config = server::Config::default();
    config.max_clients = 20_000;
    let server = Server::new(&mut hub, config);
    server.refuse(sim.error_replies());
    server.listen(&mut hub, &Endpoint::Tcp(at())).unwrap();
    let url = "redis://127.0.0.1:6379";
    let redis = Redis::open(&mut hub, url).unwrap();
    let other = Redis::open(&mut hub, url).unwrap();
    let mut stage = Stage {
        sim,
        hub,
        server,
        redis,
        other,
        ends: Notes::new(),
    };
    stage.ask(Command::new("PING"));
    stage
}

impl Stage {
    /// A task that pops once, and tells how its wait has ended.
    pub(super) fn pop(&mut self, deadline: Option<Duration>) -> TaskId {
        let (redis, ends) = (self.redis, self.ends.clone());
        self.hub.spawn(move |hub, wake| {
            let end = match wake {
                Wake::Start => {
                    let wait = redis.brpop(hub, "list", Timeout::After(secs(60)))?;
                    return Ok(deadline.map_or(wait, |deadline| wait.within(deadline)));
                }
                Wake::Reply(Ok(reply)) if reply.is_none() => "nil".into(),
                Wake::Reply(Ok(reply)) => {
                    let late = if reply.is_late() { "late " } else { "" };
                    format!("{late}{}", reply.to::<(String, String)>()?.1)
                }
                Wake::Reply(Err(error)) => format!("{:?} {}", error.kind(), error.maybe_executed()),
                other => format!("{other:?}"),
            };
            ends.add(end);
            Ok(Wait::done())
        })
    }

    pub(super) fn sleep(&mut self, time: Duration) {
        self.hub.sleep(time).unwrap();
    }

    pub(super) fn ask(&mut self, command: Command) -> Value {
        let asked = self.other.send(&mut self.hub, command).unwrap();
        self.hub.wait(asked).unwrap().reply().unwrap().into_value()
    }

    pub(super) fn push(&mut self, elements: &[&str]) {
        self.ask(Command::new("LPUSH").arg("list").arg(elements));
    }

    /// Pushes, and stops when the server has popped it again and its way back is half done.
    pub(super) fn push_halfway(&mut self, elements: &[&str]) {
        let push = Command::new("LPUSH").arg("list").arg(elements);
        let asked = self.other.send(&mut self.hub, push).unwrap();
        self.hub.ignore(asked);
        self.sleep(LATENCY + LATENCY / 2);
    }

    /// What stands in the list, the next to be popped last.
    pub(super) fn list(&mut self) -> Vec<String> {
        let range = Command::new("LRANGE").arg("list").arg(0).arg(-1);
        self.ask(range).convert().unwrap()
    }

    pub(super) fn stats(&self) -> PoolStats {
        self.redis.stats(&self.hub)
    }

    /// `[cancelled, undelivered, requeued, indeterminate]`
    pub(super) fn counts(&self) -> [u64; 4] {
        let stats = self.stats();
        [
            stats.cancelled,
            stats.undelivered,
            stats.requeued,
            stats.indeterminate,
        ]
    }
}
