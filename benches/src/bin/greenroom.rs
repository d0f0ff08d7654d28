//! greenroom, by what it offers to every program: one thread, tasks that are closures.

use bytes::Bytes;
use greenroom::resp::Value;
use greenroom::{
    Command, Error, ErrorKind, Hub, Pipeline, Redis, TaskId, Timeout, Wait, Wake, ms, secs,
};
use greenroom_bench::giving_up::{AFTERMATH, Delivered, Way};
use greenroom_bench::{
    Consumed, Countdown, Job, Outcome, Result, SETTLE, Stop, Workload, fail, late_us, now, program,
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
        Workload::Cancel { pops } => cancel(job, pops),
        Workload::Losses {
            way,
            consumers,
            run,
        } => losses(job, way, consumers, run),
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

fn cancel(job: &Job, pops: usize) -> Result<Outcome> {
    let (mut hub, redis) = open(job)?;
    let pops: Vec<_> = (0..pops)
        .map(|_| {
            hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.brpop(hub, "queue", Timeout::Forever),
                Wake::Killed => Ok(Wait::done()),
                other => Err(other.unexpected()),
            })
        })
        .collect();
    while redis.stats(&hub).connects < pops.len() as u64 {
        hub.sleep(ms(1))?;
    }
    ready();
    hub.sleep(SETTLE)?;

    let (begin, began_ns) = (Instant::now(), now());
    for pop in &pops {
        hub.kill(*pop);
    }
    hub.drain()?;
    let wall = begin.elapsed();
    hub.sleep(AFTERMATH)?;
    Ok(Outcome::Cancelled {
        cancelled: pops.iter().filter(|pop| hub.is_ended(**pop)).count(),
        began_ns,
        ended_ns: now(),
        wall,
    })
}

fn losses(job: &Job, way: Way, consumers: usize, run: Duration) -> Result<Outcome> {
    let (mut hub, redis) = open(job)?;
    let delivered = Rc::new(RefCell::new(Delivered::default()));
    let consumers: Vec<_> = (0..consumers)
        .map(|number| match way {
            Way::Timeouts => times_out(&mut hub, redis, number, &delivered),
            Way::Aborts => is_aborted(&mut hub, redis, number, &delivered),
        })
        .collect();
    hub.sleep(SETTLE)?;
    ready();
    hub.sleep(run)?;
    for consumer in consumers {
        hub.kill(consumer);
    }
    hub.drain()?;
    let mut delivered = delivered.take();
    delivered.tell_late(redis.stats(&hub).undelivered);
    Ok(Outcome::Delivered(delivered))
}

/// A consumer whose pops have deadlines.
fn times_out(
    hub: &mut Hub,
    redis: Redis,
    number: usize,
    delivered: &Rc<RefCell<Delivered>>,
) -> TaskId {
    let delivered = Rc::clone(delivered);
    let mut moments = Way::Timeouts.moments(number);
    hub.spawn(move |hub, wake| {
        match wake {
            Wake::Start => {}
            Wake::Killed => return Ok(Wait::done()),
            Wake::Deadline => delivered.borrow_mut().give_up(),
            other => take(&delivered, other)?,
        }
        let pop = redis.brpop(hub, "queue", Timeout::Forever)?;
        Ok(pop.within(moments.draw()))
    })
}

/// A task that kills its consumer again and again, and starts another.
fn is_aborted(
    hub: &mut Hub,
    redis: Redis,
    number: usize,
    delivered: &Rc<RefCell<Delivered>>,
) -> TaskId {
    let delivered = Rc::clone(delivered);
    let mut moments = Way::Aborts.moments(number);
    let mut consumer = None;
    hub.spawn(move |hub, wake| {
        if let Some(consumer) = consumer.take() {
            hub.kill(consumer);
            delivered.borrow_mut().give_up();
        }
        if matches!(wake, Wake::Killed) {
            return Ok(Wait::done());
        }
        let delivered = Rc::clone(&delivered);
        consumer = Some(hub.spawn(move |hub, wake| {
            match wake {
                Wake::Start => {}
                Wake::Killed => return Ok(Wait::done()),
                other => take(&delivered, other)?,
            }
            redis.brpop(hub, "queue", Timeout::Forever)
        }));
        Ok(Wait::sleep(moments.draw()))
    })
}

fn take(delivered: &RefCell<Delivered>, wake: Wake) -> greenroom::Result<()> {
    let (_, element): (Bytes, Bytes) = wake.reply()?.to()?;
    let taken = delivered.borrow_mut().take(&element);
    taken.map_err(|stop| failed(format!("{stop:?}")))
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
