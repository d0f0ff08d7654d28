//! fred on tokio, one thread: its one connection, shared by all tasks; and a client for each pop that is given up.

use fred::prelude::{
    Builder as ClientBuilder, Client, ClientLike, Config, KeysInterface, ListInterface,
};
use greenroom_bench::tokio_gives_up::Popping;
use greenroom_bench::{
    Countdown, Job, Outcome, Result, Stop, Workload, on_tokio, program, tokio_gives_up, wire,
};
use std::rc::Rc;
use tokio::task::spawn_local;

const NAME: &str = "fred";

fn main() {
    program(NAME, |job| on_tokio(job, run(job)));
}

async fn run(job: &Job) -> Result<Outcome> {
    match job.workload {
        Workload::Shared { tasks, ops } => shared(job, tasks, ops).await,
        Workload::Cancel { pops } => tokio_gives_up::cancel(Pops(job.clone()), pops).await,
        Workload::Losses {
            way,
            consumers,
            run,
        } => tokio_gives_up::losses(Pops(job.clone()), way, consumers, run).await,
        _ => Err(Stop::NotRun("it is here for its shared connection")),
    }
}

async fn shared(job: &Job, tasks: usize, ops: usize) -> Result<Outcome> {
    let left = Rc::new(Countdown::new(ops));
    let client = connect(job, tasks).await?;
    let asks = |_| {
        let (left, client) = (Rc::clone(&left), client.clone());
        spawn_local(async move {
            while left.take() {
                let value: Vec<u8> = client.get("key").await?;
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

/// Pops that are given up: a client has one connection, which a pop blocks for all others.
struct Pops(Job);

impl Popping for Pops {
    const NAME: &'static str = NAME;
    type Connection = Client;

    async fn dial(&self) -> Result<Client> {
        connect(&self.0, 1).await
    }

    async fn pop(&self, client: &mut Client) -> Result<Vec<u8>> {
        let (_, element): (String, Vec<u8>) = client.brpop("queue", 0.0).await?;
        Ok(element)
    }
}

async fn connect(job: &Job, tasks: usize) -> Result<Client> {
    let client = ClientBuilder::from_config(Config::from_url(&job.place.url())?)
        // Commands that follow others unanswered would wait for their acknowledgement (Nagle).
        .with_connection_config(|config| config.tcp.nodelay = Some(true))
        // A command of each task may leave in the same write; by default 200.
        .with_performance_config(|config| config.max_feed_count = tasks as u64)
        .build()?;
    client.init().await?;
    Ok(client)
}
