//! The ladder, rung 7: ten thousand.
//!
//! ```text
//! cargo run --release --example ladder_7_ten_thousand
//! cargo run --release --example ladder_7_ten_thousand -- -c 25000   # if `ulimit -Hn` allows
//! ```
//!
//! Rung 6 was short; is it small and fast as well? Ten thousand pops wait, without a timeout and without a thread each; for a
//! second nothing happens; then as many elements are pushed with one command, and each is popped by another task. Expect that
//! connecting takes half a second, and that no connect has to be repeated; some six hundred bytes of memory for each pop, its
//! task and its timer included; a hub that, while they wait, wakes for cron and for nothing else; and a cron task that was never
//! late by more than some milliseconds. The threads of rung 2 would have taken 20 GiB of addresses.
//!
//! The server is a second process here, so that the figures are those of the client alone.

mod support {
    pub(crate) mod apart;
    pub(crate) mod flags;
    pub(crate) mod kernel;
    pub(crate) mod processor;
}

use greenroom::{Command, Config, Hub, Redis, Result, TaskId, Timeout, Wait, Wake, ms, secs};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;
use support::apart::{self, Apart};
use support::{flags, kernel, processor};

/// Files besides the connections: standard streams, the server's pipes, epoll, the shared connection.
const OTHER_FILES: u64 = 16;

/// The elements that came. The tasks run one at a time.
type Popped = Rc<RefCell<BTreeSet<u32>>>;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    if apart::is_server() {
        return Ok(apart::serve()?);
    }
    let [count] = flags::read([('c', 10_000)]);
    let needed = u64::from(count) + OTHER_FILES;
    let limit = rlimit::increase_nofile_limit(needed)?;
    if limit < needed {
        let message =
            format!("{needed} open files are needed, and {limit} allowed: give a smaller -c");
        return Err(message.into());
    }
    let server = Apart::start()?;
    let mut hub = Hub::new()?;
    let redis = open(&mut hub, &server)?;
    let (worst_tick, popped) = (Rc::default(), Rc::default());
    watch_cron(&mut hub, &worst_tick);

    let tasks = await_crowd(&mut hub, redis, u32::from(count), &popped)?;
    idle(&mut hub)?;
    wake_them(&mut hub, redis, &tasks)?;
    println!("{} different elements were popped.", popped.borrow().len());
    println!(
        "Cron was never late by more than {:.1} ms.",
        millis(worst_tick.get())
    );
    Ok(())
}

fn open(hub: &mut Hub, server: &Apart) -> Result<Redis> {
    let mut config = Config::default();
    // The backlog of the embedded server is short: 128.
    config.max_connecting = 100;
    Redis::open_with(hub, format!("redis://{}", server.at).parse()?, config)
}

/// A hundred times a second: often enough to be in the way of whatever holds the hub.
fn watch_cron(hub: &mut Hub, worst: &Rc<Cell<Duration>>) {
    let worst = Rc::clone(worst);
    hub.every(ms(10), move |_hub, tick| {
        worst.set(worst.get().max(tick.late));
        Ok(())
    });
}

/// Starts the pops; returns when the server says that all of them wait.
fn await_crowd(hub: &mut Hub, redis: Redis, count: u32, popped: &Popped) -> Result<Vec<TaskId>> {
    let (begin, before) = (hub.now(), kernel::status("VmRSS"));
    let pops = (0..count).map(|_| {
        let popped = Rc::clone(popped);
        hub.spawn(move |hub, wake| match wake {
            Wake::Start => redis.brpop(hub, "ladder", Timeout::Forever),
            wake => {
                let (_list, element): (String, u32) = wake.reply()?.to()?;
                popped.borrow_mut().insert(element);
                Ok(Wait::done())
            }
        })
    });
    let pops = pops.collect();
    while blocked(hub, redis)? < count && hub.stats().failures == 0 {
        hub.sleep(ms(10))?;
    }
    let (took, pool) = (hub.now().since(begin), redis.stats(hub));
    let kib = kernel::status("VmRSS").saturating_sub(before);
    println!(
        "{count} pops wait, {:.3} s after the first was asked. OS threads: {}.",
        took.as_secs_f64(),
        kernel::status("Threads")
    );
    println!(
        "{} connections, one of them shared; {} connects had to be repeated.",
        pool.connects, pool.connects_retried
    );
    println!(
        "{} bytes of memory for each.",
        kib * 1024 / u64::from(count.max(1))
    );
    Ok(pops)
}

/// How many clients wait, as the server counts them.
fn blocked(hub: &mut Hub, redis: Redis) -> Result<u32> {
    let asked = redis.send(hub, Command::new("INFO").arg("clients"))?;
    let info: String = hub.wait(asked)?.reply()?.to()?;
    let field = |line: &str| line.strip_prefix("blocked_clients:")?.trim().parse().ok();
    Ok(info.lines().find_map(field).unwrap_or(0))
}

fn idle(hub: &mut Hub) -> Result<()> {
    let (turns, used) = (hub.stats().turns, processor::time());
    hub.sleep(secs(1))?;
    println!(
        "A second in which nothing comes: {} turns for cron, {:.1} ms of processor time.",
        hub.stats().turns - turns,
        millis(processor::time() - used)
    );
    Ok(())
}

fn wake_them(hub: &mut Hub, redis: Redis, tasks: &[TaskId]) -> Result<()> {
    let begin = hub.now();
    let elements: Vec<u32> = (0..).take(tasks.len()).collect();
    let asked = redis.lpush(hub, "ladder", elements)?;
    hub.wait(asked)?.reply()?;
    hub.join_all(tasks)?;
    let took = hub.now().since(begin);
    println!(
        "{} tasks have popped {:.1} ms after one push.",
        tasks.len(),
        millis(took)
    );
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
