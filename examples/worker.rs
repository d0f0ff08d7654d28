//! A worker of a job queue: jobs from a list, several at a time on one thread, and none is lost.
//!
//! ```text
//! cargo run --release --example worker -- --embedded --produce 200     # needs no Redis
//! cargo run --release --example worker -- --queue mails --name mails-1 # on redis://127.0.0.1:6379
//! cargo run --release --example worker -- --help
//! ```
//!
//! A pop takes a job out of the list, and if its worker dies the next moment, nobody has it. So a job is *moved*
//! ([BLMOVE](https://redis.io/docs/latest/commands/blmove/)) into a list of the worker that does it, and removed from there
//! when it is done. What a worker leaves behind when it dies stands in its list, and goes back to the queue when it starts again. For
//! that, it needs a name that outlives it: neither a process id nor anything else that changes. Whoever runs several of them
//! names them, `worker-1` and `worker-2`; two with one name would take each other's jobs for those of a dead one.
//!
//! The promise is *at least once*. A job is done twice when its worker dies after the work and before the
//! acknowledgement, or when the connection breaks with it. A job that kills its worker each time is no failed attempt, and
//! comes back each time: watch the restarts.
//!
//! | task | what it does | file |
//! |---|---|---|
//! | takers, `--jobs` of them | take a job, have it done, settle it | `worker/taker.rs`, `worker/settling.rs` |
//! | a job | the work itself: the file to replace | `worker/work.rs` |
//! | a retry | waits until a job that has failed is tried again | `worker/retry.rs` |
//! | the sweep | brings back what a broken connection has left in the list | `worker/sweep.rs` |
//! | figures | a line each second | `worker/figures.rs` |
//!
//! `worker/queue.rs` has the lists and what moves a job between them, `worker/job.rs` what a job looks like.

// The paths are said for rustfmt, which looks in `worker/` for both otherwise.
#[path = "support"]
mod support {
    pub(crate) mod arguments;
    pub(crate) mod files;
    pub(crate) mod logging;
    pub(crate) mod seconds;
    pub(crate) mod which;
}

#[path = "worker"]
mod worker {
    pub(crate) mod crew;
    pub(crate) mod figures;
    pub(crate) mod job;
    pub(crate) mod options;
    pub(crate) mod queue;
    pub(crate) mod retry;
    pub(crate) mod settling;
    pub(crate) mod sweep;
    pub(crate) mod taker;
    pub(crate) mod work;
}

use greenroom::driver::Endpoint;
use greenroom::server::{self, Server};
use greenroom::{
    Address, Config, Failure, Hub, Redis, Result, Shutdown, TaskId, Wait, Wake, ms, signals,
};
use log::{error, info, warn};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use support::arguments::{self, NAME};
use support::logging;
use support::which::Which;
use worker::crew::{Crew, add};
use worker::figures::{self, Summary};
use worker::job::Job;
use worker::options::Options;
use worker::queue::{Queue, is_empty};
use worker::sweep::Sweep;
use worker::taker::{self, Taker};

/// How many produced jobs are pushed by one command.
const BATCH: u64 = 1000;

/// The time between two looks whether any job is left.
const LOOK: Duration = ms(20);

fn main() -> ExitCode {
    let options = match Options::from_args() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    logging::start(options.quiet, || None, || "");
    let outcome = run(&options).and_then(|summary| {
        if options.json {
            arguments::print(&format!("{}\n", summary.to_json(&options)))
                .map_err(|message| greenroom::Error::new(greenroom::ErrorKind::Io, message))?;
        }
        Ok(summary.report.failed == 0)
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Summary> {
    let mut hub = Hub::new()?;
    hub.on_error(tell_failures);
    let (redis, url) = open(&mut hub, options)?;
    let shutdown = watch_signals(&mut hub)?;
    let queue = Queue::new(redis, &options.queue, &options.name);
    let crew = Rc::new(Crew::new(queue, shutdown, options));
    prepare(&mut hub, &crew, options)?;

    let begin = hub.now();
    let takers: Vec<_> = (0..options.jobs)
        .map(|_| hub.spawn_task(Taker::new(Rc::clone(&crew))))
        .collect();
    for &taker in &takers {
        crew.shutdown.tell(&mut hub, taker);
    }
    let mut others = vec![
        figures::tell(&mut hub, Rc::clone(&crew), options.stats),
        hub.spawn_task(Sweep::new(Rc::clone(&crew))),
    ];
    if options.until_empty {
        others.push(look_for_the_end(&mut hub, &crew));
    }

    crew.shutdown.wait(&mut hub)?;
    if crew.shutdown.signal().is_some() {
        info!(target: "worker", "A signal: {}, and nothing more is taken.", crew.line());
    }
    for task in others {
        hub.kill(task);
    }
    let tasks = [takers, crew.retries()].concat();
    let report = crew.shutdown.finish(&mut hub, options.grace, &tasks)?;
    let returned = leave(&mut hub, &crew)?;
    let duration = hub.now().since(begin);
    info!(
        target: "worker", "{} after {:.3} s; {} interrupted.",
        crew.line(), duration.as_secs_f64(), report.killed
    );
    Ok(Summary {
        signal: crew.shutdown.signal(),
        crew,
        url,
        duration,
        report,
        returned,
    })
}

/// Finds what this worker has left behind, before it takes anything; and adds the jobs that it was asked for.
fn prepare(hub: &mut Hub, crew: &Crew, options: &Options) -> Result<()> {
    crew.queue.check(hub)?;
    let recovered = crew.queue.recover(hub)?;
    add(&crew.counts.recovered, recovered);
    if recovered > 0 {
        info!(target: "worker", "{recovered} jobs were left from the last time, and are in the queue again.");
    }
    let mut next = 1;
    while next <= options.produce {
        let last = options.produce.min(next + BATCH - 1);
        let batch: Vec<_> = (next..=last)
            .map(|id| Job::new(id, &options.body).payload())
            .collect();
        crew.queue.push(hub, &batch)?;
        next = last + 1;
    }
    Ok(())
}

/// Puts back what was taken and not done: jobs whose grace was too short, and those that a take has
/// moved while it was cancelled.
fn leave(hub: &mut Hub, crew: &Crew) -> Result<Option<u64>> {
    hub.drain()?;
    match crew.queue.recover(hub) {
        Ok(0) => Ok(Some(0)),
        Ok(returned) => {
            info!(target: "worker", "{returned} jobs were not done, and are in the queue again.");
            Ok(Some(returned))
        }
        // Nothing is lost by that, and nobody is helped by a failure.
        Err(error) => {
            warn!(target: "worker", "What was not done goes back at the next start: {error}");
            Ok(None)
        }
    }
}

/// Ends the worker when no job is left, neither in the queue nor in its own list.
fn look_for_the_end(hub: &mut Hub, crew: &Rc<Crew>) -> TaskId {
    let crew = Rc::clone(crew);
    hub.spawn(move |hub, wake| match wake {
        Wake::Start | Wake::Elapsed => crew.queue.lengths(hub),
        Wake::Reply(reply) => {
            match reply.and_then(is_empty) {
                Ok(true) => crew.shutdown.request(hub),
                Ok(false) => {}
                Err(error) => crew.complain(hub, &error),
            }
            Ok(Wait::sleep(LOOK))
        }
        _ => Ok(Wait::done()),
    })
}

/// SIGINT and SIGTERM end the worker; SIGUSR1 asks what everybody waits for.
fn watch_signals(hub: &mut Hub) -> Result<Shutdown> {
    signals::on(hub, &[signals::SIGUSR1], |hub, _| {
        eprint!("{}", hub.dump());
        Ok(())
    })?;
    Shutdown::on_signals(hub)
}

/// That a job has failed is told by its taker, with what becomes of it.
fn tell_failures(failure: &Failure) {
    let Failure {
        spawned_at, error, ..
    } = failure;
    if spawned_at.file() != taker::FILE {
        error!(target: "worker", "A task, spawned at {spawned_at}, failed: {error}");
    }
}

/// A client of the server that was asked for. Where none was, it is the usual one and never the embedded one:
/// a worker that forgets its jobs with its end is only for who wants that.
fn open(hub: &mut Hub, options: &Options) -> Result<(Redis, Address)> {
    let mut config = Config::default();
    let address = match &options.server {
        Which::Named(address) => address.clone(),
        Which::Usual => Address::default(),
        Which::Embedded => {
            // The backlog is that of Rust's listeners, 128.
            config.max_connecting = 100;
            embedded(hub, options.jobs)?
        }
    };
    Ok((Redis::open_with(hub, address.clone(), config)?, address))
}

/// Starts a server in this hub, on a free port.
fn embedded(hub: &mut Hub, jobs: usize) -> Result<Address> {
    let mut config = server::Config::default();
    // All of them, and whoever wants to look in or to add jobs.
    config.max_clients = jobs.saturating_add(16);
    let server = Server::new(hub, config);
    let port = Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let at = server.listen(hub, &port)?;
    info!(target: "worker", "The embedded server listens at {at}.");
    format!("redis://{at}").parse()
}
