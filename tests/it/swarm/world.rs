//! A hub on a simulated kernel, with a server and a client, and what chance has decided for it.

use super::Verdict;
use crate::notes::Notes;
use greenroom::server::{self, Server};
use greenroom::sim::{Faults, Random, Sim, Strike};
use greenroom::{Config, Endpoint, Error, Hub, Redis, Time, Wait, Wake, ms, secs};
use std::time::Duration;

pub const URL: &str = "redis://127.0.0.1:6379";

/// The names of all faults.
pub fn all_faults() -> Vec<&'static str> {
    Faults::names().collect()
}

/// No run takes longer once the faults are over.
const LIVENESS: Duration = secs(300);

pub struct World {
    pub sim: Sim,
    pub hub: Hub,
    pub server: Server,
    pub redis: Redis,
    /// Decides what the scenario does; what the network does is decided by the simulation's own.
    pub random: Random,
    /// When the last strike is over.
    quiet_from: Time,
}

impl World {
    pub fn new(seed: u64) -> World {
        let sim = Sim::new(seed);
        let mut hub = Hub::simulated(&sim);
        hub.on_error(|_| {});
        let server = serve(&mut hub, &sim);
        let redis = Redis::open_with(&mut hub, URL.parse().unwrap(), config()).unwrap();
        World {
            sim,
            hub,
            server,
            redis,
            random: Random::new(!seed),
            quiet_from: Time::ZERO,
        }
    }

    /// Switches on some of these faults. One run in eight has none, one in eight has all.
    pub fn some_faults(&mut self, of: &[&str]) {
        let probability = match self.random.below(8) {
            _ if std::env::var("GREENROOM_FAULTS").is_ok_and(|which| which == "all") => 1.0,
            0 => 0.0,
            1 => 1.0,
            _ => 0.3,
        };
        let mut chosen = Vec::new();
        for name in of {
            if self.random.chance(probability) {
                chosen.push(*name);
            }
        }
        self.sim.set_faults(chosen.join(",").parse().unwrap());
    }

    /// Strikes at a few moments within so long.
    pub fn some_strikes(&mut self, within: Duration) {
        for _ in 0..self.random.below(4) {
            let at = self.hub.now() + self.some_time(ms(1), within);
            let time = self.some_time(ms(1), secs(3));
            let strike = match self.random.below(6) {
                0 => Strike::ResetAll,
                1 => Strike::VanishAll,
                2 => Strike::Refuse(time),
                3 => Strike::Stall(time),
                4 => Strike::ErrorReplies("LOADING wait".into(), time),
                _ => Strike::JumpClock(time),
            };
            self.sim.strike_at(at, strike);
            self.quiet_from = self.quiet_from.max(at + time);
        }
    }

    /// A task that holds the hub at a few moments, as one that computes does; from when to when it did.
    pub fn some_holds(&mut self) -> Notes<(Time, Time)> {
        let holds = Notes::new();
        let held = holds.clone();
        let (sim, mut left) = (self.sim.clone(), self.random.below(8));
        let mut random = Random::new(self.random.any());
        let task = self.hub.spawn(move |hub, wake| {
            if let Wake::Elapsed = wake {
                let time = random.duration(&(ms(1)..=ms(120)));
                held.add((hub.now(), hub.now() + time));
                sim.strike(Strike::JumpClock(time));
            }
            if left == 0 || matches!(wake, Wake::Killed) {
                return Ok(Wait::done());
            }
            left -= 1;
            Ok(Wait::sleep(random.duration(&(ms(1)..=ms(200)))))
        });
        self.hub.detach(task);
        holds
    }

    pub fn some_time(&mut self, least: Duration, most: Duration) -> Duration {
        self.random.duration(&(least..=most))
    }

    /// Lets so much time pass, whatever happens to main meanwhile.
    pub fn sleep(&mut self, time: Duration) {
        let until = self.hub.now() + time;
        while self.hub.now() < until {
            self.hub.wait(Wait::until(until)).expect("time passes");
        }
    }

    /// Waits until everything that was given up is over.
    pub fn drain(&mut self) -> Verdict {
        self.hub.drain().map_err(|error| error.to_string())
    }

    /// Nothing goes wrong any more, once the last strike is over.
    pub fn calm(&mut self) {
        self.sim.set_faults(Faults::none());
        let left = self.quiet_from.since(self.hub.now());
        self.sleep(left);
    }

    /// Fails if the server has crashed.
    pub fn check_server(&self) -> Verdict {
        match self.server.crash_report() {
            None => Ok(()),
            Some(report) => Err(format!("the server has crashed: {report}")),
        }
    }

    /// Waits for the end of a wait, but not for ever.
    pub fn patiently(&mut self, wait: Wait) -> Result<Wake, String> {
        match self.hub.wait(wait.within(LIVENESS)) {
            Ok(Wake::Deadline) => Err("no end in sight".into()),
            Ok(wake) => Ok(wake),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Kills everything, and sees whether nothing is left.
    pub fn close(&mut self) -> Verdict {
        self.calm();
        self.check_server()?;
        for task in self.hub.tasks() {
            if task != self.server.task() {
                // The server's own tasks end with it.
                self.hub.detach(task);
            }
        }
        self.redis.close(&mut self.hub);
        self.server.shutdown(&mut self.hub);
        self.patiently(Wait::join(self.server.task()))?;
        for task in self.hub.tasks() {
            self.hub.kill(task);
        }
        let end = self.hub.now() + LIVENESS;
        while !self.hub.tasks().is_empty() && self.hub.now() < end {
            self.hub.sleep(ms(1)).map_err(|error| error.to_string())?;
        }
        self.drain()?;
        self.hub.verify()?;
        let (tasks, timers) = (self.hub.tasks().len(), self.hub.timers_armed());
        let sockets = self.sim.sockets();
        match (tasks, timers, sockets) {
            (0, 0, 0) => Ok(()),
            left => Err(format!("tasks, timers, sockets left: {left:?}")),
        }
    }
}

/// A server at the usual place.
pub fn serve(hub: &mut Hub, sim: &Sim) -> Server {
    let mut config = server::Config::default();
    config.max_clients = 20_000;
    let server = Server::new(hub, config);
    server.inject(sim.server_faults());
    let at = Endpoint::Tcp(([127, 0, 0, 1], 6379).into());
    server.listen(hub, &at).expect("nobody listens there");
    server
}

/// Short deadlines: a simulated second costs nothing, but a run should see many of them.
pub fn config() -> Config {
    let mut config = Config::default();
    config.connect_timeout = secs(2);
    config.handshake_timeout = secs(1);
    config.forever_round = Some(ms(700));
    config.command_timeout = secs(1);
    config.pool_timeout = secs(4);
    config
}

/// Whether what failed may have been executed all the same.
pub fn is_unknown(error: &Error) -> bool {
    error.maybe_executed()
}
