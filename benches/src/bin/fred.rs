//! fred on tokio, one thread: its one connection, shared by all tasks.

use fred::prelude::{Builder as ClientBuilder, Client, ClientLike, Config, KeysInterface};
use greenroom_bench::{Countdown, Job, Outcome, Result, Stop, Workload, on_tokio, program, wire};
use std::rc::Rc;
use tokio::task::spawn_local;

const NAME: &str = "fred";

fn main() {
    program(NAME, |job| {
        let Workload::Shared { tasks, ops } = job.workload else {
            return Err(Stop::NotRun("it is here for its shared connection"));
        };
        on_tokio(job, shared(job, tasks, ops))
    });
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
