//! What is run, and how often.

use super::feed::{Feed, Of};
use super::options::{Group, Options};
use super::statistics::number;
use greenroom_bench::giving_up::Way;
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
    Cancel {
        pops: usize,
    },
    Losses {
        way: Way,
        elements: usize,
    },
}

/// How long a pop waits in the server, in seconds: Redis takes fractions, but not all clients do.
pub(crate) const TIMEOUT: u64 = 1;

/// Consumers of `latency` and `drain`, tasks of `shared`.
pub(crate) const TASKS: usize = 500;

/// The speed at which elements are pushed in `latency`, and how many at a time: as many as are due
/// in a millisecond.
pub(crate) const PUSHED_PER_SECOND: usize = 20_000;

/// Consumers whose pops are given up, and the speed at which elements are pushed to them: a consumer waits for ten times
/// as long as a deadline is, so that nearly all pops are given up.
const GIVING_UP: usize = 200;
const NUMBERED_PER_SECOND: usize = 2_000;

/// How long a program goes on when all elements should have been pushed.
const OVERTIME_MS: usize = 1_000;

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
            Work::Cancel { .. } => "cancel".into(),
            Work::Losses { way, .. } => way.name().into(),
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
            Work::Cancel { pops } => format!("cancel pops={pops}"),
            Work::Losses { way, elements } => {
                let run_ms = elements * 1_000 / NUMBERED_PER_SECOND + OVERTIME_MS;
                format!("{} consumers={GIVING_UP} run_ms={run_ms}", way.name())
            }
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
            Work::Cancel { pops } => format!("{} pops given up at once", number(*pops as f64)),
            Work::Losses { way, .. } => match way {
                Way::Timeouts => "Pops with a deadline: what is lost".into(),
                Way::Aborts => "Consumers that are aborted: what is lost".into(),
            },
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
            Work::Cancel { pops } => format!(
                "{} tasks wait in BRPOP, each on a connection of its own, and all are ended at once. The time is that until \
                 the server, which is asked once a millisecond, has no blocked client any more; connections are those \
                 that it has then.",
                number(*pops as f64),
            ),
            Work::Losses { way, elements } => format!(
                "{GIVING_UP} consumers loop BRPOP. {} numbered elements are pushed, {} a second. {} What was pushed, was not \
                 given to anybody who waited, and is not in the list either when all is over, is lost.",
                number(*elements as f64),
                number(NUMBERED_PER_SECOND as f64),
                match way {
                    Way::Timeouts =>
                        "Each pop has a deadline of 1 to 20 ms, after which its consumer asks again.",
                    Way::Aborts =>
                        "Each consumer is aborted after 20 to 400 ms, with its connection unless the library saves it, \
                         and another takes its place.",
                },
            ),
        }
    }

    /// What a program does many times in one run.
    pub(crate) fn unit(&self) -> &'static str {
        match self {
            Work::Pops { .. } | Work::Cancel { .. } => "pop",
            Work::Latency { .. } | Work::Drain { .. } | Work::Losses { .. } => "element",
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
            Work::Cancel { pops } => pops,
            Work::Losses { elements, .. } => elements,
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
            Work::Cancel { pops } => pops + 1,
            // A connection for each life, of which a second has five for each consumer.
            Work::Losses {
                way: Way::Aborts,
                elements,
            } => GIVING_UP + 5 * GIVING_UP * elements.div_ceil(NUMBERED_PER_SECOND),
            Work::Losses { .. } => GIVING_UP + 1,
        }
    }

    /// What is to be pushed when the program is ready, if it wants anything.
    pub(crate) fn fed(&self) -> Option<Feed> {
        let feed = |elements, per_second, of| Feed {
            elements,
            per_second,
            of,
        };
        match *self {
            Work::Latency { elements } => Some(feed(elements, PUSHED_PER_SECOND, Of::Moments)),
            Work::Losses { elements, .. } => Some(feed(elements, NUMBERED_PER_SECOND, Of::Numbers)),
            _ => None,
        }
    }

    /// Whether the server is to be looked at when the program is ready.
    pub(crate) fn is_watched(&self) -> bool {
        matches!(self, Work::Cancel { .. })
    }

    /// About how long a run takes with what is around it: for the progress bar.
    pub(crate) fn guess(&self) -> Duration {
        let units = self.units() as u64;
        Duration::from_micros(match self {
            Work::Pops { .. } => TIMEOUT * 1_000_000 + 150_000 + 60 * units,
            Work::Latency { .. } => 300_000 + 50 * units,
            Work::Drain { .. } => 100_000 + 15 * units,
            Work::Cancel { .. } => 1_400_000 + 100 * units,
            Work::Losses { .. } => 1_300_000 + 500 * units,
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
            (true, Group::Growth | Group::Ping | Group::Cancel) => 1,
            (true, _) => 2,
            (false, Group::Pops) => 9,
            (false, Group::Growth | Group::Cancel) => 3,
            (false, _) => 5,
        });
        for work in works(group, options.quick) {
            cases.push(Case {
                group,
                work,
                rounds,
                // Losses do not depend on how warm anybody is.
                all_warm_up: !options.quick && !matches!(group, Group::Growth | Group::Cancel),
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
        Group::Cancel => {
            let elements = either(6_000, 20_000);
            let losses = |way| Work::Losses { way, elements };
            vec![
                Work::Cancel { pops: 1_000 },
                losses(Way::Timeouts),
                losses(Way::Aborts),
            ]
        }
        Group::Exact => Vec::new(),
    }
}
