//! redis-rs on tokio, one thread: a connection for each pop, one for all who share.

use greenroom_bench::tokio_gives_up::Popping;
use greenroom_bench::{
    Consumed, Countdown, Job, Outcome, PROOF, Place, Result, SETTLE, Stop, WINDOW, Workload, fail,
    late_us, on_tokio, program, proves, ready, tokio_gives_up, wire,
};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, RedisConnectionInfo, RedisResult, cmd,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_local;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

const NAME: &str = "tokio_redis";

/// The list and the element.
type Popped = Option<(Vec<u8>, Vec<u8>)>;

fn main() {
    program(NAME, |job| on_tokio(job, run(job)));
}

async fn run(job: &Job) -> Result<Outcome> {
    match job.workload {
        Workload::Pops {
            clients,
            timeout,
            cron,
        } => pops(job, clients, timeout, cron).await,
        Workload::Latency {
            consumers,
            elements,
        } => latency(job, consumers, elements).await,
        Workload::Drain {
            consumers,
            elements,
        } => drain(job, consumers, elements).await,
        Workload::Ping {
            connections,
            pipeline,
            ops,
        } => ping(job, connections, pipeline, ops).await,
        Workload::Shared { tasks, ops } => shared(job, tasks, ops).await,
        Workload::Cancel { pops } => tokio_gives_up::cancel(Pops::new(job)?, pops).await,
        Workload::Losses {
            way,
            consumers,
            run,
        } => tokio_gives_up::losses(Pops::new(job)?, way, consumers, run).await,
    }
}

async fn pops(job: &Job, clients: usize, timeout: u64, period: Duration) -> Result<Outcome> {
    let late = Rc::new(RefCell::new(Vec::new()));
    let cron = spawn_local(cron(period, Rc::clone(&late)));

    let command = Rc::new(brpop("list", timeout));
    let dialer = Rc::new(Dialer::new(job)?);
    let mut pops = Vec::with_capacity(clients);
    for number in 0..clients {
        dialer.wait_for_turn().await;
        let (dialer, command) = (Rc::clone(&dialer), Rc::clone(&command));
        pops.push(spawn_local(async move {
            if let Err(stop) = pop(&dialer, number, &command).await {
                fail(NAME, &stop);
            }
        }));
    }
    for pop in &mut pops {
        pop.await?;
    }
    cron.abort();
    Ok(Outcome::Pops {
        nil: pops.len(),
        wall: job.begin.elapsed(),
        late_us: late.take(),
    })
}

async fn pop(dialer: &Dialer, number: usize, command: &Cmd) -> Result<()> {
    let mut connection = dialer.dial(number).await?;
    let popped: Popped = command.query_async(&mut connection).await?;
    match popped {
        None => Ok(()),
        Some((_, element)) => Err(wire::unexpected(&element).into()),
    }
}

async fn cron(period: Duration, late: Rc<RefCell<Vec<u64>>>) {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let due = ticks.tick().await;
        late.borrow_mut().push(late_us(due.into_std()));
    }
}

async fn latency(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let all = Consumers::spawn(job, consumers, Consumed::stamped(elements)?).await?;
    while all.asked.get() < consumers {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(SETTLE).await;
    ready();
    all.done.notified().await;
    Ok(Outcome::Latency(all.consumed.replace(Consumed::counted(0))))
}

async fn drain(job: &Job, consumers: usize, elements: usize) -> Result<Outcome> {
    let all = Consumers::spawn(job, consumers, Consumed::counted(elements)).await?;
    all.done.notified().await;
    let wall = job.begin.elapsed();
    Ok(Outcome::Drain { elements, wall })
}

/// What consumers share. The last of them to get an element notifies main.
struct Consumers {
    dialer: Dialer,
    command: Cmd,
    consumed: RefCell<Consumed>,
    /// How many pops were asked.
    asked: Cell<usize>,
    done: Notify,
}

impl Consumers {
    async fn spawn(job: &Job, consumers: usize, consumed: Consumed) -> Result<Rc<Consumers>> {
        let all = Rc::new(Consumers {
            dialer: Dialer::new(job)?,
            command: brpop("queue", 0),
            consumed: RefCell::new(consumed),
            asked: Cell::new(0),
            done: Notify::new(),
        });
        for number in 0..consumers {
            all.dialer.wait_for_turn().await;
            let all = Rc::clone(&all);
            spawn_local(async move {
                if let Err(stop) = all.consume(number).await {
                    fail(NAME, &stop);
                }
            });
        }
        Ok(all)
    }

    async fn consume(&self, number: usize) -> Result<()> {
        let mut connection = self.dialer.dial(number).await?;
        loop {
            self.asked.set(self.asked.get() + 1);
            let popped: Popped = self.command.query_async(&mut connection).await?;
            let (_, element) = popped.ok_or_else(|| wire::unexpected(wire::NIL))?;
            if self.consumed.borrow_mut().take(&element)? {
                self.done.notify_one();
            }
        }
    }
}

async fn ping(job: &Job, connections: usize, pipeline: usize, ops: usize) -> Result<Outcome> {
    let rounds = ops.div_ceil(pipeline);
    let left = Rc::new(Countdown::new(rounds));
    let mut pings = redis::pipe();
    (0..pipeline).for_each(|_| {
        pings.cmd("PING");
    });
    let pings = Rc::new(pings);
    let client = client(job)?;
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (left, pings, client) = (Rc::clone(&left), Rc::clone(&pings), client.clone());
        tasks.push(spawn_local(async move {
            let mut connection = connect(&client, 1).await?;
            while left.take() {
                let pongs: Vec<redis::Value> = pings.query_async(&mut connection).await?;
                let is_pong = |pong: &redis::Value| {
                    matches!(pong, redis::Value::SimpleString(text) if text == "PONG")
                };
                if pongs.len() != pipeline || !pongs.iter().all(is_pong) {
                    return Err(Stop::Failed("a PING was not answered with PONG".into()));
                }
            }
            Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(Outcome::Ops {
        ops: rounds * pipeline,
        wall: job.begin.elapsed(),
    })
}

async fn shared(job: &Job, tasks: usize, ops: usize) -> Result<Outcome> {
    let left = Rc::new(Countdown::new(ops));
    let mut get = cmd("GET");
    get.arg("key");
    let get = Rc::new(get);
    // Room for a command of each task: with the 50 of the default they would wait for each other.
    let connection = connect(&client(job)?, tasks).await?;
    let asks = |_| {
        let (left, get, mut connection) = (Rc::clone(&left), Rc::clone(&get), connection.clone());
        spawn_local(async move {
            while left.take() {
                let value: Vec<u8> = get.query_async(&mut connection).await?;
                wire::check_value(&value)?;
            }
            Result::Ok(())
        })
    };
    for task in (0..tasks).map(asks).collect::<Vec<_>>() {
        task.await??;
    }
    let wall = job.begin.elapsed();
    Ok(Outcome::Ops { ops, wall })
}

/// Pops that are given up. The library calls its connection cancellation-safe: a future that is dropped leaves the
/// connection as good as it was, and its reply is thrown away when it comes. When the last handle is dropped, the
/// connection is closed.
struct Pops {
    client: Client,
    command: Cmd,
}

impl Pops {
    fn new(job: &Job) -> Result<Pops> {
        Ok(Pops {
            client: client(job)?,
            command: brpop("queue", 0),
        })
    }
}

impl Popping for Pops {
    const NAME: &'static str = NAME;
    type Connection = MultiplexedConnection;

    async fn dial(&self) -> Result<MultiplexedConnection> {
        Ok(connect(&self.client, 1).await?)
    }

    async fn pop(&self, connection: &mut MultiplexedConnection) -> Result<Vec<u8>> {
        let popped: Popped = self.command.query_async(connection).await?;
        let (_, element) = popped.ok_or_else(|| wire::unexpected(wire::NIL))?;
        Ok(element)
    }
}

/// Connections in the making: see "Ten thousand connections" in the library.
struct Dialer {
    client: Client,
    window: Semaphore,
}

impl Dialer {
    fn new(job: &Job) -> Result<Dialer> {
        Ok(Dialer {
            client: client(job)?,
            window: Semaphore::new(WINDOW),
        })
    }

    async fn wait_for_turn(&self) {
        if let Ok(permit) = self.window.acquire().await {
            permit.forget();
        }
    }

    async fn dial(&self, number: usize) -> RedisResult<MultiplexedConnection> {
        let mut connection = connect(&self.client, 1).await?;
        if proves(number) {
            cmd("PING").exec_async(&mut connection).await?;
            self.window.add_permits(PROOF);
        }
        Ok(connection)
    }
}

fn client(job: &Job) -> Result<Client> {
    // Commands that follow others unanswered would wait for their acknowledgement (Nagle). On a
    // connection of its own a pop never does, and the option would be one system call more.
    let is_shared = matches!(job.workload, Workload::Shared { .. });
    let tcp = TcpSettings::default().set_nodelay(is_shared && matches!(job.place, Place::Tcp(_)));
    // The library would tell the server its name and version, which is a round trip for each
    // connection.
    let greeting = RedisConnectionInfo::default().set_skip_set_lib_name();
    let server = job.place.url().into_connection_info()?;
    Ok(Client::open(
        server.set_tcp_settings(tcp).set_redis_settings(greeting),
    )?)
}

async fn connect(client: &Client, queue: usize) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        // By default a reply must come within 500 ms, and a pop that blocks for longer fails.
        .set_response_timeout(None)
        // By default a second: what a single lost SYN takes. greenroom allows five, too.
        .set_connection_timeout(Some(Duration::from_secs(5)))
        .set_pipeline_buffer_size(queue);
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

fn brpop(list: &str, timeout: u64) -> Cmd {
    let mut command = cmd("BRPOP");
    command.arg(list).arg(timeout);
    command
}
