//! The programs that race.

use super::plan::Work;
use jzon::{JsonValue, object};
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::process::Command;

/// All there are, in the order in which they are shown.
pub(crate) const NAMES: [&str; 11] = [
    "greenroom",
    "greenroom_raw",
    "tokio_raw",
    "tokio_redis",
    "fred",
    "rustis",
    "bare_mio",
    "threads",
    "hiredis_ev",
    "gevent_seed",
    "redis-benchmark",
];

/// What a reader has to know of it.
pub(crate) fn about(name: &str) -> &'static str {
    match name {
        "greenroom" => "this client, as its users call it",
        "greenroom_raw" => {
            "its event loop without the client: constant bytes, as tokio_raw has them"
        }
        "tokio_raw" => {
            "tokio by hand, for these workloads and nothing else: no client, no pool, no deadlines"
        }
        "tokio_redis" => "redis-rs on tokio, one thread",
        "fred" => "fred on tokio, one thread, for its shared connection",
        "rustis" => "rustis on tokio, one thread, for its shared connection",
        "bare_mio" => "the floor: sockets and the bytes that are expected; less is not possible",
        "threads" => "a thread for each connection, and nothing but the standard library",
        "hiredis_ev" => "hiredis on libev, in C",
        "gevent_seed" => "gevent and redis-py: the program from which greenroom began",
        "redis-benchmark" => "the benchmark that comes with the server",
        _ => "",
    }
}

/// How a program is made and called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rust,
    C,
    Python,
    /// It came with the server, and has a command line of its own.
    Benchmark,
}

pub(crate) fn kind(name: &str) -> Kind {
    match name {
        "hiredis_ev" => Kind::C,
        "gevent_seed" => Kind::Python,
        "redis-benchmark" => Kind::Benchmark,
        _ => Kind::Rust,
    }
}

/// A program that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The file to execute, and what comes before all other arguments.
    pub(crate) path: PathBuf,
    pub(crate) script: Option<PathBuf>,
}

impl Program {
    /// `None` if it is known not to do this.
    pub(crate) fn command(&self, work: &Work, place: SocketAddrV4) -> Option<Command> {
        self.command_under(&[], work, place)
    }

    /// The same, run by another program.
    pub(crate) fn command_under(
        &self,
        tool: &[String],
        work: &Work,
        place: SocketAddrV4,
    ) -> Option<Command> {
        let (host, port) = (place.ip().to_string(), place.port().to_string());
        let mut command = match tool {
            [] => Command::new(&self.path),
            [tool, args @ ..] => {
                let mut command = Command::new(tool);
                command.args(args).arg(&self.path);
                command
            }
        };
        command.args(&self.script);
        match (self.kind, work) {
            (
                Kind::Benchmark,
                Work::Ping {
                    connections,
                    pipeline,
                    ops,
                },
            ) => {
                command.args(["-t", "ping_mbulk", "--csv", "-h", &host, "-p", &port]);
                let numbers = [("-c", connections), ("-P", pipeline), ("-n", ops)];
                command.args(
                    numbers
                        .iter()
                        .flat_map(|(flag, n)| [flag.to_string(), n.to_string()]),
                );
            }
            (Kind::Benchmark, _) => return None,
            _ => {
                command.args(work.args());
                command.args([format!("host={host}"), format!("port={port}")]);
            }
        }
        Some(command)
    }

    /// What a run says of itself; an error if it is not what was asked for.
    pub(crate) fn result(&self, work: &Work, said: &str) -> Result<JsonValue, String> {
        let json = match self.kind {
            Kind::Benchmark => benchmark(work, said),
            _ => jzon::parse(said.trim()).ok(),
        };
        let json = json.ok_or_else(|| format!("this is no result: {}", said.trim()))?;
        let count = match work {
            Work::Pops { .. } => "nil",
            Work::Latency { .. } | Work::Drain { .. } => "elements",
            Work::Ping { .. } | Work::Shared { .. } => "ops",
            Work::Cancel { .. } => "cancelled",
            // How many come is what is to be found out.
            Work::Losses { .. } => {
                let is_told = json["delivered"].is_array();
                return is_told
                    .then_some(json)
                    .ok_or("it does not say what came".into());
            }
        };
        // Whole pipelines may be more than what was asked for.
        match json[count].as_usize() {
            Some(done) if done >= work.units() => Ok(json),
            _ => Err(format!(
                "{} {}s are not all that were asked for",
                json[count],
                work.unit()
            )),
        }
    }
}

/// The result of `redis-benchmark --csv`, in which the number of commands a second is the second
/// field.
fn benchmark(work: &Work, csv: &str) -> Option<JsonValue> {
    let line = csv
        .lines()
        .find(|line| line.starts_with("\"PING_MBULK\""))?;
    let rate: f64 = line.split(',').nth(1)?.trim_matches('"').parse().ok()?;
    let ops = work.units();
    Some(object! { ops: ops, wall_s: ops as f64 / rate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const PING: Work = Work::Ping {
        connections: 50,
        pipeline: 16,
        ops: 1000,
    };

    fn program(name: &'static str) -> Program {
        Program {
            name,
            kind: kind(name),
            path: name.into(),
            script: None,
        }
    }

    fn line(name: &'static str, work: &Work) -> Option<String> {
        let place = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 7777);
        let command = program(name).command(work, place)?;
        let args = command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned());
        Some(args.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn programs_are_called_as_they_like_it() {
        assert_eq!(
            line("greenroom", &PING).unwrap(),
            "ping connections=50 pipeline=16 ops=1000 host=127.0.0.2 port=7777"
        );
        assert_eq!(
            line("redis-benchmark", &PING).unwrap(),
            "-t ping_mbulk --csv -h 127.0.0.2 -p 7777 -c 50 -P 16 -n 1000"
        );
        assert_eq!(line("redis-benchmark", &Work::Pops { clients: 1 }), None);
    }

    #[test]
    fn a_result_is_what_was_asked_for() {
        let greenroom = program("greenroom");
        let json = greenroom
            .result(&PING, "{\"ops\":1000,\"wall_s\":0.5}\n")
            .unwrap();
        assert_eq!(json["wall_s"], 0.5);
        for said in ["{\"ops\":999,\"wall_s\":0.5}", "{}", "", "done", "{"] {
            assert!(greenroom.result(&PING, said).is_err(), "{said}");
        }
    }

    #[test]
    fn redis_benchmark_says_it_in_csv() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\"\n\"PING_MBULK\",\"2000.00\",\"0.1\"\n";
        let json = program("redis-benchmark").result(&PING, csv).unwrap();
        assert_eq!(json["wall_s"], 0.5);
        assert!(
            program("redis-benchmark")
                .result(&PING, "\"test\",\"rps\"\n")
                .is_err()
        );
    }
}
