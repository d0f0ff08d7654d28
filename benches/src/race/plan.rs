//! What is run, and how often.

use super::options::{Group, Options};
use super::statistics::number;
use std::time::Duration;

/// What a program does in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Pops {
        clients: usize,
    },
    Latency {
        elements: usize,
    },
    Drain {
        elements: usize,
    },
    Ping {
        connections: usize,
        pipeline: usize,
        ops: usize,
    },
    Shared {
        ops: usize,
    },
}

/// How long a pop waits in the server, in seconds: Redis takes fractions, but not all clients do.
pub(crate) const TIMEOUT: u64 = 1;

/// Consumers of `latency` and `drain`, tasks of `shared`.
pub(crate) const TASKS: usize = 500;

/// The speed at which elements are pushed in `latency`, and how many at a time: as many as are due
/// in a millisecond.
pub(crate) const PUSHED_PER_SECOND: usize = 20_000;

/// One kind of work that all programs do, some rounds long.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) group: Group,
    pub(crate) work: Work,
    pub(crate) rounds: usize,
    /// Whether each program has a run before those that count; else the first program only, so that
    /// none is the one that finds a server that has not done anything yet.
    pub(crate) all_warm_up: bool,
}

impl Work {
    /// In file formats.
    pub(crate) fn key(&self) -> String {
        match self {
            Work::Pops { clients } => format!("pops_{clients}"),
            Work::Latency { .. } => "latency".into(),
            Work::Drain { .. } => "drain".into(),
            Work::Ping {
                connections,
                pipeline,
                ..
            } => format!("ping_{connections}x{pipeline}"),
            Work::Shared { .. } => "shared".into(),
        }
    }

    /// The command line of a program, without the server.
    pub(crate) fn args(&self) -> Vec<String> {
        let line = match self {
            Work::Pops { clients } => {
                format!("pops clients={clients} timeout={TIMEOUT} cron_ms=200")
            }
            Work::Latency { elements } => format!("latency consumers={TASKS} elements={elements}"),
            Work::Drain { elements } => format!("drain consumers={TASKS} elements={elements}"),
            Work::Ping {
                connections,
                pipeline,
                ops,
            } => format!("ping connections={connections} pipeline={pipeline} ops={ops}"),
            Work::Shared { ops } => format!("shared tasks={TASKS} ops={ops}"),
        };
        line.split(' ').map(String::from).collect()
    }

    pub(crate) fn title(&self) -> String {
        match self {
            Work::Pops { clients } => format!("{} blocking pops", number(*clients as f64)),
            Work::Latency { .. } => "A queue: the way of an element".into(),
            Work::Drain { .. } => "A queue: elements a second".into(),
            Work::Ping {
                connections,
                pipeline: 1,
                ..
            } => format!("PING on {connections} connections, one at a time"),
            Work::Ping {
                connections,
                pipeline,
                ..
            } => format!("PING on {connections} connections, {pipeline} in a pipeline"),
            Work::Shared { .. } => format!("{TASKS} tasks, one connection"),
        }
    }

    pub(crate) fn about(&self) -> String {
        match self {
            Work::Pops { clients } => format!(
                "{} tasks ask BRPOP with a timeout of {TIMEOUT} s at once, each on a connection of its own; all get nil, \
                 beside a cron task every 0.2 s. The time is that from before the first connect until all connections \
                 are closed.",
                number(*clients as f64),
            ),
            Work::Latency { elements } => format!(
                "{TASKS} consumers loop BRPOP. {} elements are pushed, {} a second, each of which is the moment at which it \
                 was sent; its way ends in the consumer.",
                number(*elements as f64),
                number(PUSHED_PER_SECOND as f64),
            ),
            Work::Drain { elements } => format!(
                "{TASKS} consumers loop BRPOP on a list in which {} elements are already.",
                number(*elements as f64),
            ),
            Work::Ping { pipeline: 1, .. } => {
                "Each connection writes a PING, waits for the reply, and again.".into()
            }
            Work::Ping { pipeline, .. } => format!(
                "Each connection writes {pipeline} PINGs at once, waits for all replies, and again.",
            ),
            Work::Shared { .. } => {
                format!("{TASKS} tasks loop GET, all through the same connection.")
            }
        }
    }

    /// What a program does many times in one run.
    pub(crate) fn unit(&self) -> &'static str {
        match self {
            Work::Pops { .. } => "pop",
            Work::Latency { .. } | Work::Drain { .. } => "element",
            Work::Ping { .. } | Work::Shared { .. } => "command",
        }
    }

    /// The same with its article.
    pub(crate) fn each(&self) -> String {
        match self.unit() {
            unit @ "element" => format!("an {unit}"),
            unit => format!("a {unit}"),
        }
    }

    /// How many of them.
    pub(crate) fn units(&self) -> usize {
        match *self {
            Work::Pops { clients } => clients,
            Work::Latency { elements } | Work::Drain { elements } => elements,
            Work::Ping { ops, .. } | Work::Shared { ops } => ops,
        }
    }

    /// How many connections a run makes, about.
    pub(crate) fn connections(&self) -> usize {
        match *self {
            Work::Pops { clients } => clients + 1,
            Work::Ping { connections, .. } => connections,
            Work::Latency { .. } | Work::Drain { .. } => TASKS + 1,
            Work::Shared { .. } => 1,
        }
    }

    /// How many elements are to be pushed when the program is ready, if it wants any.
    pub(crate) fn fed(&self) -> Option<usize> {
        match *self {
            Work::Latency { elements } => Some(elements),
            _ => None,
        }
    }

    /// About how long a run takes with what is around it: for the progress bar.
    pub(crate) fn guess(&self) -> Duration {
        let units = self.units() as u64;
        Duration::from_micros(match self {
            Work::Pops { .. } => TIMEOUT * 1_000_000 + 150_000 + 60 * units,
            Work::Latency { .. } => 300_000 + 50 * units,
            Work::Drain { .. } => 100_000 + 15 * units,
            Work::Ping { pipeline: 1, .. } => 100_000 + 12 * units,
            Work::Ping { .. } | Work::Shared { .. } => 100_000 + 3 * units,
        })
    }
}

/// The cases of what was asked for. `exact` has none: it is not about time.
pub(crate) fn plan(options: &Options) -> Vec<Case> {
    let mut cases = Vec::new();
    for &group in &options.groups {
        let rounds = options.rounds.unwrap_or(match (options.quick, group) {
            (true, Group::Growth | Group::Ping) => 1,
            (true, _) => 2,
            (false, Group::Pops) => 9,
            (false, Group::Growth) => 3,
            (false, _) => 5,
        });
        for work in works(group, options.quick) {
            cases.push(Case {
                group,
                work,
                rounds,
                all_warm_up: !options.quick && group != Group::Growth,
            });
        }
    }
    cases
}

fn works(group: Group, quick: bool) -> Vec<Work> {
    let either = |short: usize, long: usize| if quick { short } else { long };
    match group {
        Group::Pops => vec![Work::Pops { clients: 500 }],
        Group::Queue => vec![
            Work::Latency {
                elements: either(6_000, 30_000),
            },
            Work::Drain {
                elements: either(10_000, 60_000),
            },
        ],
        Group::Ping => [(50, 1), (50, 16), (500, 1), (500, 16)]
            .into_iter()
            .filter(|&(connections, _)| !quick || connections == 50)
            .map(|(connections, pipeline)| Work::Ping {
                connections,
                pipeline,
                ops: match pipeline {
                    1 => either(10_000, 60_000),
                    _ => either(100_000, 600_000),
                },
            })
            .collect(),
        Group::Shared => vec![Work::Shared {
            ops: either(50_000, 300_000),
        }],
        Group::Growth => {
            // With one client, for the memory that a program needs anyway.
            let full = [1, 100, 300, 1_000, 5_000, 10_000];
            let sizes = if quick { &[100, 1_000] } else { &full[..] };
            let pops = |&clients| Work::Pops { clients };
            sizes.iter().map(pops).collect()
        }
        Group::Exact => Vec::new(),
    }
}
