//! What the programs share: the command line, the line of JSON, the clock, the histogram, a few
//! bytes of RESP.
//!
//! Each program in `bin/` does the same work with another library, and has the same functions in
//! the same order, so that two of them can be read side by side. `PROGRAM WORKLOAD key=value ...`
//! does one workload once:
//!
//! | workload | keys (default) | what is done |
//! |---|---|---|
//! | `pops` | `clients` (500), `timeout` (1 s), `cron_ms` (200) | so many `BRPOP list TIMEOUT` at once, all answered nil, beside a cron task |
//! | `latency` | `consumers` (500), `elements` (10000) | consumers loop `BRPOP queue 0`; each element is the moment at which it was pushed |
//! | `drain` | `consumers` (500), `elements` (100000) | the same, with a queue that was filled before |
//! | `ping` | `connections` (50), `pipeline` (16), `ops` (1000000) | each connection writes a whole pipeline of `PING`s at once, then reads all replies, and again |
//! | `shared` | `tasks` (500), `ops` (500000) | each task loops `GET key`, all on one connection |
//! | `cancel` | `pops` (1000) | so many `BRPOP queue 0` that wait are given up at once |
//! | `timeouts` | `consumers` (200), `run_ms` (4000) | consumers loop `BRPOP queue 0`, each with a deadline of 1 to 20 ms; elements are numbers |
//! | `aborts` | the same | consumers loop `BRPOP queue 0`, and each is aborted after 20 to 400 ms and replaced |
//!
//! The server is at `host` (127.0.0.1) and `port` (6379), or at the UNIX `socket`.
//!
//! One JSON object on stdout and status 0 say that it was done; status 3, that the program does not
//! have this workload; status 1, that something failed. What a program costs is measured from
//! outside, by whoever has started it.
//!
//! **Ten thousand connections at once** would overflow the server's backlog, whose lost SYNs the
//! kernel repeats a second later. greenroom paces its connects, so all others do too, in the same
//! way (see "Pacing by proof" in `docs/architecture.md`): every [`PROOF`]th connection asks `PING`
//! first, and its answer shows that the server has accepted all before it; no more than [`WINDOW`]
//! connects go beyond the last proof.

mod args;
pub mod c;
mod clock;
pub mod giving_up;
mod on_tokio;
pub mod tokio_gives_up;
pub mod wire;

pub use args::{Job, Place, Workload};
pub use clock::{Consumed, late_us, now, ready};
pub use on_tokio::on_tokio;

use giving_up::Delivered;
use jzon::{JsonValue, object};
use std::cell::Cell;
use std::process::exit;
use std::time::Duration;

/// How many connects may be unproven.
pub const WINDOW: usize = 256;

/// How many connects one answer proves.
pub const PROOF: usize = 64;

/// Whether this connection, counted from 0, asks `PING` first: the last of each [`PROOF`].
pub fn proves(number: usize) -> bool {
    number % PROOF == PROOF - 1
}

/// How long after the last connect the server has certainly taken in all commands.
pub const SETTLE: Duration = Duration::from_millis(100);

/// So much is left to do, for all tasks of a thread together.
#[derive(Debug)]
pub struct Countdown(Cell<usize>);

impl Countdown {
    pub fn new(left: usize) -> Countdown {
        Countdown(Cell::new(left))
    }

    /// Takes one, if there is one left.
    pub fn take(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// Why there is no result.
#[derive(Debug)]
pub enum Stop {
    /// The program does not have this workload, and why.
    NotRun(&'static str),
    /// Something went wrong.
    Failed(String),
}

/// What a program says of its work, or why it cannot.
pub type Result<T> = std::result::Result<T, Stop>;

impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Failed(error.to_string())
    }
}

/// What came of a workload. `wall` begins before the first connect.
#[derive(Debug)]
pub enum Outcome {
    /// Of `pops`. `wall` ends when all connections are closed.
    Pops {
        nil: usize,
        wall: Duration,
        late_us: Vec<u64>,
    },
    /// Of `latency`.
    Latency(Consumed),
    /// Of `drain`. `wall` ends with the last element.
    Drain { elements: usize, wall: Duration },
    /// Of `ping` and `shared`. `wall` ends with the last reply.
    Ops { ops: usize, wall: Duration },
    /// Of `cancel`. `wall` is how long the program itself took; the other two are moments by the clock that all
    /// processes share: before the first pop was given up, and when the program went on to its end.
    Cancelled {
        cancelled: usize,
        began_ns: u64,
        ended_ns: u64,
        wall: Duration,
    },
    /// Of `timeouts` and `aborts`.
    Delivered(Delivered),
}

impl Outcome {
    fn json(self) -> JsonValue {
        match self {
            Outcome::Pops { nil, wall, late_us } => {
                object! { nil: nil, wall_s: wall.as_secs_f64(), cron_late_us: late_us }
            }
            Outcome::Latency(consumed) => consumed.json(),
            Outcome::Drain { elements, wall } => {
                object! { elements: elements, wall_s: wall.as_secs_f64() }
            }
            Outcome::Ops { ops, wall } => object! { ops: ops, wall_s: wall.as_secs_f64() },
            Outcome::Cancelled {
                cancelled,
                began_ns,
                ended_ns,
                wall,
            } => object! {
                cancelled: cancelled,
                began_ns: began_ns,
                ended_ns: ended_ns,
                wall_s: wall.as_secs_f64(),
            },
            Outcome::Delivered(delivered) => delivered.json(),
        }
    }
}

/// A program: does what the command line says, prints what came of it and ends the process.
pub fn program(name: &str, run: impl FnOnce(&Job) -> Result<Outcome>) -> ! {
    let mut args = std::env::args().skip(1);
    let outcome = Job::parse(&mut args).and_then(|job| {
        let outcome = run(&job);
        outcome.map_err(|stop| match stop {
            Stop::NotRun(why) => {
                eprintln!("{name} does not run {}: {why}", job.workload.name());
                exit(3)
            }
            failed => failed,
        })
    });
    match outcome {
        Ok(outcome) => {
            println!("{}", outcome.json());
            exit(0)
        }
        Err(stop) => fail(name, &stop),
    }
}

/// Ends the process from wherever something has failed: a result of the others would be none.
pub fn fail(name: &str, stop: &Stop) -> ! {
    let why = match stop {
        Stop::NotRun(why) => why,
        Stop::Failed(why) => why.as_str(),
    };
    eprintln!("{name}: {}", why.replace('\n', " "));
    exit(1)
}
