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
//! same time, they take little more than one. Where no server is at that address, the program brings one along,
//! and that one waits on the same thread.

mod support;

use greenroom::{
    Error, ErrorKind, Failure, Hub, PoolStats, Redis, Reply, Result, Shutdown, TaskId, Tick,
    Timeout, Wait, Wake, secs, signals,
};
use log::{error, info};
use std::cell::{Cell, RefCell};
use std::process::ExitCode;
use std::rc::Rc;
use support::arguments::NAME;
use support::options::Options;
use support::summary::{Exit, Summary};
use support::watching::Watching;
use support::{kernel, logging, progress, reach, simulation};

fn main() -> ExitCode {
    let options = match Options::from_args() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    logging::start(options.quiet, simulation::now, progress::wipe);
    match run(&options) {
        Ok(summary) if options.json => summary.print().unwrap_or(Exit::Failed).into(),
        Ok(summary) => summary.exit().into(),
        Err(error) => {
            eprintln!("{}{NAME}: {error}", progress::wipe());
            match error.kind() {
                ErrorKind::Config => Exit::Misused.into(),
                _ => Exit::Failed.into(),
            }
        }
    }
}

fn run(options: &Options) -> Result<Summary> {
    let (mut hub, simulation) = simulation::hub(options)?;
    let server = reach::server(&mut hub, options)?;
    let redis = server.redis;
    let pops = Rc::new(Pops::new(options));
    let shutdown = match &simulation {
        // What takes some milliseconds need not be interrupted.
        Some(_) => Shutdown::new(),
        None => watch_signals(&mut hub)?,
    };
    if let (Some(sim), Some(faults)) = (&simulation, &options.faults) {
        sim.set_faults(faults.clone());
    }
    let watching = Watching::start(&mut hub, options);
    let begin = hub.now();

    let (cron, ticks) = say_hello(&mut hub, options);
    hub.on_error(tells_the_first());
    let tasks = spawn_pops(&mut hub, redis, &pops, options.clients);
    kill_on_request(&mut hub, &shutdown, &tasks);
    let counted = Rc::clone(&pops);
    let progress = progress::start(&mut hub, options, move |hub| {
        (redis.stats(hub).in_use, counted.answered())
    });

    hub.sleep(secs(1))?;
    let os_threads = kernel::threads();
    let pool_during = redis.stats(&hub);
    info!(target: "main", "# OS threads: {os_threads}");
    tell_pool(&pool_during);

    let joined = hub.join_all(&tasks);
    // Killed pops are cancelled by the server, or an element might be lost with one.
    hub.drain()?;
    progress::stop(&mut hub, progress);
    let duration = hub.now().since(begin);
    info!(target: "main", "Done in {:.3} s.", duration.as_secs_f64());
    hub.kill(cron);

    if let (Err(error), false) = (&joined, shutdown.is_requested()) {
        eprintln!("{NAME}: {error}");
    }
    let saved = watching.finish(&mut hub, options);
    Ok(Summary {
        server: server.name,
        url: server.address.to_string(),
        clients: options.clients,
        timed_out: pops.timed_out.get(),
        popped: pops.popped.get(),
        failed: options.clients - pops.answered(),
        duration,
        reply_late_us: pops.late_us.take(),
        ticks: ticks.take(),
        os_threads,
        pool_during,
        pool_after: redis.stats(&hub),
        hub: hub.stats(),
        signal: shutdown.signal(),
        simulation,
        saved,
    })
}

/// Cron, and the ticks that it has had.
fn say_hello(hub: &mut Hub, options: &Options) -> (TaskId, Rc<RefCell<Vec<Tick>>>) {
    let ticks = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&ticks);
    let cron = hub.every(options.cron, move |_hub, tick| {
        info!(target: "cron", "Hello from cron task.");
        seen.borrow_mut().push(tick);
        Ok(())
    });
    (cron, ticks)
}

/// Each pops once, on a connection of its own.
fn spawn_pops(hub: &mut Hub, redis: Redis, pops: &Rc<Pops>, count: usize) -> Vec<TaskId> {
    let spawn = |_| {
        let pops = Rc::clone(pops);
        hub.spawn(move |hub, wake| match wake {
            Wake::Start => redis.brpop(hub, &pops.key, pops.timeout),
            Wake::Reply(reply) => pops.assert_nil(reply?),
            other => Err(other.unexpected()),
        })
    };
    (0..count).map(spawn).collect()
}

/// There is no grace: a pop has nothing to finish.
fn kill_on_request(hub: &mut Hub, shutdown: &Shutdown, tasks: &[TaskId]) {
    let tasks = tasks.to_vec();
    shutdown.on_request(hub, move |hub| {
        for task in tasks {
            hub.kill(task);
        }
        hub.notify(hub.main());
    });
}

fn tell_pool(pool: &PoolStats) {
    info!(target: "main", "# Redis connections created: {}", pool.created);
    info!(target: "main", "# Redis connections in use: {}", pool.in_use);
    info!(target: "main", "# Redis connections available: {}", pool.available);
}

/// SIGINT and SIGTERM end the run, with its summary; SIGUSR1 asks what everybody waits for.
fn watch_signals(hub: &mut Hub) -> Result<Shutdown> {
    let dump = signals::on(hub, &[signals::SIGUSR1], |hub, _| {
        eprint!("{}{}", progress::wipe(), hub.dump());
        Ok(())
    })?;
    hub.detach(dump);
    Shutdown::on_signals(hub)
}

/// Logs the first failure: five hundred tasks that lose one server fail with the same words.
fn tells_the_first() -> impl FnMut(&Failure) {
    let mut is_first = true;
    move |failure| {
        if std::mem::take(&mut is_first) {
            error!(target: "main", "{:?} failed: {}", failure.task, failure.error);
        }
    }
}

/// What the pops share: what they ask, and what they have seen. They run one at a time, so that a `Cell` is
/// all the locking there is.
struct Pops {
    key: String,
    timeout: Timeout,
    timed_out: Cell<usize>,
    popped: Cell<usize>,
    late_us: RefCell<Vec<u32>>,
}

impl Pops {
    fn new(options: &Options) -> Pops {
        Pops {
            key: options.key.clone(),
            timeout: options.timeout,
            timed_out: Cell::new(0),
            popped: Cell::new(0),
            late_us: RefCell::new(Vec::with_capacity(options.clients)),
        }
    }

    fn answered(&self) -> usize {
        self.timed_out.get() + self.popped.get()
    }

    fn assert_nil(&self, reply: Reply) -> Result<Wait> {
        if !reply.is_none() {
            self.popped.set(self.popped.get() + 1);
            let message = format!("nothing was to come, and there came {:?}", reply.value());
            return Err(Error::new(ErrorKind::Task, message));
        }
        self.timed_out.set(self.timed_out.get() + 1);
        if let Timeout::After(timeout) = self.timeout {
            let late = reply.elapsed().saturating_sub(timeout).as_micros();
            self.late_us
                .borrow_mut()
                .push(u32::try_from(late).unwrap_or(u32::MAX));
        }
        Ok(Wait::done())
    }
}
