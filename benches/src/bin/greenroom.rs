//! greenroom, by what it offers to every program: one thread, tasks that are closures.

use bytes::Bytes;
use greenroom::resp::Value;
use greenroom::{Command, Error, ErrorKind, Hub, Pipeline, Redis, Timeout, Wait, Wake, ms, secs};
use greenroom_bench::{
    Consumed, Countdown, Job, Outcome, Result, SETTLE, Stop, Workload, fail, late_us, program,
    ready, wire,
};
use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::{Duration, Instant};

const NAME: &str = "greenroom";

fn main() {
    program(NAME, |job| match job.workload {
        Workload::Pops {
            clients,
            timeout,
            cron,
        } => pops(job, clients, timeout, cron),
        Workload::Latency {
            consumers,
            elements,
        } => latency(job, consumers, elements),
        Workload::Drain {
            consumers,
            elements,
        } => drain(job, consumers, elements),
        Workload::Ping {
            connections,
            pipeline,
            ops,
        } => ping(job, connections, pipeline, ops),
        Workload::Shared { tasks, ops } => shared(job, tasks, ops),
    });
}

fn pops(job: &Job, clients: usize, timeout: u64, period: Duration) -> Result<Outcome> {
    let (mut hub, redis) = open(job)?;
    let late = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&late);
    // Lateness by the clock and not by the hub's time, which stands still while other tasks run.
    let (begin, hub_begin) = (Instant::now(), hub.now());
    let cron = hub.every(period, move |_hub, tick| {
        let due = begin + tick.due.since(hub_begin);
        seen.borrow_mut().push(late_us(due));
        Ok(())
    });

    let timeout = Timeout::After(secs(timeout));
    let pops: Vec<_> = (0..clients)
        .map(|_| {
            hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.brpop(hub, "list", timeout),
                other => match other.reply()?.is_none() {
                    true => Ok(Wait::done()),
                    false => Err(failed("a pop was not to get anything")),
                },
            })
        })
        .collect();
    hub.join_all(&pops)?;
    hub.kill(cron);
    drop(hub);
    Ok(Outcome::Pops {
        nil: pops.len(),
        wall: job.begin.elapsed(),
        late_us: late.take(),
    })
}

fn latency(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let (mut hub, redis) = open(job)?;
    let consumed = Rc::new(RefCell::new(Consumed::stamped(elements)?));
    consume(&mut hub, redis, consumers, &consumed);
    while redis.stats(&hub).connects < consumers as u64 {
        hub.sleep(ms(1))?;
    }
    hub.sleep(SETTLE)?;
    ready();
    hub.wait(Wait::notified())?;
    Ok(Outcome::Latency(consumed.replace(Consumed::counted(0))))
}

fn drain(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let (mut hub, redis) = open(job)?;
    let consumed = Rc::new(RefCell::new(Consumed::counted(elements)));
    consume(&mut hub, redis, consumers, &consumed);
    hub.wait(Wait::notified())?;
    let wall = job.begin.elapsed();
    Ok(Outcome::Drain { elements, wall })
}

/// Starts consumers, the last of which to get an element notifies main.
fn consume(hub: &mut Hub, redis: Redis, consumers: usize, consumed: &Rc<RefCell<Consumed>>) {
    for _ in 0..consumers {
        let consumed = Rc::clone(consumed);
        hub.spawn(move |hub, wake| {
            if !matches!(wake, Wake::Start) {
                let (_, element): (Bytes, Bytes) = wake.reply()?.to()?;
                if consumed.borrow_mut().take(&element).map_err(failed)? {
                    hub.notify(hub.main());
                }
            }
            redis.brpop(hub, "queue", Timeout::Forever)
        });
    }
}

/// Each connection is the shared connection of a client of its own, and what is written at once is a
/// pipeline, unless it is one command.
fn ping(job: &Job, connections: usize, pipeline: usize, ops: usize) -> Result<Outcome> {
    let mut hub = hub()?;
    let rounds = ops.div_ceil(pipeline);
    let left = Rc::new(Countdown::new(rounds));
    let pings = (0..pipeline).fold(Pipeline::new(), |pings, _| {
        pings.command(Command::new("PING"))
    });
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let redis = Redis::open(&mut hub, &job.place.url())?;
        let (left, pings) = (Rc::clone(&left), pings.clone());
        tasks.push(hub.spawn(move |hub, wake| {
            if !matches!(wake, Wake::Start) {
                check_pongs(wake.reply()?.value(), pipeline)?;
            }
            match left.take() {
                true if pipeline == 1 => redis.ping(hub),
                true => redis.send_all(hub, pings.clone()),
                false => Ok(Wait::done()),
            }
        }));
    }
    hub.join_all(&tasks)?;
    Ok(Outcome::Ops {
        ops: rounds * pipeline,
        wall: job.begin.elapsed(),
    })
}

fn check_pongs(reply: &Value, pipeline: usize) -> greenroom::Result<()> {
    let pong = |value: &Value| matches!(value, Value::Simple(text) if text == "PONG");
    let right = match reply {
        Value::Array(pongs) => pongs.len() == pipeline && pongs.iter().all(pong),
        one => pipeline == 1 && pong(one),
    };
    match right {
        true => Ok(()),
        false => Err(failed("a PING was not answered with PONG")),
    }
}

fn shared(job: &Job, tasks: usize, ops: usize) -> Result<Outcome> {
    let (mut hub, redis) = open(job)?;
    let left = Rc::new(Countdown::new(ops));
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let left = Rc::clone(&left);
            hub.spawn(move |hub, wake| {
                if !matches!(wake, Wake::Start) {
                    let value: Bytes = wake.reply()?.to()?;
                    wire::check_value(&value).map_err(failed)?;
                }
                match left.take() {
                    true => redis.get(hub, "key"),
                    false => Ok(Wait::done()),
                }
            })
        })
        .collect();
    hub.join_all(&tasks)?;
    let wall = job.begin.elapsed();
    Ok(Outcome::Ops { ops, wall })
}

fn hub() -> Result<Hub> {
    let mut hub = Hub::new()?;
    hub.on_error(|failure| fail(NAME, &Stop::Failed(failure.error.to_string())));
    Ok(hub)
}

fn open(job: &Job) -> Result<(Hub, Redis)> {
    let mut hub = hub()?;
    let redis = Redis::open(&mut hub, &job.place.url())?;
    Ok((hub, redis))
}

fn failed(why: impl Display) -> Error {
    Error::new(ErrorKind::Task, why.to_string())
}
