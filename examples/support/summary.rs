//! What a run has shown, as one line of JSON and as an exit status.
//!
//! | field | what it says |
//! |---|---|
//! | `schema` | the version of this table |
//! | `server`, `url` | who answered: its version, `embedded` or `simulated`; where it is |
//! | `clients`, `timed_out`, `popped`, `failed` | pops that were asked; that ended with nil, with an element, with an error |
//! | `duration_s` | from the first pop to the last reply, in seconds |
//! | `reply_late_ms` | how much later than its timeout nil came |
//! | `cron` | ticks that ran and that were missed, and how late they ran |
//! | `os_threads` | threads of the process while the pops wait |
//! | `pool_during`, `pool_after` | the pool's counters while the pops wait, and in the end |
//! | `turns`, `polls` | turns of the hub, and how often it asked the kernel: equal, since each turn polls once |
//! | `connects_retried` | connects that had to be started again, or whose SYN was lost |
//! | `rss_kib` | the most memory that the process has had, in KiB |
//! | `seed`, `trace_hash`, `virtual_s` | of a simulated run only: its seed, a hash over all that happened, the time there |

use super::arguments::{MISUSED, NAME};
use super::kernel;
use greenroom::sim::Sim;
use greenroom::{HubStats, PoolStats, Tick};
use jzon::{JsonValue, object};
use std::ffi::c_int;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

/// The figures of a run.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) server: String,
    pub(crate) url: String,
    pub(crate) clients: usize,
    pub(crate) timed_out: usize,
    pub(crate) popped: usize,
    pub(crate) failed: usize,
    pub(crate) duration: Duration,
    /// How much later than its timeout each pop was answered, in microseconds.
    pub(crate) reply_late_us: Vec<u32>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) os_threads: usize,
    pub(crate) pool_during: PoolStats,
    pub(crate) pool_after: PoolStats,
    pub(crate) hub: HubStats,
    /// What has ended the run before its time.
    pub(crate) signal: Option<c_int>,
    pub(crate) simulation: Option<Sim>,
    /// Whether all files were written that were asked for.
    pub(crate) saved: bool,
}

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Succeeded,
    Failed,
    Misused,
    Interrupted(c_int),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Succeeded => 0,
            Exit::Failed => 1,
            Exit::Misused => MISUSED,
            // 128 and the number of the signal, as a shell tells it.
            Exit::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        })
    }
}

impl Summary {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Summary {
                signal: Some(signal),
                ..
            } => Exit::Interrupted(*signal),
            Summary {
                popped: 0,
                failed: 0,
                saved: true,
                ..
            } => Exit::Succeeded,
            _ => Exit::Failed,
        }
    }

    /// Prints the summary on stdout, and says how the program is to end.
    pub(crate) fn print(&self) -> io::Result<Exit> {
        writeln!(io::stdout(), "{}", self.to_json())
            .inspect_err(|error| eprintln!("{NAME}: cannot print the summary: {error}"))?;
        Ok(self.exit())
    }

    /// One line. A field that could not be measured is 0; the order is fixed. What only a simulation has stands at
    /// the end.
    fn to_json(&self) -> String {
        let reply = Spread::of(self.reply_late_us.clone());
        let late = self.ticks.iter().map(|tick| tick.late.as_micros());
        let cron = Spread::of(
            late.map(|late| u32::try_from(late).unwrap_or(u32::MAX))
                .collect(),
        );
        let missed: u64 = self.ticks.iter().map(|tick| tick.missed).sum();
        let mut summary = object! {
            "schema": 1,
            "server": self.server.as_str(),
            "url": self.url.as_str(),
            "clients": self.clients,
            "timed_out": self.timed_out,
            "popped": self.popped,
            "failed": self.failed,
            "duration_s": rounded(self.duration.as_secs_f64()),
            "reply_late_ms": {
                "min": reply.min, "p50": reply.p50, "p99": reply.p99, "max": reply.max,
            },
            "cron": {
                "ticks": self.ticks.len(),
                "missed": missed,
                "late_ms": { "p50": cron.p50, "p99": cron.p99, "max": cron.max },
            },
            "os_threads": self.os_threads,
            "pool_during": counters(&self.pool_during),
            "pool_after": counters(&self.pool_after),
            "turns": self.hub.turns,
            "polls": self.hub.polls,
            "connects_retried": self.pool_after.connects_retried,
            "rss_kib": kernel::peak_resident_kib(),
        };
        if let Some(sim) = &self.simulation {
            let virtual_s = Duration::from_nanos(sim.now().as_nanos()).as_secs_f64();
            summary["seed"] = sim.seed().into();
            summary["trace_hash"] = format!("{:016x}", sim.trace_hash()).into();
            summary["virtual_s"] = virtual_s.into();
        }
        summary.dump()
    }
}

fn counters(pool: &PoolStats) -> JsonValue {
    object! { "created": pool.created, "in_use": pool.in_use, "available": pool.available }
}

/// Milliseconds.
struct Spread {
    min: f64,
    p50: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    fn of(mut micros: Vec<u32>) -> Spread {
        micros.sort_unstable();
        // The nearest rank: the smallest value that is not exceeded by so many percent of all.
        let percentile = |percent: usize| {
            let rank = (micros.len() * percent).div_ceil(100).max(1) - 1;
            micros
                .get(rank)
                .map_or(0.0, |&micros| f64::from(micros) / 1000.0)
        };
        Spread {
            min: percentile(0),
            p50: percentile(50),
            p99: percentile(99),
            max: percentile(100),
        }
    }
}

/// To three places.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
