//! Hundreds of blocking pops and a cron task, on one thread.
//!
//! ```text
//! cargo run --release --example concurrent_brpop             # 500 pops on redis://127.0.0.1:6379
//! cargo run --release --example concurrent_brpop -- --help
//! ```
//!
//! Each of 500 tasks asks `BRPOP list 1` on a connection of its own and asserts that nothing comes. A cron
//! task says hello every 0.2 s meanwhile. Main sleeps for a second, as a task does, counts threads and connections,
//! and waits for all. One after the other the pops would take more than 500 seconds; waiting at the
//! same time, they take little more than one.

mod support;

use greenroom::{Config, Error, ErrorKind, Hub, Redis, Result, Timeout, Wait, Wake, secs};
use log::{error, info};
use std::cell::{Cell, RefCell};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use support::options::Options;
use support::summary::{Exit, Summary};
use support::{interrupt, kernel, logging};

fn main() -> ExitCode {
    let options = match Options::from_args() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    logging::start(options.quiet);
    match run(&options) {
        Ok(summary) => {
            if options.json {
                println!("{}", summary.to_json());
            }
            summary.exit().into()
        }
        Err(error) => {
            eprintln!("concurrent_brpop: {error}");
            Exit::Failed.into()
        }
    }
}

fn run(options: &Options) -> Result<Summary> {
    let mut hub = Hub::new()?;
    let redis = Redis::open_with(&mut hub, options.address.clone(), Config::default())?;
    let server = support::server_name(&mut hub, redis)?;
    let tally = Rc::new(Tally::default());
    let interrupted = interrupt::kills_all(&mut hub)?;
    let begin = hub.now();

    let ticks = Rc::clone(&tally);
    let cron = hub.every(options.cron, move |_hub, tick| {
        info!(target: "cron", "Hello from cron task.");
        ticks.cron_missed.set(ticks.cron_missed.get() + tick.missed);
        ticks.cron_late.borrow_mut().push(tick.late);
        Ok(())
    });

    let first_failure = Cell::new(true);
    hub.on_error(move |failure| {
        // Five hundred tasks that lose one server fail with the same words.
        if first_failure.replace(false) {
            error!(target: "main", "{:?} failed: {}", failure.task, failure.error);
        }
    });
    let pops: Vec<_> = (0..options.clients)
        .map(|_| {
            let (key, timeout) = (Rc::clone(&options.key), options.timeout);
            let tally = Rc::clone(&tally);
            hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.brpop(hub, &*key, timeout),
                Wake::Reply(reply) => tally.count(reply?, timeout),
                other => Err(other.unexpected()),
            })
        })
        .collect();

    hub.sleep(secs(1))?;
    let os_threads = kernel::threads();
    let pool_during = redis.stats(&hub);
    info!(target: "main", "# OS threads: {os_threads}");
    info!(target: "main", "# Redis connections created: {}", pool_during.created);
    info!(target: "main", "# Redis connections in use: {}", pool_during.in_use);
    info!(target: "main", "# Redis connections available: {}", pool_during.available);

    let joined = hub.join_all(&pops);
    let duration = hub.now().since(begin);
    info!(target: "main", "Done in {:.3} s.", duration.as_secs_f64());
    hub.kill(cron);

    if let (Err(error), false) = (&joined, interrupted.get()) {
        eprintln!("concurrent_brpop: {error}");
    }
    let answered = tally.timed_out.get() + tally.popped.get();
    Ok(Summary {
        server,
        url: options.address.to_string(),
        clients: options.clients,
        timed_out: tally.timed_out.get(),
        popped: tally.popped.get(),
        failed: options.clients - answered,
        duration,
        reply_late: tally.reply_late.take(),
        cron_late: tally.cron_late.take(),
        cron_missed: tally.cron_missed.get(),
        os_threads,
        pool_during,
        pool_after: redis.stats(&hub),
        hub: hub.stats(),
        interrupted: interrupted.get(),
    })
}

/// What the tasks have seen. They run one at a time, so that a `Cell` is all the locking there is.
#[derive(Default)]
struct Tally {
    timed_out: Cell<usize>,
    popped: Cell<usize>,
    reply_late: RefCell<Vec<Duration>>,
    cron_late: RefCell<Vec<Duration>>,
    cron_missed: Cell<u64>,
}

impl Tally {
    /// Asserts that the answer is nil.
    fn count(&self, reply: greenroom::Reply, timeout: Timeout) -> Result<Wait> {
        if !reply.is_none() {
            self.popped.set(self.popped.get() + 1);
            let message = format!("nothing was to come, and there came {:?}", reply.value());
            return Err(Error::new(ErrorKind::Task, message));
        }
        self.timed_out.set(self.timed_out.get() + 1);
        if let Timeout::After(timeout) = timeout {
            self.reply_late
                .borrow_mut()
                .push(reply.elapsed().saturating_sub(timeout));
        }
        Ok(Wait::done())
    }
}
