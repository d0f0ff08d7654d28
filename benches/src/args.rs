//! The command line: a workload, then `key=value` in any order.

use crate::giving_up::Way;
use crate::{Result, Stop};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    Pops {
        clients: usize,
        /// In seconds, as Redis takes it.
        timeout: u64,
        cron: Duration,
    },
    Latency {
        consumers: usize,
        elements: usize,
    },
    Drain {
        consumers: usize,
        elements: usize,
    },
    Ping {
        connections: usize,
        pipeline: usize,
        ops: usize,
    },
    Shared {
        tasks: usize,
        ops: usize,
    },
    Cancel {
        pops: usize,
    },
    Losses {
        way: Way,
        consumers: usize,
        /// From when the consumers are ready.
        run: Duration,
    },
}

/// What is to be done, where, and since when.
#[derive(Clone, Debug)]
pub struct Job {
    pub place: Place,
    pub workload: Workload,
    pub begin: Instant,
}

impl Place {
    /// As client libraries take it.
    pub fn url(&self) -> String {
        match self {
            Place::Tcp(address) => format!("redis://{address}"),
            Place::Unix(path) => format!("redis+unix://{}", path.display()),
        }
    }
}

impl Workload {
    /// As on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Workload::Pops { .. } => "pops",
            Workload::Latency { .. } => "latency",
            Workload::Drain { .. } => "drain",
            Workload::Ping { .. } => "ping",
            Workload::Shared { .. } => "shared",
            Workload::Cancel { .. } => "cancel",
            Workload::Losses { way, .. } => way.name(),
        }
    }
}

impl Job {
    /// Reads the command line, without the program's name.
    pub fn parse(args: &mut dyn Iterator<Item = String>) -> Result<Job> {
        let name = args.next();
        let mut keys = Keys(args.collect());
        let workload = match name.as_deref() {
            Some("pops") => Workload::Pops {
                clients: keys.count("clients", 500)?,
                timeout: keys.count("timeout", 1)?,
                cron: Duration::from_millis(keys.count("cron_ms", 200)?),
            },
            Some("latency") => Workload::Latency {
                consumers: keys.count("consumers", 500)?,
                elements: keys.count("elements", 10_000)?,
            },
            Some("drain") => Workload::Drain {
                consumers: keys.count("consumers", 500)?,
                elements: keys.count("elements", 100_000)?,
            },
            Some("ping") => Workload::Ping {
                connections: keys.count("connections", 50)?,
                pipeline: keys.count("pipeline", 16)?,
                ops: keys.count("ops", 1_000_000)?,
            },
            Some("shared") => Workload::Shared {
                tasks: keys.count("tasks", 500)?,
                ops: keys.count("ops", 500_000)?,
            },
            Some("cancel") => Workload::Cancel {
                pops: keys.count("pops", 1000)?,
            },
            Some("timeouts") => keys.losses(Way::Timeouts)?,
            Some("aborts") => keys.losses(Way::Aborts)?,
            _ => {
                return failed(
                    "usage: PROGRAM pops|latency|drain|ping|shared|cancel|timeouts|aborts key=value ...",
                );
            }
        };
        let place = keys.place()?;
        match keys.0.first() {
            Some(other) => failed(format!("{} does not take {other:?}", workload.name())),
            None => Ok(Job {
                place,
                workload,
                begin: Instant::now(),
            }),
        }
    }
}

/// What is left of the command line.
struct Keys(Vec<String>);

impl Keys {
    fn take<T: FromStr>(&mut self, key: &str, default: T) -> Result<T> {
        let is_it = |arg: &String| arg.split_once('=').is_some_and(|(name, _)| name == key);
        let Some(at) = self.0.iter().position(is_it) else {
            return Ok(default);
        };
        let arg = self.0.remove(at);
        let value = &arg[key.len() + 1..];
        value.parse().or_else(|_| failed(format!("{arg:?}?")))
    }

    /// A number from 1.
    fn count<T: FromStr + PartialEq + Default>(&mut self, key: &str, default: T) -> Result<T> {
        let count = self.take(key, default)?;
        match count == T::default() {
            true => failed(format!("{key} is a number from 1")),
            false => Ok(count),
        }
    }

    fn losses(&mut self, way: Way) -> Result<Workload> {
        Ok(Workload::Losses {
            way,
            consumers: self.count("consumers", 200)?,
            run: Duration::from_millis(self.count("run_ms", 4000)?),
        })
    }

    fn place(&mut self) -> Result<Place> {
        let host: String = self.take("host", "127.0.0.1".into())?;
        let port: u16 = self.take("port", 6379)?;
        let socket: PathBuf = self.take("socket", PathBuf::new())?;
        if !socket.as_os_str().is_empty() {
            return Ok(Place::Unix(socket));
        }
        let address = (host.as_str(), port).to_socket_addrs()?.next();
        address.map_or_else(
            || failed("the host has no address"),
            |at| Ok(Place::Tcp(at)),
        )
    }
}

fn failed<T>(why: impl Into<String>) -> Result<T> {
    Err(Stop::Failed(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Job> {
        Job::parse(&mut line.split(' ').map(String::from))
    }

    #[test]
    fn keys_come_in_any_order_and_have_defaults() {
        let job = parse("ping ops=7 port=1 connections=2").unwrap();
        assert_eq!(job.place, Place::Tcp(([127, 0, 0, 1], 1).into()));
        let ping = Workload::Ping {
            connections: 2,
            pipeline: 16,
            ops: 7,
        };
        assert_eq!(job.workload, ping);
        let job = parse("drain socket=/tmp/r.sock port=1").unwrap();
        assert_eq!(job.place, Place::Unix("/tmp/r.sock".into()));
    }

    #[test]
    fn what_a_workload_does_not_take_is_refused() {
        for line in [
            "",
            "pong",
            "ping clients=1",
            "pops clients",
            "pops clients=0",
            "pops timeout=x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
